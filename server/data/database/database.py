"""One database, SQLite or PostgreSQL. Rule: the difference between the two ends in this module, `bulk_inserts.py`, `daily_partitions.py`,
`database_backup.py`
and `service_lock.py`.

SQLite: WAL, `secure_delete=ON`, every writing transaction begins with BEGIN IMMEDIATE (a read that becomes a write
would fail with "database is locked"). PostgreSQL: asyncpg. Errors never print parameters (`hide_parameters`), for they
are persons' values.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import sqlite3
import weakref
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import aiosqlite
from sqlalchemy import ARRAY, ColumnElement, Delete, LargeBinary, any_, bindparam, event, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from server.data.database.bulk_inserts import MISSING, Inserts, Values
from server.data.database.database_changes import Version, Versions
from server.data.errors import Busy, ObjectsAway, StoreAway

TIDY = 1.0  # seconds from a write until the WAL is moved into the file; what comes in between is moved with it
TIDY_TRIES = 2  # beside whoever writes: the second moves what was written during the first
BUSY = 5_000  # ms that SQLite waits for another writer; a batch or purge step holds the lock for under 50
ENDS = 5.0  # seconds until a thread of the driver that was told to end is not waited for any more
REWRITTEN = 256 << 20  # bytes of the largest file that is written anew: 1.5 s, and as much memory
CHECKPOINTS = 250  # tries to truncate the WAL, 20 ms apart: 5 s
HOLD_LOCK = 0x5E7E0D17  # advisory lock of PostgreSQL: placing a hold against a purge step
PURGE_LOCK = 0x5E7E0D18  # advisory lock of PostgreSQL: one purge at a time
UPKEEP_LOCK = 0x5E7E0D1A  # the same, for who copies the upkeep


PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "secure_delete=ON",
    f"busy_timeout={BUSY}",
    "wal_autocheckpoint=0",  # Database.tidy does it, beside whoever commits
    "temp_store=MEMORY",
    "cache_size=-16000",
)


def _sqlite_connect(connection: Any, _record: Any) -> None:
    """Each new SQLite connection: explicit transactions (DDL included) and the pragmas under which deleted values leave the file."""
    connection.isolation_level = None
    try:
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
    except BaseException:  # locked, full, or not a database: the pool does not close what did not come to be
        connection.close()
        raise


def _sqlite_begin(connection: Any) -> None:
    options = connection.get_execution_options()
    if not options.get("plain"):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes") else "BEGIN")


class Database:
    """The engine and its transactions."""

    def __init__(self, url: str, *, data: Path, pool: int = 9) -> None:
        """`pool`: connections that stay open; `ServiceLock` has one of them."""
        self.url = url
        self.data = data
        self.sqlite = url.startswith("sqlite")
        self.missing = MISSING if self.sqlite else None  # NULL among the values of `put`
        # SQLite has one writer; who waits for it within this process stands in line here, since SQLite itself polls,
        # up to 100 ms apart, and is not fair. Never take it twice in one task.
        self._turn: asyncio.Lock | contextlib.nullcontext[None] = (
            asyncio.Lock() if self.sqlite else contextlib.nullcontext()
        )
        self.wrote = False  # whether anything was
        self._tidying: asyncio.Task[None] | None = None
        self._closing: asyncio.Event | None = None  # tells it not to wait any more
        # Last in, first out: a connection finds in its cache what others have not changed since it was used.
        options: dict[str, Any] = {"hide_parameters": True, "pool_use_lifo": True}
        if not self.sqlite:
            options |= {
                "pool_size": pool,
                "max_overflow": 4,
                "pool_timeout": 5,
                "pool_pre_ping": False,
                "connect_args": {
                    "timeout": 5,
                    "command_timeout": 30,
                    "server_settings": {"application_name": "serendip"},
                },
            }
            if make_url(url).password is None:  # else asyncpg looks for ~/.pgpass at each connection, in the loop
                options["connect_args"]["password"] = os.environ.get("PGPASSWORD", "")
        else:
            options["connect_args"] = {"async_creator_fn": self._opened}
        self.engine: AsyncEngine = create_async_engine(url, **options)
        self._inserts = Inserts(self._sqlite)
        self._versions = Versions(lambda: self.path)
        self._threads: weakref.WeakSet[Thread] = weakref.WeakSet()  # of SQLite's driver, one a connection
        if self.sqlite:
            event.listen(self.engine.sync_engine, "connect", _sqlite_connect)
            event.listen(self.engine.sync_engine, "begin", _sqlite_begin)

    @property
    def path(self) -> Path:
        """SQLite's file."""
        return Path(self.engine.url.database or "")

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that may write: committed at the end, rolled back on an error. Raises StoreAway."""
        async with _errors(), self._turn, self.engine.connect() as connection:
            connection = await connection.execution_options(writes=True)
            async with connection.begin():
                yield connection
        self._written()

    async def put(self, values: Values) -> float:
        """SQLite: rows as one transaction in one hop; the seconds that nobody else could write. Raises StoreAway."""
        async with _errors(), self._turn:
            held = await self._inserts.put(values)
        self._written()
        return held

    def _written(self) -> None:
        self.wrote = True
        if self.sqlite and (self._tidying is None or self._tidying.done()):
            self._closing = asyncio.Event()
            self._tidying = asyncio.create_task(self._tidy_later(self._closing), name="store-tidy")

    async def _tidy_later(self, closing: asyncio.Event) -> None:
        try:
            await asyncio.wait_for(closing.wait(), TIDY)
        except TimeoutError:
            with contextlib.suppress(StoreAway):  # a full disk: the next write asks again
                await self.tidy()

    async def tidy(self) -> bool:
        """SQLite: move the WAL into the file without the write lock; True where all of it was, so that it is written from its start again.

        Left to itself SQLite does that in the commit that filled the WAL: its fsync then stops everybody who waits to
        write. Who writes much waits for this now and then, or the WAL would grow as long as they write. Raises StoreAway.
        """
        if not self.sqlite:
            return True
        async with _errors(), self.engine.connect() as connection:
            raw = await connection.get_raw_connection()
            for _ in range(TIDY_TRIES):
                await _pragma(raw, "PRAGMA wal_checkpoint(PASSIVE)")
            # What was written meanwhile is little. Nobody may write before it is moved too: SQLite writes the WAL from its
            # start again only where the next writer finds all of it in the file.
            async with self._turn:
                _, frames, moved = await _pragma(raw, "PRAGMA wal_checkpoint(PASSIVE)")
        return bool(frames == moved)

    async def version(self) -> Version | None:
        """Another one than before where anybody committed anything (`News`); None: this database cannot say. Raises nothing, and waits for nobody."""
        return await self._versions.now() if self.sqlite else None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads. Raises StoreAway."""
        async with _errors(), self.engine.connect() as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads, and reads all of it as it was at its first statement. Raises StoreAway."""
        how: dict[str, Any] = {} if self.sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        async with _errors(), self.engine.connect() as connection:
            connection = await connection.execution_options(**how)
            async with connection.begin():
                yield connection

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[AsyncConnection]:
        """A connection outside transactions (DETACH CONCURRENTLY, VACUUM INTO). Raises StoreAway."""
        how: dict[str, Any] = {"plain": True} if self.sqlite else {"isolation_level": "AUTOCOMMIT"}
        async with _errors(), self.engine.connect() as connection:
            yield await connection.execution_options(**how)

    async def session(self) -> AsyncConnection:
        """A connection outside transactions that is its caller's until it is closed. Raises StoreAway."""
        how: dict[str, Any] = {"plain": True} if self.sqlite else {"isolation_level": "AUTOCOMMIT"}
        async with self.failing():
            connection = await self.engine.connect()
            return await connection.execution_options(**how)

    def failing(self) -> AbstractAsyncContextManager[None]:
        """For whoever has a `session`: what fails within is StoreAway."""
        return _errors()

    async def guard(self, connection: AsyncConnection) -> None:
        """Take the one lock of holds and purge steps until the transaction ends. SQLite's write lock is that lock already."""
        if not self.sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": HOLD_LOCK})

    @asynccontextmanager
    async def only_purge(self) -> AsyncIterator[None]:
        """Be the only purge, or raise Busy, or StoreAway. Ends with the process, however it ends."""
        async with self._only("purge.lock", PURGE_LOCK, "another purge is running"):
            yield

    @asynccontextmanager
    async def only_upkeep(self) -> AsyncIterator[None]:
        """Be the only one who copies the upkeep; as `only_purge`."""
        async with self._only("upkeep.lock", UPKEEP_LOCK, "another process copies the upkeep"):
            yield

    @asynccontextmanager
    async def _only(self, file: str, key: int, otherwise: str) -> AsyncIterator[None]:
        if self.sqlite:
            async with _errors():
                descriptor = os.open(self.data / file, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise Busy(otherwise) from None
                yield
            finally:
                os.close(descriptor)
            return
        async with self.autocommit() as connection:
            if not (await connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": key})).scalar():
                raise Busy(otherwise)
            try:
                yield
            finally:
                await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})

    async def checkpoint(self) -> bool:
        """SQLite: move the WAL into the file and truncate it, so that deleted values are gone from the disk too.

        Most is moved beside the service (PASSIVE); the last step needs a moment without writer and reader, for which it
        waits 10 ms at a time. False: no such moment came, and the next purge does it. Raises StoreAway.
        """
        if not self.sqlite:
            return True
        await self.tidy()
        async with _errors(), self.engine.connect() as connection:
            raw = await connection.get_raw_connection()
            await _pragma(raw, "PRAGMA busy_timeout=10")
            try:
                for _ in range(CHECKPOINTS):
                    async with self._turn:
                        found = await _pragma(raw, "PRAGMA wal_checkpoint(TRUNCATE)")
                    if found and found[0] == 0:
                        return True
                    await asyncio.sleep(0.02)
            finally:
                await _pragma(raw, f"PRAGMA busy_timeout={BUSY}")
        return False

    async def rewrite(self, day: int) -> bool:
        """SQLite: write the whole file anew (VACUUM), once a day at most; False where that was done on `day`, or the file is too large.

        `secure_delete` overwrites a value where it stands. But where SQLite moved the cells of a page before, a copy stays in
        the page's free part, which only a new file leaves behind. All who write wait, 6 ms a MiB. Raises StoreAway.
        """
        if not self.sqlite or (await asyncio.to_thread(self.path.stat)).st_size > REWRITTEN:
            return False
        async with _errors(), self.engine.connect() as connection:
            raw = await connection.get_raw_connection()
            if await _pragma(raw, "PRAGMA user_version") == (day,):
                return False
            async with self._turn:
                await _pragma(raw, "VACUUM")
                await _pragma(raw, f"PRAGMA user_version={day}")
        return True

    async def slowly(self, connection: AsyncConnection) -> None:
        """Within a transaction: leave the other cores to the service. PostgreSQL would scan a large table with three processes."""
        if not self.sqlite:
            await connection.execute(text("SET LOCAL max_parallel_workers_per_gather = 0"))

    async def by_values(self, connection: AsyncConnection) -> None:
        """Within a transaction: plan each statement for its own values. A plan of PostgreSQL's for any values locks every day's partition.

        Nothing is compiled for such a plan (`jit`): that takes a second or two, each time.
        """
        if not self.sqlite:
            how = "set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true)"
            await connection.execute(text(f"SELECT {how}"))

    def among(self, key: ColumnElement[bytes]) -> ColumnElement[bool]:
        """A person's rows by `keys`, which are in their order and all that the person has from the first to the last.

        SQLite's index of a person's value goes on with the key, so it is read from the first key to the last. One bound an
        end: of two it searches by one, and reads all that this leaves. PostgreSQL finds each key by the primary one.
        """
        if self.sqlite:
            return key.between(bindparam("first"), bindparam("last"))
        return key == any_(bindparam("keys", type_=ARRAY(LargeBinary)))

    def keys(self, keys: list[bytes]) -> dict[str, Any]:
        """What `among` is asked with."""
        return {"first": keys[0], "last": keys[-1]} if self.sqlite else {"keys": keys}

    async def each(self, connection: AsyncConnection, statement: Delete, rows: list[dict[str, Any]]) -> int:
        """Run a statement for each of these; how many rows it deleted. SQLite's driver counts them all, asyncpg those of one."""
        if self.sqlite:
            return (await connection.execute(statement, rows)).rowcount
        return sum([(await connection.execute(statement, row)).rowcount for row in rows])

    async def close(self) -> None:
        """Close all connections."""
        if self._tidying is not None and self._closing is not None:
            # Once it has begun it is waited for, not cancelled: while it connects, the driver would leave the thread of
            # that connection behind, which finds the loop closed when it answers.
            self._closing.set()
            await asyncio.gather(self._tidying, return_exceptions=True)
        await self._inserts.close()
        await self._versions.close()
        await self.engine.dispose()
        # One that has answered has not ended yet, and one that ends while the process does may take it along by SIGABRT.
        for thread in list(self._threads):
            await asyncio.to_thread(thread.join, ENDS)

    async def _opened(self, *place: Any, **how: Any) -> aiosqlite.Connection:
        """A connection of the driver's. Once its thread has begun it is waited for and ended, also for who gave up meanwhile.

        Else it would be open for as long as nobody collects it, and find the loop closed when it answers.
        """
        connection = aiosqlite.connect(*place, **how)
        self._threads.add(connection._thread)
        connection._thread.daemon = True  # as SQLAlchemy does where it connects
        opening = asyncio.ensure_future(connection.__aenter__())
        try:
            return await asyncio.shield(opening)
        except BaseException:
            await asyncio.shield(asyncio.ensure_future(_ended(connection, opening)))
            raise

    def _sqlite(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path)
        _sqlite_connect(connection, None)
        return connection


async def _ended(connection: aiosqlite.Connection, opening: asyncio.Future[Any]) -> None:
    """Wait until it is open or could not be, and have it closed and its thread ended."""
    await asyncio.wait([opening])
    await connection.close()  # nothing where it could not be opened
    await asyncio.to_thread(connection._thread.join, ENDS)


async def _pragma(raw: Any, statement: str) -> Any:
    cursor = await raw.driver_connection.execute(statement)
    row = await cursor.fetchone()
    await cursor.close()
    return row


@asynccontextmanager
async def _errors() -> AsyncIterator[None]:
    """Name the driver's many errors of absence by one."""
    try:
        yield
    except (StoreAway, ObjectsAway):  # they have their name, and are OSErrors too
        raise
    except DBAPIError as error:  # away, full, or not as we left it (a table is missing): in all cases not done
        raise StoreAway(type(error.orig).__name__) from error
    except sqlite3.Error as error:  # what is asked of the driver itself: pragmas
        raise StoreAway(type(error).__name__) from error
    except (OSError, TimeoutError, PoolTimeout) as error:
        raise StoreAway(type(error).__name__) from error
