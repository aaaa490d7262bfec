"""Declare the data of deletion requests and of revoked rights keys (secrets by which a user proves which data are theirs). **Invariant:** it
consists of keyed hashes, and of addresses that are kept until recipients are notified; it is used only for the request."""

from __future__ import annotations

from server.data.privacy.registry.shared_terms import COPIES, DERIVED, HOSTING, LEGAL, OPERATOR, PERSON, VERIFY, A, F
from server.data.privacy.registry_model import Basis, Column, Days, Delete, Export, HandedOn, Item, Recipient, While

RIGHTS = (
    Item(
        key="deletion",
        categories=(F,),
        what=(
            "That you asked to have your data deleted, or kept from all use while a dispute runs: when, what of it, and when it was"
            " done; you as a keyed hash"
        ),
        sources=(PERSON,),
        purposes=(VERIFY, LEGAL),
        basis=Basis.LAW,
        recipients=(HOSTING,),
        keep=Days(730, after="deletion.asked"),
        places=(
            Column("deletion.who", "keyed"),
            *(Column(f"deletion.{name}") for name in ("number", "kind", "records", "logs", "asked", "due", "done")),
            COPIES,
        ),
        export=Export.OWN,
        delete=Delete(False, "no: it shows that your request was answered; it is used for nothing else"),
        subject="deletion.who",
        rare="only after a request",
    ),
    Item(
        key="deletion_notice",
        title="recipients told of a deletion",
        categories=(F,),
        what="Which recipients of your data were told that you had it deleted, how often we tried, and what came of it",
        sources=(OPERATOR,),
        purposes=(LEGAL,),
        basis=Basis.LAW,
        recipients=(HOSTING,),
        keep=Days(730, after="deletion_notice.at"),
        places=(
            *(
                Column(f"deletion_notice.{name}")
                for name in ("number", "recipient", "state", "tries", "began", "at", "next")
            ),
            COPIES,
        ),
        export=Export.OWN,
        delete=Delete(False, "no: it shows that your request was answered; it is used for nothing else"),
        rare="only after a request",
    ),
    Item(
        key="deletion_address",
        title="addresses for a deletion elsewhere",
        categories=(A,),
        what="The IP addresses that you had, encrypted, so that recipients who know you by them can delete what they hold",
        sources=(DERIVED,),
        purposes=(LEGAL,),
        basis=Basis.LAW,
        recipients=(HOSTING, Recipient.TURN, Recipient.CAPTCHA, Recipient.RELAY),
        keep=While("a recipient is still to be told, 30 days at most", longest=30 * 86_400),
        places=(
            Column("deletion_notice.known", "sealed"),
            COPIES,
            HandedOn(Recipient.RELAY, "the notice by mail to a recipient"),
        ),
        export=Export.NOT_LINKED,
        delete=Delete(False, "no: without them nobody else could delete what is yours"),
        rare="only after a request",
    ),
    Item(
        key="erased",
        title="marks of deleted records",
        categories=(A,),
        what="The keyed hashes under which your deleted records were stored, so that what comes late or back is hidden and deleted too",
        sources=(PERSON,),
        purposes=(VERIFY, LEGAL),
        basis=Basis.LAW,
        recipients=(HOSTING,),
        keep=While(
            "a record under them, or a backup of one, can still exist: 121 days after the deletion, longer under a legal hold"
        ),
        places=(Column("erased.value", "keyed"), Column("erased.number"), Column("erased.before"), COPIES),
        export=Export.NOT_LINKED,
        delete=Delete(False, "no: without them the deletion would not hold"),
        rare="only after a request",
    ),
)
