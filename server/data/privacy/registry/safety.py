"""Declare the personal data of moderation: a report, its case, the reported person, texts and pictures.

**Invariant:** each row is about one person, named by keyed hashes that cannot be joined with another table.
"""

from __future__ import annotations

from server.data.privacy.registry.shared_terms import (
    CHILDREN,
    COPIES,
    COURT,
    DEFAULT_DAYS,
    DERIVED,
    HOSTING,
    LEGAL,
    LOG,
    OPERATOR,
    OTHER,
    PERSON,
    POLICE,
    RULES,
    SAFETY,
    A,
    F,
    G,
    H,
    L,
)
from server.data.privacy.registry_model import (
    Basis,
    Column,
    Days,
    Delete,
    Export,
    Item,
    Memory,
    ObjectPrefix,
    Recipient,
    While,
)

NAMED = Delete(False, "not while it is open: it guards other people; it goes by itself after the decision")

SAFETY_ITEMS = (
    Item(
        key="report",
        categories=(F, L),
        what=(
            "That you reported somebody: when, why, your note (encrypted) and who you are (a keyed hash). The hash of the"
            " address at which you read what came of it."
        ),
        sources=(PERSON,),
        purposes=(SAFETY, RULES),
        basis=Basis.INTEREST,
        recipients=(HOSTING, POLICE, COURT),
        keep=Days(DEFAULT_DAYS, after="report.closed"),
        places=(
            *(Column(f"report.{name}") for name in ("at", "reason", "outcome", "closed")),
            Column("report.identity", "keyed"),
            Column("report.note", "sealed"),
            Column("report.receipt", "keyed"),
        ),
        export=Export.OWN,
        delete=NAMED,
        subject="report.identity",
        hold=True,
        rare="only when somebody reported",
    ),
    Item(
        key="case",
        categories=(F,),
        what=(
            "What you were reported for, or what a program found that it paused you for: kind of chat, reasons, and what was decided by"
            " which rule; of one case in twenty also what another operator would have decided, who did not see that"
        ),
        sources=(OTHER, DERIVED, OPERATOR),
        purposes=(SAFETY, RULES),
        basis=Basis.INTEREST,
        recipients=(HOSTING, POLICE, COURT),
        keep=Days(DEFAULT_DAYS, after="case.closed"),
        places=(
            *(Column(f"case.{name}") for name in ("queue", "state", "mode", "opened", "reasons", "priority", "due")),
            *(Column(f"case.{name}") for name in ("claimed_by", "claimed_until", "decided_by", "measure", "rule")),
            *(Column(f"case.{name}") for name in ("machine", "closed", "child", "passed_to")),
            *(Column(f"case.second_{name}") for name in ("asked", "by", "measure", "rule", "at")),
            COPIES,
        ),
        export=Export.FACT,
        delete=NAMED,
        hold=True,
        rare="only when somebody was reported",
    ),
    Item(
        key="case_subject",
        title="whom a case is about",
        categories=(A, F, G),
        what=(
            "Whom a case is about: a keyed hash of the identity, the IP address with source port and time (encrypted),"
            " a keyed hash of its network, the country"
        ),
        sources=(PERSON, DERIVED),
        purposes=(SAFETY, RULES, LEGAL),
        basis=Basis.INTEREST,
        recipients=(HOSTING, COURT, CHILDREN),
        keep=Days(DEFAULT_DAYS, after="case_subject.closed"),
        places=(
            Column("case_subject.identity", "keyed"),
            Column("case_subject.address", "sealed"),
            Column("case_subject.network", "keyed"),
            Column("case_subject.country"),
            Column("case_subject.closed"),
            COPIES,
        ),
        export=Export.OWN,
        delete=NAMED,
        subject="case_subject.identity",
        hold=True,
        rare="only when somebody was reported",
    ),
    Item(
        key="evidence",
        categories=(L, LOG),
        what=(
            "The last lines of a chat that one of the two reported, or in which a program found what it paused somebody for: both sides,"
            " encrypted, at most 100 lines, and what the program found in them, and when it found the same in other chats of that person that day"
        ),
        sources=(PERSON, OTHER),
        purposes=(SAFETY, RULES, LEGAL),
        basis=Basis.INTEREST,
        recipients=(HOSTING, COURT, CHILDREN, Recipient.TRANSLATION),
        keep=While(
            "the report waits, 30 days at most; then 3 days where nothing is done, else 30 days, or as long as a ban lasts, 120 days at most",
            longest=150 * 86_400,
        ),
        places=(
            *(Column(f"evidence.{name}") for name in ("side", "kind", "made", "until")),
            Column("evidence.excerpt", "sealed"),
            ObjectPrefix("evidence/"),
            Memory("reports", 600),
        ),
        export=Export.FACT,
        delete=NAMED,
        hold=True,
        rare="only when somebody reported",
    ),
    Item(
        key="case_comment",
        title="comments on a case",
        categories=(F,),
        what=(
            "What operators wrote to each other about your case (encrypted), when, who wrote it and to whom the case was passed on"
        ),
        sources=(OPERATOR,),
        purposes=(SAFETY, RULES),
        basis=Basis.INTEREST,
        recipients=(HOSTING, POLICE, COURT),
        keep=Days(DEFAULT_DAYS, after="case_comment.at"),
        places=(
            *(Column(f"case_comment.{name}") for name in ("at", "by", "passed_to")),
            Column("case_comment.text", "sealed"),
        ),
        export=Export.FACT,
        delete=NAMED,
        hold=True,
        rare="only when somebody was reported",
    ),
    Item(
        key="snap",
        title="pictures kept with a report",
        categories=(H,),
        what=(
            "Small still pictures of your camera in a video chat that somebody reported, or in which a program found nudity, two browsers"
            " that show different scenes, or a picture of a list of known abuse material: as the other person's browser saw it, and as"
            " yours says it is. And the last pictures that you sent in such a chat. Encrypted. Which entry of such a list one is like"
        ),
        sources=(PERSON, OTHER),
        purposes=(SAFETY, RULES, LEGAL),
        basis=Basis.INTEREST,
        recipients=(HOSTING, POLICE, COURT, CHILDREN),
        keep=While(
            "the report waits, 30 days at most; then 3 days where nothing is done, else 120 days",
            longest=150 * 86_400,
        ),
        places=(
            Column("evidence.subject"),
            Column("evidence.listed"),
            ObjectPrefix("snaps/"),
            ObjectPrefix("child/"),
            Memory("reports", 600),
        ),
        export=Export.OWN,
        delete=NAMED,
        hold=True,
        rare="only when somebody reported",
        needs="pictures.kept",
    ),
    Item(
        key="ban",
        categories=(A, F),
        what=(
            "That you, or your network, may not use the service: since when, until when, by which rule, whose decision it was, and"
            " what the operator wrote to you (encrypted). You and the network as keyed hashes. A ban for good stays until it is lifted"
        ),
        sources=(OPERATOR,),
        purposes=(SAFETY, RULES),
        basis=Basis.INTEREST,
        recipients=(HOSTING, POLICE, COURT),
        keep=Days(DEFAULT_DAYS, after="ban.until"),
        places=(
            Column("ban.mac", "keyed"),
            Column("ban.appeal", "keyed"),
            Column("ban.words", "sealed"),
            *(
                Column(f"ban.{name}")
                for name in ("kind", "since", "until", "rule", "measure", "decided_by", "lifted", "changed")
            ),
            COPIES,
            Memory("bans", 36_500 * 86_400),
        ),
        export=Export.OWN,
        delete=NAMED,
        hold=True,
        rare="only when somebody was banned",
    ),
    Item(
        key="notice",
        categories=(A, F),
        what=(
            "That you were warned: when, by which rule, by whose decision, what the operator wrote to you (encrypted), and that you read"
            " it. Who you are (a keyed hash of the identity);"
            " without a cookie that is not kept, and the session is known in memory only. The hash of the address at which you can appeal"
        ),
        sources=(OPERATOR,),
        purposes=(SAFETY, RULES),
        basis=Basis.INTEREST,
        recipients=(HOSTING, POLICE, COURT),
        keep=Days(DEFAULT_DAYS, after="notice.since"),
        places=(
            Column("notice.mac", "keyed"),
            Column("notice.appeal", "keyed"),
            Column("notice.words", "sealed"),
            *(
                Column(f"notice.{name}")
                for name in ("kind", "rule", "since", "by", "decided_by", "seen", "lifted", "changed")
            ),
            COPIES,
            Memory("notices", DEFAULT_DAYS * 86_400),
        ),
        export=Export.OWN,
        delete=NAMED,
        subject="notice.mac",
        hold=True,
        rare="only when somebody was warned",
    ),
    Item(
        key="appeal",
        categories=(F, L),
        what="What you wrote against a ban or a warning, and our answer: encrypted",
        sources=(PERSON, OPERATOR),
        purposes=(RULES, LEGAL),
        basis=Basis.LAW,
        recipients=(HOSTING, COURT),
        keep=Days(DEFAULT_DAYS, after="appeal.closed"),
        places=(
            *(Column(f"appeal.{name}") for name in ("at", "state", "decided_by", "closed", "network")),
            Column("appeal.text", "sealed"),
            Column("appeal.answer", "sealed"),
            COPIES,
        ),
        export=Export.OWN,
        delete=NAMED,
        hold=True,
        rare="only when somebody appealed",
    ),
    Item(
        key="law_notice",
        title="notice to us",
        categories=(A, F),
        what=(
            "What you told us without an account: when, about what kind of thing; where it was, your words and how to reach you,"
            " if you said so, encrypted; the hash of the address at which you read what came of it, and our answer. Nothing of your"
            " connection. What nobody decides within 60 days is closed, and says so"
        ),
        sources=(PERSON, OPERATOR),
        purposes=(SAFETY, RULES, LEGAL),
        basis=Basis.LAW,
        recipients=(HOSTING, COURT),
        keep=Days(DEFAULT_DAYS, after="law_notice.closed"),
        places=(
            *(Column(f"law_notice.{name}") for name in ("at", "kind", "state", "decided_by", "closed")),
            *(Column(f"law_notice.{name}", "sealed") for name in ("about", "text", "contact", "answer")),
            Column("law_notice.receipt", "keyed"),
        ),
        export=Export.NOT_LINKED,
        delete=Delete(False, "nothing links it to you; it goes by itself after the decision"),
        rare="only when somebody told us something",
    ),
)
