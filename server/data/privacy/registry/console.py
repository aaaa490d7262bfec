"""Declare the personal data about operators: accounts, passkeys, sessions, approvals.

**Invariant:** an operator is stored under a pseudonym, and no item is about a user.
"""

from __future__ import annotations

from server.data.privacy.registry.shared_terms import (
    BY_ITSELF,
    COPIES,
    COURT,
    HOSTING,
    LEGAL,
    OPERATOR,
    PERSON,
    SAFETY,
    A,
    F,
)
from server.data.privacy.registry_model import (
    Basis,
    Column,
    Cookie,
    Days,
    Delete,
    Export,
    HandedOn,
    Item,
    Memory,
    Recipient,
    While,
)

CONSOLE = (
    Item(
        key="operator",
        categories=(A,),
        what=(
            "Staff only: the pseudonym of somebody who reads reports, their roles, the public half of their passkey, and when they"
            " signed in (a cookie, stored as a keyed hash)"
        ),
        sources=(PERSON, OPERATOR),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(HOSTING, COURT),
        keep=While("the account is there; a session 12 hours at most"),
        places=(
            *(Column(f"operator.{name}") for name in ("name", "roles", "made", "changed")),
            *(Column(f"passkey.{name}") for name in ("id", "operator", "credential", "counter", "made")),
            *(Column(f"console_session.{name}") for name in ("operator", "made", "used", "proved")),
            Cookie("__Host-mod"),
            Cookie("__Host-mod-language"),
            Memory("challenges", 300),
            Memory("signins", 600),
            Memory("shifts", 43_200),
        ),
        export=Export.NOT_LINKED,
        delete=Delete(True, "closing the account removes it at once"),
        rare="only where operators use the console",
        needs="console",
    ),
    Item(
        key="answer_template",
        title="saved answers",
        categories=(F,),
        what="Staff only: texts that an operator saved in order to use them again in decisions, and in which language",
        sources=(OPERATOR,),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(HOSTING,),
        keep=While("the account is there"),
        places=tuple(Column(f"answer_template.{name}") for name in ("operator", "language", "title", "text", "made")),
        export=Export.NOT_LINKED,
        delete=Delete(True, "closing the account removes it at once"),
        rare="only where operators use the console",
        needs="console",
    ),
    Item(
        key="api_token",
        title="tokens for programs",
        categories=(A,),
        what=(
            "Staff only: the tokens with which an operator's programs work on reports (as keyed hashes): their names, what each may do, when"
            " it was made and last used, and when it ends"
        ),
        sources=(OPERATOR,),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(HOSTING,),
        keep=While("the account is there"),
        places=tuple(Column(f"api_token.{name}") for name in ("operator", "name", "scopes", "made", "until", "used")),
        export=Export.NOT_LINKED,
        delete=Delete(True, "closing the account removes it at once"),
        rare="only where operators use the console",
        needs="console",
    ),
    Item(
        key="audit_digest",
        title="weekly letter about look-ups",
        categories=(F,),
        what=(
            "Staff only: how often which operator looked at or changed stored data, in a mail to the owner each week; it names nobody"
            " else"
        ),
        sources=(OPERATOR,),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(Recipient.RELAY,),
        keep=While("the mail is sent"),
        places=(HandedOn(Recipient.RELAY, "the weekly mail to the owner"),),
        export=Export.NOT_LINKED,
        delete=BY_ITSELF,
        rare="only where the owner's address is set",
        needs="digest",
    ),
    Item(
        key="emergency_review",
        title="review of an emergency",
        categories=(F,),
        what=(
            "Staff only: which operator gave data out because a life was in danger, when, and which other operator reviewed it within 48"
            " hours, with what outcome and why"
        ),
        sources=(OPERATOR,),
        purposes=(SAFETY, LEGAL),
        basis=Basis.LAW,
        recipients=(HOSTING, COURT),
        keep=Days(730, after="emergency_review.at"),
        places=(
            *(
                Column(f"emergency_review.{name}")
                for name in ("what", "at", "by", "reviewed", "reviewed_by", "verdict", "finding")
            ),
            COPIES,
        ),
        export=Export.NOT_LINKED,
        delete=Delete(False, "no: it guards everybody's data against the operators themselves"),
        rare="only after an emergency",
    ),
    Item(
        key="approval",
        title="approval by a second operator",
        categories=(F,),
        what="Staff only: what one operator asked for, why, and which other operator confirmed it",
        sources=(OPERATOR,),
        purposes=(SAFETY, LEGAL),
        basis=Basis.INTEREST,
        recipients=(HOSTING, COURT),
        keep=Days(365, after="approval.asked"),
        places=tuple(
            Column(f"approval.{name}")
            for name in (
                *("action", "words", "asked_by", "asked", "ready", "confirmed_by", "refused_by"),
                *("alone", "emergency"),
            )
        ),
        export=Export.NOT_LINKED,
        delete=Delete(False, "no: it guards everybody's data against the operators themselves"),
        rare="only where operators use the console",
        needs="console",
    ),
)
