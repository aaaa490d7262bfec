"""Define the tables of the disclosure ledger: `disclosure` has its lines, `disclosure_subject` the persons whom lines concern.

**Invariant:** a row of `disclosure` is never changed or deleted; triggers of the database refuse it. A line names a person by a salted hash alone:
without the row in `disclosure_subject`, which is deleted after its time, the hash says nothing.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table

from server.data.schema.record_schema import metadata, not_personal, pd

NUMBER = not_personal("the number of a line of the ledger, from 1")

# phase: intent, done, failed, refused. intent: the line whose outcome this one is. law_order: the number of the order that was answered
disclosure = Table(
    "disclosure",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False, info=NUMBER),
    Column("prev", LargeBinary(32), nullable=False, info=not_personal("the hash of the line before")),
    Column("at", BigInteger, nullable=False, info=pd("disclosure")),
    Column("phase", String(8), nullable=False, info=pd("disclosure")),
    Column("intent", BigInteger, info=NUMBER),
    Column("what", String(8), nullable=False, info=pd("disclosure")),
    Column("recipient", String(120), nullable=False, info=pd("disclosure")),
    Column("basis", String(40), nullable=False, info=pd("disclosure")),
    Column("categories", String(40), nullable=False, info=pd("disclosure")),
    Column("count", BigInteger, nullable=False, info=pd("disclosure")),
    Column("who", LargeBinary(32), info=pd("disclosure")),
    Column("request", String(13), info=not_personal("random number of the request")),
    Column("law_order", String(13), info=not_personal("random number of the order")),
    Column("reveal_after", BigInteger, nullable=False, info=pd("disclosure")),
    Index("ix_disclosure_intent", "intent"),
    Index("ix_disclosure_at", "at"),
)

# since: the time of the line, or the end of the secrecy that a law or a court ordered for it
disclosure_subject = Table(
    "disclosure_subject",
    metadata,
    Column("line", BigInteger, primary_key=True, autoincrement=False, info=NUMBER),
    Column("since", BigInteger, nullable=False, info=pd("disclosure_subject")),
    Column("salt", LargeBinary(16), nullable=False, info=not_personal("random")),
    Column("who", LargeBinary(17), nullable=False, info=pd("disclosure_subject")),
    Index("ix_disclosure_subject_who", "who"),
    Index("ix_disclosure_subject_since", "since"),
)
