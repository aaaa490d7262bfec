"""The tables of what moderation tells and hears in public. Rule: a notice is its writer's alone; what is published is a count of a month.

A notice has no identity and no address: who wrote it is known by what they say of themselves, and by the secret of its receipt.
`month_figure` holds no row of anybody: whoever was counted may be gone from all other tables when a month is published.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table

from server.data.schema.chat_schema import metadata, nobody, pd

law_notice = Table(
    "law_notice",
    metadata,
    Column("id", LargeBinary(16), primary_key=True, info=nobody("random")),
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

month_figure = Table(
    "month_figure",
    metadata,
    Column("month", String(7), primary_key=True, info=nobody("a month, as 2026-11; empty: until when all is counted")),
    Column("name", String(48), primary_key=True, info=nobody("what is counted, one of a fixed list of words")),
    Column("count", BigInteger, nullable=False, info=nobody("how often it happened in that month")),
)
