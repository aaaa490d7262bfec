"""Find the outcome of a report by the secret in its receipt URL (`/report/…`): 128 random bits, of which the store has only the keyed hash.

**Invariant:** the outcome has nothing about the other user, and a wrong secret gets the same answer as that of a report that
is no longer stored.
"""

from __future__ import annotations

import time

from sqlalchemy import select

from server.data.database.database import Database
from server.data.keys.pseudonyms import Pseudonyms
from server.data.schema.hidden_row_conditions import shown_case
from server.data.schema.moderation_schema import report
from server.trust.cases.report_cases import RECEIPT
from server.trust.moderation_protocol import Receipt

RECEIVED = "received"


async def find(database: Database, pseudonyms: Pseudonyms, receipt: bytes) -> Receipt | None:
    """Return the outcome of a report, or None if there is no such receipt. Raises StoreAway."""
    hashed = pseudonyms.secret_hash(RECEIPT, receipt)
    wanted = select(report.c.at, report.c.outcome, report.c.closed).where(
        report.c.receipt == hashed,
        shown_case(int(time.time()), report.c.identity, report.c.at, report.c.case),
    )
    async with database.read() as connection:
        row = (await connection.execute(wanted)).first()
    if row is None:
        return None
    return Receipt(row.outcome or RECEIVED, row.at, row.closed)
