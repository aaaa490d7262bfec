"""Whoever looks again and again looks where somebody wrote, in whatever process, and also where that cannot be known."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from server.data.database.change_detector import ChangePoll, CommitCount, CommitCounter
from tests.server.data.conftest import Kit, ended

OTHER = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('CREATE TABLE other (a)'); c.commit()"
sqlite_alone = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@sqlite_alone
async def test_what_anybody_commits_is_another_version(kit: Kit) -> None:
    versions = [await kit.database.commit_count()]
    await kit.write(ended())  # by the writer's connection
    versions.append(await kit.database.commit_count())
    async with kit.database.write() as connection:
        await connection.execute(text("CREATE TABLE filler (body BLOB)"))
    versions.append(await kit.database.commit_count())
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", OTHER, str(kit.database.path)], check=True)
    versions.append(await kit.database.commit_count())
    assert None not in versions
    assert len(set(versions)) == 4


@sqlite_alone
async def test_who_reads_or_tidies_or_writes_nothing_changes_no_version(kit: Kit) -> None:
    await kit.write(ended())
    before = await kit.database.commit_count()
    assert await kit.count("chat") == 1
    await kit.database.move_wal()
    async with kit.database.write() as connection:
        await connection.execute(text("DELETE FROM chat WHERE id IS NULL"))
    async with kit.database.write() as connection:
        await connection.execute(text("CREATE TABLE filler (body BLOB)"))
        assert await kit.database.commit_count() == before, "nobody can read it yet"
        await connection.rollback()
    assert before is not None
    assert await kit.database.commit_count() == before


@sqlite_alone
async def test_what_is_committed_during_a_look_is_another_version_after_it(kit: Kit) -> None:
    news = ChangePoll(kit.database.commit_count, 3600)
    assert await news.is_due()
    await kit.write(ended())
    news.mark_read()
    assert await news.is_due()
    news.mark_read()
    assert not await news.is_due()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_a_database_that_cannot_say_is_looked_at_each_time(kit: Kit) -> None:
    news = ChangePoll(kit.database.commit_count, 3600)
    for _ in range(2):
        assert await news.is_due()
        news.mark_read()


async def test_a_file_that_is_not_there_is_not_made_and_one_that_comes_back_is_another(tmp_path: Path) -> None:
    path = tmp_path / "here.db"
    versions = CommitCounter(lambda: path)
    assert await versions.read() is None
    assert not path.exists()
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", OTHER, str(path)], check=True)
    first = await versions.read()
    await versions.close()
    second = await versions.read()
    await versions.close()
    assert first is not None
    assert second is not None
    assert first != second, "each connection counts from its own start"


async def test_a_file_that_is_no_database_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "here.db"
    path.write_bytes(b"no database" * 100)
    versions = CommitCounter(lambda: path)
    assert await versions.read() is None
    await versions.close()


class Clock:
    """What `ChangePoll` asks, by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.version: CommitCount | None = (1, 1)

    async def told(self) -> CommitCount | None:
        return self.version


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_a_look_is_due_until_one_comes_to_its_end(clock: Clock) -> None:
    news = ChangePoll(clock.told, 60, lambda: clock.now)
    assert await news.is_due()
    assert await news.is_due(), "the first one failed"
    news.mark_read()
    assert not await news.is_due()
    clock.version = (1, 2)
    assert await news.is_due()
    assert await news.is_due()
    news.mark_read()
    assert not await news.is_due()


async def test_a_look_is_due_after_a_while_though_nobody_wrote(clock: Clock) -> None:
    news = ChangePoll(clock.told, 60, lambda: clock.now)
    await news.is_due()
    news.mark_read()
    clock.now = 59.0
    assert not await news.is_due()
    clock.now = 60.0
    assert await news.is_due()
    news.mark_read()
    assert not await news.is_due()


@pytest.mark.parametrize("during", [False, True], ids=["between looks", "during a look"])
async def test_who_knows_of_something_that_nobody_wrote_asks_for_a_look(clock: Clock, during: bool) -> None:
    news = ChangePoll(clock.told, 60, lambda: clock.now)
    await news.is_due()
    if during:
        news.reset()
    news.mark_read()
    if not during:
        news.reset()
    assert await news.is_due()
    news.mark_read()
    assert not await news.is_due()


async def test_what_cannot_be_known_is_looked_at(clock: Clock) -> None:
    news = ChangePoll(clock.told, 60, lambda: clock.now)
    for version in (None, None, (1, 1)):
        clock.version = version
        assert await news.is_due()
        news.mark_read()
    assert not await news.is_due()
