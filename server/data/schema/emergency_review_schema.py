"""Define the table of emergency reviews: disclosures for which no second operator was waited, or for which a law asks a review afterwards.

**Invariant:** a row names operators, never the person whom the disclosure was about.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary, String, Table

from server.data.schema.record_schema import metadata, not_personal, pd

# subject: the case's id, or the order's number; what: the action; verdict: lawful or unlawful, NULL before the review
emergency_review = Table(
    "emergency_review",
    metadata,
    Column("number", String(13), primary_key=True, info=not_personal("random number of the review")),
    Column("subject", LargeBinary(64), nullable=False, info=not_personal("random id of what it is about, as a case's")),
    Column("what", String(16), nullable=False, info=pd("emergency_review")),
    Column("at", BigInteger, nullable=False, info=pd("emergency_review")),
    Column("by", String(64), nullable=False, info=pd("emergency_review")),
    Column("reviewed", BigInteger, info=pd("emergency_review")),
    Column("reviewed_by", String(64), info=pd("emergency_review")),
    Column("verdict", String(8), info=pd("emergency_review")),
    Column("finding", String(500), nullable=False, info=pd("emergency_review")),
    Index("ix_emergency_review_at", "at"),
)
