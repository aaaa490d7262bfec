"""What is kept of requests about one's own data. Rule: used for the answer and its proof and for nothing else."""

from __future__ import annotations

from server.privacy.model import Basis, Column, Days, Delete, Export, Forever, Item, Memory, While
from server.privacy.registry.terms import (
    BY_ITSELF,
    COPIES,
    COURT,
    DEFAULT_DAYS,
    DERIVED,
    HOSTING,
    LEGAL,
    OPERATOR,
    PERSON,
    SAFETY,
    VERIFY,
    A,
    F,
    L,
)

TICKET = 730  # days: the law wants requests recorded for 24 months
PROOF = Delete(False, "no: the law asks us to record requests for 24 months")

REQUESTS = (
    Item(
        key="request",
        categories=(A, F),
        what=(
            "That you asked about your own data: what, when, by which way, what came of it and when. Who you are as a keyed hash, where "
            "you proved it, and the hash of the secret with which you read its state"
        ),
        sources=(PERSON, OPERATOR),
        purposes=(LEGAL, VERIFY),
        basis=Basis.LAW,
        recipients=(HOSTING, COURT),
        keep=Days(TICKET, after="request.closed"),
        places=(
            Column("request.who", "keyed"),
            Column("request.secret", "keyed"),
            *(
                Column(f"request.{name}")
                for name in ("kind", "by", "level", "received", "acknowledged", "due", "outer")
            ),
            *(Column(f"request.{name}") for name in ("extended", "why", "state", "reason", "answered", "closed")),
            COPIES,
        ),
        export=Export.OWN,
        delete=PROOF,
        subject="request.who",
        rare="only when somebody asked",
    ),
    Item(
        key="request_step",
        categories=(F,),
        what="To whom your request was passed on, how, and what came of it",
        sources=(OPERATOR,),
        purposes=(LEGAL,),
        basis=Basis.LAW,
        recipients=(HOSTING, COURT),
        keep=Days(TICKET, after="request_step.at"),
        places=(*(Column(f"request_step.{name}") for name in ("recipient", "how", "state", "tries", "at")), COPIES),
        export=Export.OWN,
        delete=PROOF,
        rare="only when a request was passed on",
    ),
    Item(
        key="request_text",
        categories=(A, L),
        what="What you wrote in a request, and where you want the answer sent: encrypted, apart from the request",
        sources=(PERSON,),
        purposes=(LEGAL, VERIFY),
        basis=Basis.LAW,
        recipients=(HOSTING, COURT),
        keep=While("the request is open, 90 days at most", longest=90 * 86_400),
        places=(Column("request_text.text", "sealed"), Column("request_contact.contact", "sealed"), COPIES),
        export=Export.OWN,
        delete=BY_ITSELF,
        rare="only when somebody wrote to us",
    ),
    Item(
        key="request_answer",
        categories=(L,),
        what="What we answered to your request: encrypted",
        sources=(OPERATOR,),
        purposes=(LEGAL,),
        basis=Basis.LAW,
        recipients=(HOSTING, COURT),
        keep=Days(DEFAULT_DAYS, after="request_answer.at"),
        places=(Column("request_answer.answer", "sealed"), Column("request_answer.at"), COPIES),
        export=Export.OWN,
        delete=PROOF,
        rare="only when an operator answered",
    ),
    Item(
        key="rights_key",
        categories=(A,),
        what="That you made your older rights keys invalid, and when: with a keyed hash of who you are",
        sources=(PERSON,),
        purposes=(VERIFY,),
        basis=Basis.LAW,
        recipients=(HOSTING,),
        keep=Forever("a key that you made invalid must never open anything again"),
        places=(Column("rights_key.who", "keyed"), Column("rights_key.not_before"), COPIES),
        export=Export.OWN,
        delete=Delete(False, "no: without it a key that you made invalid would open your data again"),
        subject="rights_key.who",
        rare="only when somebody made their keys invalid",
    ),
    Item(
        key="agent_use",
        categories=(A,),
        what="That a code for an agent was used, so that it works once: its keyed hash",
        sources=(DERIVED,),
        purposes=(VERIFY,),
        basis=Basis.LAW,
        recipients=(HOSTING,),
        keep=Days(14, after="agent_use.at"),
        places=(Column("agent_use.code", "keyed"), Column("agent_use.at"), COPIES),
        export=Export.NOT_LINKED,
        delete=BY_ITSELF,
        rare="only when an agent asked",
    ),
    Item(
        key="request_limits",
        categories=(A,),
        what="How often a network tries a proof, asks or acts about its data, and how often you download yours, in memory",
        sources=(DERIVED,),
        purposes=(SAFETY,),
        basis=Basis.INTEREST,
        recipients=(),
        keep=While("an hour; a day for requests without a proof", longest=86_400),
        places=(Memory("requests", 86_400),),
        export=Export.GONE,
        delete=BY_ITSELF,
        rare="only when somebody asked",
    ),
)
