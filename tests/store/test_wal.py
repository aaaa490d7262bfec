"""SQLite's write-ahead log stays small, also while somebody writes all the time."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from .conftest import Kit

ROW = 4_000  # bytes: a page
MOST = 4_000_000  # bytes of WAL: 60 written between two rounds, several times over


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_the_wal_begins_anew_though_somebody_writes_all_the_time(kit: Kit) -> None:
    wal = kit.database.path.with_name(kit.database.path.name + "-wal")
    written, over = 0, asyncio.Event()
    async with kit.database.write() as connection:
        await connection.execute(text("CREATE TABLE filler (body BLOB)"))

    async def write() -> None:
        nonlocal written
        while not over.is_set():
            async with kit.database.write() as connection:
                await connection.execute(text("INSERT INTO filler VALUES (zeroblob(:size))"), {"size": ROW})
            written += ROW

    writer = asyncio.create_task(write())
    for rounds in range(1, 41):
        while written < rounds * 60 * ROW and not writer.done():
            await asyncio.sleep(0)
        await kit.database.tidy()
    over.set()
    await writer
    assert written >= 40 * 60 * ROW
    assert wal.stat().st_size < MOST
