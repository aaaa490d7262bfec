"""Define the tables of notices about illegal content, and of the counts of moderation and of use that are published each month.

**Invariant:** neither table identifies a user. The public page shows a notice only to a person who has the secret of its receipt. A month's counts
stay when the counted rows are deleted.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table

from server.data.schema.record_schema import metadata, not_personal, pd

law_notice = Table(
    "law_notice",
    metadata,
    Column("id", LargeBinary(16), primary_key=True, info=not_personal("random")),
    Column("at", BigInteger, nullable=False, info=pd("law_notice")),
    Column("kind", String(8), nullable=False, info=pd("law_notice")),
    Column("about", LargeBinary(1300), info=pd("law_notice")),
    Column("text", LargeBinary(8100), nullable=False, info=pd("law_notice")),
    Column("contact", LargeBinary(1100), info=pd("law_notice")),
    Column("receipt", LargeBinary(16), nullable=False, unique=True, info=pd("law_notice")),
    Column("state", String(8), nullable=False, info=pd("law_notice")),
    Column("decided_by", String(64), info=pd("law_notice")),
    Column("answer", LargeBinary(4100), info=pd("law_notice")),
    Column("closed", BigInteger, info=pd("law_notice")),
    Index("ix_law_notice_state", "state", "at"),
    Index("ix_law_notice_closed", "closed"),
)

CHATS = "chats/"  # begin of the names of figures of use (`server.data.statistics`); the others are of moderation
month_figure = Table(
    "month_figure",
    metadata,
    Column(
        "month", String(7), primary_key=True, info=not_personal("a month, as 2026-11; empty: until when all is counted")
    ),
    Column("name", String(48), primary_key=True, info=not_personal("what is counted, one of a fixed list of words")),
    Column("count", BigInteger, nullable=False, info=not_personal("how often it happened in that month")),
)
