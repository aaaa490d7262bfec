"""Declare the personal data in the records of the operators' and the server's own actions: legal holds, the audit log, deletions.

**Invariant:** personal values are keyed hashes or encrypted.
"""

from __future__ import annotations

from server.data.privacy.registry.shared_terms import (
    COPIES,
    COURT,
    DERIVED,
    HOSTING,
    LEGAL,
    OPERATOR,
    PERSON,
    SAFETY,
    VERIFY,
    YEAR,
    A,
    F,
)
from server.data.privacy.registry_model import Basis, Column, Days, Delete, Export, File, Item, ObjectPrefix, While

UPKEEP = (
    Item(
        key="hold",
        title="order to preserve",
        categories=(A,),
        what="Orders to preserve something: whose, by which authority, why, until when",
        sources=(OPERATOR,),
        purposes=(LEGAL,),
        basis=Basis.LAW,
        recipients=(HOSTING, COURT),
        keep=While("the order is in force"),
        places=(
            *(Column(f"hold.{name}") for name in ("authority", "reason", "secret", "placed", "until", "released")),
            Column("hold.selector", "sealed"),
            Column("hold_match.hold"),
            Column("hold_match.value", "keyed"),
            COPIES,
        ),
        export=Export.FACT,
        delete=Delete(False, "no: the law asks for it; it goes when the order ends"),
        rare="only while an operator has placed one",
    ),
    Item(
        key="audit",
        title="look-ups by operators",
        categories=(F,),
        what="What the operators did with stored data and with sessions that were running, when and why; the person concerned as a keyed hash",
        sources=(OPERATOR,),
        purposes=(SAFETY, LEGAL),
        basis=Basis.LAW,
        recipients=(HOSTING, COURT),
        keep=YEAR,
        places=(
            *(
                Column(f"audit.{name}", "keyed" if name == "subject" else "plain")
                for name in ("time", "operator", "action", "subject", "why", "outcome")
            ),
            COPIES,
        ),
        export=Export.WHEN_AND_WHY,
        delete=Delete(False, "no: it guards everybody's data against the operators themselves"),
        subject="audit.subject",
        rare="only when an operator used the commands",
    ),
    Item(
        key="access_log",
        categories=(A, F),
        what=(
            "What the web server in front writes of a request: its IP address, its time, the kind of page (never a secret"
            " address, never what stands behind a question mark), the answer's number, size and time; and its errors"
        ),
        sources=(PERSON,),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(HOSTING,),
        keep=Days(14, after="the request"),
        places=(File("/var/log/serendip/"),),
        export=Export.NOT_LINKED,
        delete=Delete(False, "no: nothing in it says whose browser it was; it goes by itself"),
        rare="only where such a web server stands in front",
        needs="proxy",
    ),
    Item(
        key="erasure",
        title="list of deletions",
        categories=(A,),
        what="A list of what was deleted, as keyed hashes, with the time until when, sealed, so that a restored backup does not bring it back",
        sources=(DERIVED,),
        purposes=(VERIFY, LEGAL),
        basis=Basis.LAW,
        recipients=(HOSTING,),
        keep=Days(30, after="the deletion"),
        places=(ObjectPrefix("erasures/"),),
        export=Export.NOT_LINKED,
        delete=Delete(False, "no: without it the deletion would not hold; it goes when the last backup is gone"),
    ),
)
