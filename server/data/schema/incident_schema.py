"""Define the table of incidents: breaches of personal data, as this service publishes them.

**Invariant:** a row is about no single person; its words are public.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, String, Table

from server.data.schema.record_schema import metadata, not_personal

PUBLIC = not_personal("about an incident, as it is published; names no one")

# aware: from when the 72 hours run; notified: when the authority was told; why: the reason if it was not; line: of the disclosure ledger
incident = Table(
    "incident",
    metadata,
    Column("number", String(13), primary_key=True, info=PUBLIC),
    Column("aware", BigInteger, nullable=False, info=PUBLIC),
    Column("opened", BigInteger, nullable=False, info=PUBLIC),
    Column("notified", BigInteger, info=PUBLIC),
    Column("closed", BigInteger, info=PUBLIC),
    Column("authority", String(120), nullable=False, info=PUBLIC),
    Column("categories", String(40), nullable=False, info=PUBLIC),
    Column("people", BigInteger, nullable=False, info=PUBLIC),
    Column("words", String(2000), nullable=False, info=PUBLIC),
    Column("why", String(500), nullable=False, info=PUBLIC),
    Column("line", BigInteger, nullable=False, info=PUBLIC),
    Index("ix_incident_closed", "closed"),
)
