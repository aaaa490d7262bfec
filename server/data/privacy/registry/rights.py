"""Declare the data of deletion requests and of revoked rights keys (secrets by which a user proves which data are theirs). **Invariant:** it
consists of keyed hashes, and is used only for the request."""

from __future__ import annotations

from server.data.privacy.registry.shared_terms import COPIES, HOSTING, LEGAL, PERSON, VERIFY, A, F
from server.data.privacy.registry_model import Basis, Column, Days, Delete, Export, Item, While

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
