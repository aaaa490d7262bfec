"""Define the tables of deletion requests: `deletion` has the requests, `erased` the values under which the rows to delete are stored,
`deletion_notice` the recipients of the data and whether they were told.

**Invariant:** the requester is a keyed hash that cannot be joined with another table.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, SmallInteger, String, Table

from server.data.schema.record_schema import metadata, not_personal, pd

# kind: delete; restrict, object: hidden and kept; replay: found again by the erasure list after a restore
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
    Column("statement", String(16), nullable=False, info=not_personal("the version of the statement at that time")),
    Column("hold", Integer, info=not_personal("the number of the hold that keeps what is restricted")),
    Index("ix_deletion_who", "who"),
    Index("ix_deletion_asked", "asked"),
    Index("ix_deletion_due", "due"),
)

OBJECTED = "objected"  # the kind of a request whose objection was granted: its rows are deleted

# Rows stored under `value` that ended, were saved or reported until `before` (Unix seconds, inclusive).
erased = Table(
    "erased",
    metadata,
    Column("value", LargeBinary(17), primary_key=True, info=pd("erased")),
    Column("number", String(13), primary_key=True, info=pd("erased")),
    Column("before", BigInteger, nullable=False, info=pd("erased")),
    Index("ix_erased_number", "number"),
)

# state: waiting, refused (both are tried again at `next`); told, failed, nothing, untold, by_us, contract. `began`: the removal, `at`: the state's
# time. `line`: the intent in the disclosure ledger; `known`: the addresses to tell, encrypted, until the end.
deletion_notice = Table(
    "deletion_notice",
    metadata,
    Column("number", String(13), primary_key=True, info=pd("deletion_notice")),
    Column("recipient", String(200), primary_key=True, info=pd("deletion_notice")),
    Column("state", String(8), nullable=False, info=pd("deletion_notice")),
    Column("tries", SmallInteger, nullable=False, info=pd("deletion_notice")),
    Column("began", BigInteger, nullable=False, info=pd("deletion_notice")),
    Column("at", BigInteger, nullable=False, info=pd("deletion_notice")),
    Column("next", BigInteger, info=pd("deletion_notice")),
    Column("line", BigInteger, info=not_personal("the number of a line of the ledger")),
    Column("known", LargeBinary(65_000), info=pd("deletion_address")),
    Index("ix_deletion_notice_next", "next"),
    Index("ix_deletion_notice_at", "at"),
)
