"""SQLite's write-ahead log stays small, also while somebody writes all the time."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from server.data.database import database
from tests.server.data.conftest import Kit, ended

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
        await asyncio.gather(write(), kit.database.move_wal())
    assert kit.database.path.stat().st_size > 40 * WRITES * ROW
    assert wal.stat().st_size < MOST


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_who_closes_waits_for_a_tidying_that_has_begun(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "TIDY", 0.0)
    begun, done = asyncio.Event(), []
    real = kit.database.move_wal

    async def move_wal() -> bool:
        begun.set()
        done.append(await real())
        return done[-1]

    monkeypatch.setattr(kit.database, "move_wal", move_wal)
    await kit.write(ended())
    await begun.wait()
    await kit.database.close()
    assert done == [True]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_who_closes_does_not_wait_for_one_that_is_due_later(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "TIDY", 3600.0)
    await kit.write(ended())
    async with asyncio.timeout(20):
        await kit.database.close()
