"""Define the table of legal orders: demands of authorities for data, and orders to preserve it.

**Invariant:** the person whom an order names is sealed, and no keyed value of that person is in the row.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table

from server.data.schema.record_schema import metadata, not_personal, pd

# asked: the categories that the order names; since, until: the time that it is about; ends: from when the row is kept for two years more
law_order = Table(
    "law_order",
    metadata,
    Column("number", String(13), primary_key=True, info=not_personal("random number of the order")),
    Column("kind", String(16), nullable=False, info=pd("law_order")),
    Column("authority", String(120), nullable=False, info=pd("law_order")),
    Column("country", String(2), nullable=False, info=pd("law_order")),
    Column("received", BigInteger, nullable=False, info=pd("law_order")),
    Column("due", BigInteger, nullable=False, info=pd("law_order")),
    Column("gag_until", BigInteger, info=pd("law_order")),
    Column("asked", String(40), nullable=False, info=pd("law_order")),
    Column("since", BigInteger, info=pd("law_order")),
    Column("until", BigInteger, info=pd("law_order")),
    Column("selector", LargeBinary(160), nullable=False, info=pd("law_order")),
    Column("paper", LargeBinary(8200), nullable=False, info=pd("law_order")),
    Column("age_key", String(120), nullable=False, info=not_personal("the public key of an authority")),
    Column("hold", Integer, info=not_personal("the number of the hold that keeps what the order names")),
    Column("state", String(8), nullable=False, info=pd("law_order")),
    Column("decided", BigInteger, info=pd("law_order")),
    Column("why", String(500), nullable=False, info=pd("law_order")),
    Column("ends", BigInteger, info=pd("law_order")),
    Index("ix_law_order_state", "state", "due"),
    Index("ix_law_order_ends", "ends"),
)
