"""Create, list and detach the daily PostgreSQL partitions of the tables `chat` and `party`.

**Invariant:** a day's partition exists before the first row of that day, and is dropped whole. Only the purge (`server.data.retention.purge`) drops
a detached partition, after it has copied the rows under a legal hold.
"""

from __future__ import annotations

import datetime
import re

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.database.database import Database
from server.data.schema.chat_id_format import DAY, bound
from server.data.schema.record_schema import DAILY

NAME = re.compile(r"^(chat|party)_(\d{8})$")


def name_of(table: str, day: int) -> str:
    """Return the name of a day's partition: `chat_20261124`."""
    return f"{table}_{datetime.datetime.fromtimestamp(day * DAY, datetime.UTC):%Y%m%d}"


def day_in(name: str) -> int | None:
    """Return the day number in a partition's name, or None for another table."""
    match = NAME.match(name)
    if match is None:
        return None
    return int(datetime.datetime.fromisoformat(f"{match[2]}T00:00:00Z").timestamp()) // DAY


async def ensure(connection: AsyncConnection, day: int) -> None:
    """Create both partitions of a day. Cheap if they exist; two concurrent callers wait for each other."""
    low, high = bound(day * DAY).hex(), bound((day + 1) * DAY).hex()
    await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": 0x5E7E0D20})
    for table in DAILY:
        statement = (
            f"CREATE TABLE IF NOT EXISTS {name_of(table.name, day)} PARTITION OF {table.name}"
            f" FOR VALUES FROM ('\\x{low}') TO ('\\x{high}')"
        )
        await connection.exec_driver_sql(statement)


async def existing(connection: AsyncConnection) -> list[tuple[str, int, bool]]:
    """Return (name, day, pending or already detached) of every daily table, oldest first."""
    rows = await connection.execute(
        text(
            "SELECT c.relname, COALESCE(i.inhdetachpending, true) FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid"
            " WHERE c.relkind = 'r' AND c.relname ~ '^(chat|party)_[0-9]{8}$' ORDER BY c.relname"
        )
    )
    found = [(str(name), day_in(str(name)), bool(pending)) for name, pending in rows]
    return sorted(
        ((name, day, pending) for name, day, pending in found if day is not None), key=lambda row: (row[1], row[0])
    )


async def detach(database: Database, name: str) -> None:
    """Detach a day without stopping the service; continues a detach that a crash interrupted. Idempotent.

    DETACH … CONCURRENTLY takes no lock that stops the service and runs outside a transaction; a crash leaves the partition "pending", which FINALIZE
    completes. There is no DEFAULT partition, because it would forbid the concurrent detach.
    """
    if NAME.match(name) is None:
        raise ValueError(f"{name!r} is not a daily partition")
    table = name.rpartition("_")[0]
    async with database.autocommit() as connection:
        row = (
            await connection.execute(
                text(
                    "SELECT i.inhdetachpending FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid WHERE c.relname = :name"
                ),
                {"name": name},
            )
        ).first()
        if row is not None:
            how = "FINALIZE" if row[0] else "CONCURRENTLY"
            await connection.exec_driver_sql(f"ALTER TABLE {table} DETACH PARTITION {name} {how}")
