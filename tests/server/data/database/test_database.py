"""The driver's connections: one that is given up while it is opened is closed all the same."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from server.data.database.database import Database
from server.data.errors import StoreAway


class Opening:
    """As `sqlite3.connect`, but it waits in the driver's thread until it may go on."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()
        self.made: list[sqlite3.Connection] = []
        self._connect = sqlite3.connect

    def __call__(self, *place: Any, **how: Any) -> sqlite3.Connection:
        self.begun.set()
        assert self.go.wait(20)
        self.made.append(self._connect(*place, **how))
        return self.made[-1]


async def read(database: Database) -> None:
    async with database.read():
        raise AssertionError("nobody is to come here")


async def test_who_gives_up_while_it_connects_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening = Opening()
    monkeypatch.setattr(sqlite3, "connect", opening)
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}", data=tmp_path)
    asked = asyncio.create_task(read(database))
    await asyncio.to_thread(opening.begun.wait)
    asked.cancel()
    await asyncio.sleep(0)  # it hears of it before the connection is there
    opening.go.set()
    with pytest.raises(asyncio.CancelledError):
        await asked
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opening.made[0].execute("SELECT 1")
    assert [thread.name for thread in database._threads if thread.is_alive()] == []
    await database.close()


async def test_who_is_told_twice_to_give_up_leaves_nothing_open_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening = Opening()
    monkeypatch.setattr(sqlite3, "connect", opening)
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'serendip.db'}", data=tmp_path)
    asked = asyncio.create_task(read(database))
    await asyncio.to_thread(opening.begun.wait)
    for _ in range(2):
        asked.cancel()
        for _ in range(3):  # turns of the loop until it waits again
            await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await asked
    opening.go.set()
    await database.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opening.made[0].execute("SELECT 1")
    assert [thread.name for thread in database._threads if thread.is_alive()] == []


async def test_a_database_that_cannot_be_opened_leaves_no_thread(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'never' / 'serendip.db'}", data=tmp_path)
    with pytest.raises(StoreAway):
        await read(database)
    assert [thread.name for thread in database._threads if thread.is_alive()] == []
    await database.close()
