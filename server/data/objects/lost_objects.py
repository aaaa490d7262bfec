"""Estimate how many objects the object store has lost: a sample of the rows that name one, and whether each is there.

A bucket that was emptied, or another one in its place, breaks nothing at once: backups go on without the objects, until the last archive that has
them is too old.
"""

from __future__ import annotations

import secrets
from typing import Final, NamedTuple

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.database.database import Database
from server.data.objects.object_store import Objects
from server.data.schema.moderation_schema import evidence
from server.data.schema.record_schema import log

SAMPLE: Final = 40  # rows of each table
NAMING: Final = (log, evidence)  # tables whose rows name objects


class Sample(NamedTuple):
    """Numbers of the rows that were looked at, and of those whose object is lost."""

    rows: int
    lost: int

    @property
    def share(self) -> float:
        """Lost objects, of one."""
        return self.lost / self.rows if self.rows else 0.0


async def sample(database: Database, objects: Objects) -> Sample:
    """Look at SAMPLE rows of each table, from a random place on. Raises StoreAway, ObjectsAway."""
    names: list[str] = []
    async with database.read() as connection:
        for table in NAMING:
            names += await _names(connection, table)
    gone = [name for name in names if not await objects.exists(name)]
    lost = 0
    async with database.read() as connection:  # a row that was deleted meanwhile has lost nothing
        for table in NAMING:
            named = await connection.execute(select(table.c.object).where(table.c.object.in_(gone)))
            lost += len(named.all())
    return Sample(len(names), lost)


async def _names(connection: AsyncConnection, table: Table) -> list[str]:
    """Return the objects of some rows that follow each other in the order of their ids."""
    ends = [
        (await connection.execute(select(table.c.id).order_by(order).limit(1))).scalar()
        for order in (table.c.id, table.c.id.desc())
    ]
    first, last = ends
    if first is None or last is None:
        return []
    low, high = int.from_bytes(first), int.from_bytes(last)
    start = (low + secrets.randbelow(high - low + 1)).to_bytes(len(first))
    ordered = select(table.c.object).order_by(table.c.id)
    found = list((await connection.execute(ordered.where(table.c.id >= start).limit(SAMPLE))).scalars())
    if len(found) < SAMPLE:
        before = ordered.where(table.c.id < start).limit(SAMPLE - len(found))
        found += (await connection.execute(before)).scalars()
    return found
