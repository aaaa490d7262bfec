"""SQLite's write-ahead log stays small, also while somebody writes all the time."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from .conftest import Kit

ROW = 4_000  # bytes: a page
WRITES = 60  # of a row each, beside a checkpoint; each is three pages of WAL or so
MOST = 5_000_000  # bytes of WAL: several times what comes between two checkpoints


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_the_wal_begins_anew_though_somebody_writes_all_the_time(kit: Kit) -> None:
    wal = kit.database.path.with_name(kit.database.path.name + "-wal")
    async with kit.database.write() as connection:
        await connection.execute(text("CREATE TABLE filler (body BLOB)"))

    async def write() -> None:
        for _ in range(WRITES):
            async with kit.database.write() as connection:
                await connection.execute(text("INSERT INTO filler VALUES (zeroblob(:size))"), {"size": ROW})

    for _ in range(40):
        await asyncio.gather(write(), kit.database.tidy())
    assert kit.database.path.stat().st_size > 40 * WRITES * ROW
    assert wal.stat().st_size < MOST
