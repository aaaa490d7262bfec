"""Define the tables of moderation: reports, cases, evidence, bans, warnings, appeals.

**Invariant:** a row is about one person; reporters, reported and banned persons are keyed hashes only.

    report ── case ── case_subject          one case is about one person; many may report them
                │
                ├── case_comment            what moderators wrote to each other about it
                ├── evidence ─▷ object      the server's own text of the chat, and pictures of it, each encrypted under its own key
                ├── ban ── appeal
                └── notice ── appeal        a warning, read before the next search

Columns of `case`: `closed` is the time of the decision (rows are deleted 120 days later); `claimed_by` has the case until `claimed_until`; `due`
orders the queue, smallest first: the time of opening, less ten minutes per point of priority; `child` is the time since which the case contains
apparent abuse material; `second_asked` is the time since which a decided case waits for a second review, and the four columns after it hold the
second operator's decision; `passed_to` is the moderator (`ada`) or role (`@lead`) that the case is reserved for; `batch` is common to cases that
were decided together.

Columns of other tables: `until` of evidence is its own time of deletion; `subject` of a picture says whether it shows the camera of the reported
person; `excerpt` is a few words of the text, for lists; `listed` names the entry of a list of known abuse material that the picture resembles;
`network` marks the appeal of a user who is refused only because of their network.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, SmallInteger, String, Table, false

from server.data.schema.record_schema import metadata, not_personal, pd

RANDOM = not_personal("random")
OPEN = "open"  # the state of an undecided case

case = Table(
    "case",
    metadata,
    Column("id", LargeBinary(16), primary_key=True, info=RANDOM),
    Column("queue", String(8), nullable=False, info=pd("case")),
    Column("state", String(8), nullable=False, info=pd("case")),
    Column("mode", String(8), nullable=False, info=pd("case")),
    Column("opened", BigInteger, nullable=False, info=pd("case")),
    Column("reasons", String(80), nullable=False, info=pd("case")),
    Column("priority", Integer, nullable=False, info=pd("case")),
    Column("due", BigInteger, nullable=False, server_default="0", info=pd("case")),
    Column("claimed_by", String(64), info=pd("case")),
    Column("claimed_until", BigInteger, info=pd("case")),
    Column("decided_by", String(64), info=pd("case")),
    Column("measure", String(8), info=pd("case")),
    Column("rule", String(4), info=pd("case")),
    Column("machine", Boolean, nullable=False, info=pd("case")),
    Column("closed", BigInteger, info=pd("case")),
    Column("child", BigInteger, info=pd("case")),
    Column("second_asked", BigInteger, info=pd("case")),
    Column("second_by", String(64), info=pd("case")),
    Column("second_measure", String(8), info=pd("case")),
    Column("second_rule", String(4), info=pd("case")),
    Column("second_at", BigInteger, info=pd("case")),
    Column("passed_to", String(40), info=pd("case")),
    Column("batch", LargeBinary(16), info=RANDOM),
    Index("ix_case_state", "state", "queue", "due"),
    Index("ix_case_opened", "opened"),
    Index("ix_case_closed", "closed"),
    Index("ix_case_decided_by", "decided_by", "closed"),
)

case_subject = Table(
    "case_subject",
    metadata,
    Column("case", LargeBinary(16), primary_key=True, info=not_personal("random id of the case")),
    Column("identity", LargeBinary(17), info=pd("case_subject")),
    Column("address", LargeBinary(80), info=pd("case_subject")),
    Column("network", LargeBinary(17), info=pd("case_subject")),
    Column("country", String(2), info=pd("case_subject")),
    Column("closed", BigInteger, info=pd("case_subject")),
    Index("ix_case_subject_identity", "identity"),
    Index("ix_case_subject_network", "network"),
    Index("ix_case_subject_closed", "closed"),
)

report = Table(
    "report",
    metadata,
    Column("id", LargeBinary(16), primary_key=True, info=RANDOM),
    Column("case", LargeBinary(16), nullable=False, info=not_personal("random id of the case")),
    Column("at", BigInteger, nullable=False, info=pd("report")),
    Column("reason", String(8), nullable=False, info=pd("report")),
    Column("identity", LargeBinary(17), info=pd("report")),
    Column("note", LargeBinary(4200), info=pd("report")),
    Column("receipt", LargeBinary(16), nullable=False, unique=True, info=pd("report")),
    Column("outcome", String(8), info=pd("report")),
    Column("closed", BigInteger, info=pd("report")),
    Index("ix_report_case", "case"),
    Index("ix_report_identity", "identity"),
    Index("ix_report_closed", "closed"),
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", LargeBinary(16), primary_key=True, info=not_personal("time, for the order of one second, and random")),
    Column("case", LargeBinary(16), nullable=False, info=not_personal("random id of the case")),
    Column("side", SmallInteger, nullable=False, info=pd("evidence")),
    Column("kind", String(8), nullable=False, info=pd("evidence")),
    Column("object", String(64), nullable=False, info=not_personal("random name")),
    Column("object_key", LargeBinary(80), nullable=False, info=not_personal("random key, wrapped")),
    Column("made", BigInteger, nullable=False, info=pd("evidence")),
    Column("until", BigInteger, info=pd("evidence")),
    Column("subject", Boolean, info=pd("snap")),
    Column("listed", String(128), info=pd("snap")),
    Column("excerpt", LargeBinary(2600), info=pd("evidence")),
    Index("ix_evidence_case", "case"),
    Index("ix_evidence_until", "until"),
)

case_comment = Table(
    "case_comment",
    metadata,
    Column("id", LargeBinary(16), primary_key=True, info=not_personal("time, for the order of one second, and random")),
    Column("case", LargeBinary(16), nullable=False, info=not_personal("random id of the case")),
    Column("at", BigInteger, nullable=False, info=pd("case_comment")),
    Column("by", String(64), nullable=False, info=pd("case_comment")),
    Column("passed_to", String(40), info=pd("case_comment")),
    Column("text", LargeBinary(2200), info=pd("case_comment")),
    Index("ix_case_comment_case", "case", "at"),
    Index("ix_case_comment_at", "at"),
)

ban = Table(
    "ban",
    metadata,
    Column("id", LargeBinary(16), primary_key=True, info=RANDOM),
    Column("kind", String(8), nullable=False, info=pd("ban")),
    Column("mac", LargeBinary(17), nullable=False, info=pd("ban")),
    Column("since", BigInteger, nullable=False, info=pd("ban")),
    Column("until", BigInteger, nullable=False, info=pd("ban")),
    Column("rule", String(4), nullable=False, info=pd("ban")),
    Column("case", LargeBinary(16), nullable=False, info=not_personal("random id of the case")),
    Column("appeal", LargeBinary(16), nullable=False, info=pd("ban")),
    Column("measure", String(8), nullable=False, server_default="ban", info=pd("ban")),
    Column("decided_by", String(64), info=pd("ban")),
    Column("words", LargeBinary(1400), info=pd("ban")),
    Column("lifted", BigInteger, info=pd("ban")),
    Column("changed", BigInteger, nullable=False, info=pd("ban")),
    Index("ix_ban_case", "case"),
    Index("ix_ban_mac", "mac"),
    Index("ix_ban_appeal", "appeal"),
    Index("ix_ban_changed", "changed"),
    Index("ix_ban_until", "until"),
)

notice = Table(
    "notice",
    metadata,
    Column("id", LargeBinary(16), primary_key=True, info=RANDOM),
    Column("mac", LargeBinary(17), info=pd("notice")),
    Column("kind", String(8), nullable=False, info=pd("notice")),
    Column("rule", String(4), nullable=False, info=pd("notice")),
    Column("since", BigInteger, nullable=False, info=pd("notice")),
    Column("by", String(8), nullable=False, info=pd("notice")),
    Column("case", LargeBinary(16), nullable=False, info=not_personal("random id of the case")),
    Column("appeal", LargeBinary(16), nullable=False, info=pd("notice")),
    Column("seen", BigInteger, info=pd("notice")),
    Column("decided_by", String(64), info=pd("notice")),
    Column("words", LargeBinary(1400), info=pd("notice")),
    Column("lifted", BigInteger, info=pd("notice")),
    Column("changed", BigInteger, nullable=False, info=pd("notice")),
    Index("ix_notice_case", "case"),
    Index("ix_notice_appeal", "appeal"),
    Index("ix_notice_changed", "changed"),
    Index("ix_notice_since", "since"),
)

appeal = Table(
    "appeal",
    metadata,
    Column("id", LargeBinary(16), primary_key=True, info=RANDOM),
    Column("case", LargeBinary(16), nullable=False, info=not_personal("random id of the case")),
    Column("at", BigInteger, nullable=False, info=pd("appeal")),
    Column("text", LargeBinary(4200), info=pd("appeal")),
    Column("state", String(8), nullable=False, info=pd("appeal")),
    Column("decided_by", String(64), info=pd("appeal")),
    Column("answer", LargeBinary(1400), info=pd("appeal")),
    Column("closed", BigInteger, info=pd("appeal")),
    Column("network", Boolean, nullable=False, server_default=false(), info=pd("appeal")),
    Index("ix_appeal_case", "case"),
    Index("ix_appeal_closed", "closed"),
)
