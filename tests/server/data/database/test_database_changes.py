"""Whoever looks again and again looks where somebody wrote, in whatever process, and also where that cannot be known."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from server.data.database.database_changes import News, Version, Versions
from tests.server.data.conftest import Kit, ended

OTHER = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('CREATE TABLE other (a)'); c.commit()"
sqlite_alone = pytest.mark.parametrize("url", ["sqlite"], indirect=True)


@sqlite_alone
async def test_what_anybody_commits_is_another_version(kit: Kit) -> None:
    versions = [await kit.database.version()]
    await kit.write(ended())  # by the writer's connection
    versions.append(await kit.database.version())
    async with kit.database.write() as connection:
        await connection.execute(text("CREATE TABLE filler (body BLOB)"))
    versions.append(await kit.database.version())
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", OTHER, str(kit.database.path)], check=True)
    versions.append(await kit.database.version())
    assert None not in versions
    assert len(set(versions)) == 4


@sqlite_alone
async def test_who_reads_or_tidies_or_writes_nothing_changes_no_version(kit: Kit) -> None:
    await kit.write(ended())
    before = await kit.database.version()
    assert await kit.count("chat") == 1
    await kit.database.tidy()
    async with kit.database.write() as connection:
        await connection.execute(text("DELETE FROM chat WHERE id IS NULL"))
    async with kit.database.write() as connection:
        await connection.execute(text("CREATE TABLE filler (body BLOB)"))
        assert await kit.database.version() == before, "nobody can read it yet"
        await connection.rollback()
    assert before is not None
    assert await kit.database.version() == before


@sqlite_alone
async def test_what_is_committed_during_a_look_is_another_version_after_it(kit: Kit) -> None:
    news = News(kit.database.version, 3600)
    assert await news.there()
    await kit.write(ended())
    news.read()
    assert await news.there()
    news.read()
    assert not await news.there()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_a_database_that_cannot_say_is_looked_at_each_time(kit: Kit) -> None:
    news = News(kit.database.version, 3600)
    for _ in range(2):
        assert await news.there()
        news.read()


async def test_a_file_that_is_not_there_is_not_made_and_one_that_comes_back_is_another(tmp_path: Path) -> None:
    path = tmp_path / "here.db"
    versions = Versions(lambda: path)
    assert await versions.now() is None
    assert not path.exists()
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", OTHER, str(path)], check=True)
    first = await versions.now()
    await versions.close()
    second = await versions.now()
    await versions.close()
    assert first is not None
    assert second is not None
    assert first != second, "each connection counts from its own start"


async def test_a_file_that_is_no_database_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "here.db"
    path.write_bytes(b"no database" * 100)
    versions = Versions(lambda: path)
    assert await versions.now() is None
    await versions.close()


class Clock:
    """What `News` asks, by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.version: Version | None = (1, 1)

    async def told(self) -> Version | None:
        return self.version


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_a_look_is_due_until_one_comes_to_its_end(clock: Clock) -> None:
    news = News(clock.told, 60, lambda: clock.now)
    assert await news.there()
    assert await news.there(), "the first one failed"
    news.read()
    assert not await news.there()
    clock.version = (1, 2)
    assert await news.there()
    assert await news.there()
    news.read()
    assert not await news.there()


async def test_a_look_is_due_after_a_while_though_nobody_wrote(clock: Clock) -> None:
    news = News(clock.told, 60, lambda: clock.now)
    await news.there()
    news.read()
    clock.now = 59.0
    assert not await news.there()
    clock.now = 60.0
    assert await news.there()
    news.read()
    assert not await news.there()


@pytest.mark.parametrize("during", [False, True], ids=["between looks", "during a look"])
async def test_who_knows_of_something_that_nobody_wrote_asks_for_a_look(clock: Clock, during: bool) -> None:
    news = News(clock.told, 60, lambda: clock.now)
    await news.there()
    if during:
        news.anew()
    news.read()
    if not during:
        news.anew()
    assert await news.there()
    news.read()
    assert not await news.there()


async def test_what_cannot_be_known_is_looked_at(clock: Clock) -> None:
    news = News(clock.told, 60, lambda: clock.now)
    for version in (None, None, (1, 1)):
        clock.version = version
        assert await news.there()
        news.read()
    assert not await news.there()
