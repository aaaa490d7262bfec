"""Why the database takes nothing, in a word; each change is told once."""

from __future__ import annotations

import asyncio
import errno
import sqlite3
import threading
from pathlib import Path

import asyncpg
import orjson
import pytest

from server.data.database.database import Database
from server.data.database.store_reachability import CAUSES, Reach, cause_of
from server.data.errors import NotSaved, ObjectsAway, SchemaDiffers, StoreAway
from server.ops import log
from server.ops.config.settings import Log
from tests.support import services


def within(wrapper: Exception, first: BaseException) -> Exception:
    wrapper.__cause__ = first
    return wrapper


def sqlite_error(code: int) -> sqlite3.Error:
    error = sqlite3.OperationalError("x")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (sqlite_error(sqlite3.SQLITE_FULL), "full"),
        (sqlite_error(sqlite3.SQLITE_IOERR_WRITE), "io"),
        (sqlite_error(sqlite3.SQLITE_BUSY), "locked"),
        (sqlite_error(sqlite3.SQLITE_CORRUPT), "malformed"),
        (sqlite_error(sqlite3.SQLITE_READONLY), "denied"),
        (asyncpg.DiskFullError("x"), "full"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "refused"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "refused"),
        (asyncpg.InvalidPasswordError("x"), "denied"),
        (asyncpg.UndefinedTableError("x"), "schema"),
        (asyncpg.InsufficientPrivilegeError("x"), "denied"),
        (asyncpg.CannotConnectNowError("x"), "refused"),
        (asyncpg.TooManyConnectionsError("x"), "refused"),
        (asyncpg.DataCorruptedError("x"), "malformed"),
        (OSError(errno.ENOSPC, "x"), "full"),
        (PermissionError(errno.EACCES, "x"), "denied"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "refused"),
        (TimeoutError(), "timeout"),
        (SchemaDiffers("x"), "schema"),
        (within(NotSaved("x"), ObjectsAway("x")), "objects"),
        (RuntimeError("x"), "other"),
    ],
)
def test_an_error_is_a_word_however_it_is_wrapped(error: Exception, cause: str) -> None:
    assert cause in CAUSES
    assert cause_of(error) == cause
    assert cause_of(within(StoreAway("x"), within(StoreAway("x"), error))) == cause


async def cause(url: str, data: Path) -> str:
    """What a real database's refusal is called."""
    database = Database(url, data=data)
    try:
        with pytest.raises(StoreAway) as raised:
            async with database.write() as connection:
                await connection.exec_driver_sql("SELECT * FROM chat")
        return cause_of(raised.value)
    finally:
        await database.close()


@pytest.mark.blocking  # makes files
async def test_what_sqlite_says_is_told_by_its_word(tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_bytes(b"no database at all" * 1000)
    (tmp_path / "folder.db").mkdir()
    asked = {name: f"sqlite+aiosqlite:///{tmp_path / name}.db" for name in ("empty", "broken", "folder")}
    assert {name: await cause(url, tmp_path) for name, url in asked.items()} == {
        "empty": "schema",
        "broken": "malformed",
        "folder": "denied",
    }


@pytest.mark.blocking  # makes files
@pytest.mark.parametrize("said", ["empty", "broken", "folder"])
async def test_when_a_database_is_closed_no_thread_of_its_connections_lives(tmp_path: Path, said: str) -> None:
    (tmp_path / "broken.db").write_bytes(b"no database at all" * 1000)
    (tmp_path / "folder.db").mkdir()
    before = set(threading.enumerate())  # one of them may be of a test that failed
    for _ in range(20):
        await cause(f"sqlite+aiosqlite:///{tmp_path / said}.db", tmp_path)
        now = set(threading.enumerate()) - before
        assert [thread.name for thread in now if "_connection_worker" in thread.name] == []


@pytest.mark.blocking  # makes a lock by a second connection
async def test_a_lock_of_another_s_is_told_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.data.database.database.BUSY", 10)
    with sqlite3.connect(tmp_path / "x.db", isolation_level=None) as other:
        other.execute("CREATE TABLE chat (id)")
        other.execute("BEGIN IMMEDIATE")
        assert await cause(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}", tmp_path) == "locked"
    other.close()


@pytest.mark.blocking
async def test_what_postgresql_says_is_told_by_its_word(tmp_path: Path, cluster: services.Postgres) -> None:
    nobody = cluster.url("postgres").replace(str(cluster.port), str(services.free_port()))
    assert await cause(nobody, tmp_path) == "refused"
    assert await cause(cluster.url("there_is_none"), tmp_path) == "schema"
    cluster.sql("CREATE DATABASE without_tables")  # not the one that other tests fill
    assert await cause(cluster.url("without_tables"), tmp_path) == "schema"


async def test_each_change_is_told_once_with_what_began_it_and_each_failure_is_counted(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    log.configure(Log(), strict=True)
    reach = Reach("records")
    full, locked = (within(StoreAway("x"), sqlite_error(code)) for code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY))
    reach.worked()
    for error in (full, full, locked, locked, full):
        reach.failed(error)
    assert reach.cause == "full"
    reach.worked()
    reach.worked()
    assert reach.cause is None
    assert {cause: count for cause, count in reach.failures.items() if count} == {"full": 3, "locked": 2}
    assert await asyncio.to_thread(log.sink().flush)
    told = [orjson.loads(line) for line in capfdbinary.readouterr().err.splitlines()]
    assert [(line["event"], line["what"], line.get("cause"), line.get("error")) for line in told] == [
        ("store.away", "records", "full", "OperationalError"),
        ("store.away", "records", "locked", "OperationalError"),
        ("store.away", "records", "full", "OperationalError"),
        ("store.back", "records", None, None),
    ]
