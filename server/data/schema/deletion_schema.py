"""The tables of people's rights. Rule: whoever asked stands there as a keyed value of its own domain, which joins with no other table.

`deletion` is what somebody asked for; `erased` names the rows that it hides, and later takes, by the values under which they are stored.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table

from server.data.schema.chat_schema import metadata, nobody, pd

# kind: delete; restrict, object: hidden and kept; replay: the erasure list found it again after a restore
deletion = Table(
    "deletion",
    metadata,
    Column("number", String(13), primary_key=True, info=pd("deletion")),
    Column("who", LargeBinary(17), info=pd("deletion")),
    Column("kind", String(8), nullable=False, info=pd("deletion")),
    Column("records", Boolean, nullable=False, info=pd("deletion")),
    Column("logs", Boolean, nullable=False, info=pd("deletion")),
    Column("asked", BigInteger, nullable=False, info=pd("deletion")),
    Column("due", BigInteger, nullable=False, info=pd("deletion")),
    Column("done", BigInteger, info=pd("deletion")),
    Column("statement", String(16), nullable=False, info=nobody("the version of the statement at that time")),
    Column("hold", Integer, info=nobody("the number of the hold that keeps what is restricted")),
    Index("ix_deletion_who", "who"),
    Index("ix_deletion_asked", "asked"),
    Index("ix_deletion_due", "due"),
)

OBJECTED = "objected"  # the kind of a request whose objection was granted: what it is about goes

# Rows stored under `value` of what ended, was saved or was reported until `before` (Unix seconds, that second too).
erased = Table(
    "erased",
    metadata,
    Column("value", LargeBinary(17), primary_key=True, info=pd("erased")),
    Column("number", String(13), primary_key=True, info=pd("erased")),
    Column("before", BigInteger, nullable=False, info=pd("erased")),
    Index("ix_erased_number", "number"),
)
