"""Open the database (SQLAlchemy; SQLite or PostgreSQL) and provide its transactions, locks and file maintenance.

**Invariant:** the differences between SQLite and PostgreSQL are known only to this module, `bulk_inserts.py`, `daily_partitions.py`,
`database_backup.py` and `restore_lock.py`. Error messages never contain parameters, because these are personal values (`hide_parameters`).
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import sqlite3
import time
import weakref
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import aiosqlite
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Delete,
    LargeBinary,
    any_,
    bindparam,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from server.data.database.bulk_inserts import MISSING, Inserts, Values
from server.data.database.change_detector import CommitCount, CommitCounter
from server.data.database.statement_compiler import compile_beside_loop
from server.data.errors import Busy, ObjectsAway, StoreAway
from server.ops.process.first_done import is_set_within

TIDY = 1.0  # seconds from a write until the WAL is moved into the file, with later writes
TIDY_TRIES = 2  # without the write lock: the second moves the writes made during the first
BUSY = 5_000  # ms that SQLite waits for another writer; a batch or purge step holds the lock for under 50
LONGEST_S = 30.0  # that a statement of PostgreSQL may take
ENDS = 5.0  # seconds to wait for a thread of the driver to end
REWRITTEN = 256 << 20  # bytes of the largest file that is rewritten: 1.5 s, and as much memory
CHECKPOINTS = 250  # tries to truncate the WAL, 20 ms apart: 5 s
HOLD_LOCK = 0x5E7E0D17  # advisory lock of PostgreSQL: placing a hold against a purge step
PURGE_LOCK = 0x5E7E0D18  # advisory lock of PostgreSQL: one purge at a time
UPKEEP_LOCK = 0x5E7E0D1A  # the same: one process copies the non-restorable state
ORDER_LOCK = 0x5E7E0D23  # the same: one officer at a time produces an order
BACKUP_LOCK = 0x5E7E0D25  # the same: one process makes backups
ASK_S = 0.5  # between two tries to get a lock that is waited for
LETTER_LOCK = 0x5E7E0D24  # the same: one process mails those whose requests it closes


Made = TypeVar("Made")
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "secure_delete=ON",
    f"busy_timeout={BUSY}",
    "wal_autocheckpoint=0",  # Database.move_wal does it, without the write lock
    "temp_store=MEMORY",
    "cache_size=-16000",
)


def _sqlite_connect(connection: Any, _record: Any) -> None:
    """Set up a new SQLite connection: explicit transactions (DDL included), and pragmas under which deleted values leave the file."""
    connection.isolation_level = None
    try:
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
    except BaseException:  # locked, full, or not a database: the pool does not close a failed connection
        connection.close()
        raise


def _sqlite_begin(connection: Any) -> None:
    options = connection.get_execution_options()
    if not options.get("plain"):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes") else "BEGIN")


class Database:
    """An engine of SQLAlchemy, and its transactions.

    SQLite: WAL, `secure_delete=ON`; every writing transaction begins with BEGIN IMMEDIATE, since a read that becomes a write would fail with
    "database is locked". PostgreSQL: asyncpg.
    """

    is_dated = False  # whether a command acts as of another day; lines of the audit log have the present time

    def __init__(self, url: str, *, data: Path, pool: int = 9, longest: float = LONGEST_S) -> None:
        """`pool`: connections that stay open; `ServiceLock` has one of them. `longest`: seconds that a statement of PostgreSQL may take."""
        self.url = url
        self.data = data
        self.sqlite = url.startswith("sqlite")
        # SQLite has one writer. Writers of this process queue here, since SQLite itself polls, up to 100 ms apart, and
        # is not fair. Never take it twice in one task.
        self._turn: asyncio.Lock | contextlib.nullcontext[None] = (
            asyncio.Lock() if self.sqlite else contextlib.nullcontext()
        )
        self.wrote = False  # whether this process committed anything
        self.rehearses = (
            False  # whether writes are rolled back at their end: a command that only says what would happen
        )
        self._tidying: asyncio.Task[None] | None = None
        self._closing: asyncio.Event | None = None  # ends the wait of `_tidying`
        # Last in, first out: the page cache of a recently used connection is the most current.
        options: dict[str, Any] = {"hide_parameters": True, "pool_use_lifo": True}
        if not self.sqlite:
            options |= {
                "pool_size": pool,
                "max_overflow": 4,
                "pool_timeout": 5,
                "pool_pre_ping": False,
                "connect_args": {
                    "timeout": 5,
                    "command_timeout": longest,
                    "server_settings": {"application_name": "serendip"},
                },
            }
            if make_url(url).password is None:  # else asyncpg looks for ~/.pgpass at each connection, in the loop
                options["connect_args"]["password"] = os.environ.get("PGPASSWORD", "")
        else:
            options["connect_args"] = {"async_creator_fn": self._opened}
        self.engine: AsyncEngine = create_async_engine(url, **options)
        compile_beside_loop(self.engine)
        self._inserts = Inserts(self._sqlite)
        self._versions = CommitCounter(lambda: self.path)
        self._threads: weakref.WeakSet[Thread] = weakref.WeakSet()  # of SQLite's driver, one per connection
        if self.sqlite:
            event.listen(self.engine.sync_engine, "connect", _sqlite_connect)
            event.listen(self.engine.sync_engine, "begin", _sqlite_begin)
        # Of `transact`: one connection, which stays open until an error. Each call into SQLite gives up the interpreter's lock, and a busy
        # event loop gives it back after 5 ms: opening a connection each time would take fifteen calls more.
        self._alone = create_engine(
            "sqlite://", creator=self._sqlite_durable, poolclass=QueuePool, pool_size=1, max_overflow=0, pool_reset_on_return=None,
            hide_parameters=True,
        )  # fmt: skip
        event.listen(self._alone, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        self._durable: ThreadPoolExecutor | None = None  # its thread, on first use

    @property
    def path(self) -> Path:
        """Path of SQLite's file."""
        return Path(self.engine.url.database or "")

    @asynccontextmanager
    async def write(self, *, durable: bool = False, always: bool = False) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that may write: committed at the end, rolled back on an error or in a rehearsal. Raises StoreAway.

        `durable`: the commit survives a power cut, which SQLite promises else only after the next checkpoint; it waits for the disk. `always`: it
        is committed in a rehearsal, too.
        """
        kept = always or not self.rehearses
        async with _errors(), self._turn, self.engine.connect() as connection:
            connection = await connection.execution_options(writes=True)
            async with (
                self._synchronous(connection) if durable else contextlib.nullcontext(),
                connection.begin() as made,
            ):
                yield connection
                if not kept:
                    await made.rollback()
        if kept:
            self._written()

    @property
    def missing(self) -> Any:
        """NULL among the values of `put`."""
        return MISSING if self.sqlite else None

    def rehearse(self) -> None:
        """Roll back what is written from now on, but for the audit log. It ends with the process."""
        self.rehearses = True

    @asynccontextmanager
    async def _synchronous(self, connection: AsyncConnection) -> AsyncIterator[None]:
        """Make SQLite wait for the disk at each commit. PostgreSQL does by itself."""
        if not self.sqlite:
            yield
            return
        raw = await connection.get_raw_connection()
        await _pragma(raw, "PRAGMA synchronous=FULL")
        try:
            yield
        finally:
            await _pragma(raw, "PRAGMA synchronous=NORMAL")

    async def transact(self, work: Callable[[Connection], Made]) -> Made:
        """Run `work` in a durable transaction as of `write`, and return its result. Raises StoreAway, and what `work` raises.

        In SQLite all of it is one hop to a thread of its own: a statement that is awaited waits for a turn of the event loop, which a busy
        server has every 10 ms, and the lock would be held meanwhile.
        """
        if not self.sqlite:
            async with self.write() as connection:
                return await connection.run_sync(work)
        if self._durable is None:
            self._durable = ThreadPoolExecutor(1, "store-durable")
        async with _errors(), self._turn:
            made = await asyncio.get_running_loop().run_in_executor(self._durable, self._transact, work)
        if not self.rehearses:
            self._written()
        return made

    def _transact(self, work: Callable[[Connection], Made]) -> Made:
        try:
            with self._alone.begin() as connection:
                made = work(connection)
                if self.rehearses:
                    connection.rollback()
                return made
        except DBAPIError:
            self._alone.dispose()
            raise

    async def put(self, values: Values) -> float:
        """Insert rows into SQLite in one transaction and one hop; return the seconds that it held the write lock. Raises StoreAway."""
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
        if not await is_set_within(closing, TIDY):
            with contextlib.suppress(StoreAway):  # a full disk: the next write asks again
                await self.move_wal()

    async def move_wal(self) -> bool:
        """Move SQLite's WAL into the file, mostly without the write lock; return whether all of it was moved, so that the WAL restarts.

        SQLite would otherwise do it in the commit that filled the WAL, and its fsync would stop every other writer. A task that writes much awaits
        this now and then, or the WAL would grow as long as it writes. Raises StoreAway.
        """
        if not self.sqlite:
            return True
        async with _errors(), self.engine.connect() as connection:
            raw = await connection.get_raw_connection()
            for _ in range(TIDY_TRIES):
                await _pragma(raw, "PRAGMA wal_checkpoint(PASSIVE)")
            # Little was written meanwhile. It is moved before the next write: SQLite restarts the WAL only if the next
            # writer finds all of it in the file.
            async with self._turn:
                _, frames, moved = await _pragma(raw, "PRAGMA wal_checkpoint(PASSIVE)")
        return bool(frames == moved)

    async def commit_count(self) -> CommitCount | None:
        """Return a value that changes with every commit of any process (for `ChangePoll`); None if unknown. Raises nothing, and never waits."""
        return await self._versions.read() if self.sqlite else None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Open a read-only transaction. Raises StoreAway."""
        async with _errors(), self.engine.connect() as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """Open a read-only transaction that sees the database as it was at its first statement. Raises StoreAway."""
        how: dict[str, Any] = {} if self.sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        async with _errors(), self.engine.connect() as connection:
            connection = await connection.execution_options(**how)
            async with connection.begin():
                yield connection

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[AsyncConnection]:
        """Open a connection outside transactions (DETACH CONCURRENTLY, VACUUM INTO). Raises StoreAway."""
        how: dict[str, Any] = {"plain": True} if self.sqlite else {"isolation_level": "AUTOCOMMIT"}
        async with _errors(), self.engine.connect() as connection:
            yield await connection.execution_options(**how)

    async def session(self) -> AsyncConnection:
        """Return a connection outside transactions that the caller must close. Raises StoreAway."""
        how: dict[str, Any] = {"plain": True} if self.sqlite else {"isolation_level": "AUTOCOMMIT"}
        async with self.named_errors():
            connection = await self.engine.connect()
            return await connection.execution_options(**how)

    def named_errors(self) -> AbstractAsyncContextManager[None]:
        """Turn driver errors into StoreAway; for callers of `session`."""
        return _errors()

    async def guard(self, connection: AsyncConnection) -> None:
        """Take the one lock of holds and purge steps until the transaction ends. In SQLite the write lock is that lock already."""
        if not self.sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": HOLD_LOCK})

    @asynccontextmanager
    async def only_purge(self) -> AsyncIterator[None]:
        """Hold the lock of the only purge. Raises Busy, StoreAway. Released when the process ends, however it ends."""
        async with self._only("purge.lock", PURGE_LOCK, "another purge is running"):
            yield

    @asynccontextmanager
    async def only_copier(self) -> AsyncIterator[None]:
        """Hold the lock of the only process that copies the non-restorable state; as `only_purge`."""
        async with self._only("upkeep.lock", UPKEEP_LOCK, "another process copies the upkeep"):
            yield

    @asynccontextmanager
    async def only_production(self) -> AsyncIterator[None]:
        """Hold the lock of the only production of a legal order; as `only_purge`."""
        async with self._only(
            "order.lock", ORDER_LOCK, "another officer is producing an order: call it again in a minute"
        ):
            yield

    @asynccontextmanager
    async def only_letter_writer(self) -> AsyncIterator[None]:
        """Hold the lock of the only process that mails those whose requests it closes; as `only_purge`."""
        async with self._only("letter.lock", LETTER_LOCK, "another process mails a letter: call it again in a minute"):
            yield

    @asynccontextmanager
    async def only_backup(self, within: float = 0.0) -> AsyncIterator[None]:
        """Hold the lock of the only process that makes a whole backup, or copies the ledger; as `only_purge`. `within`: seconds to wait for it."""
        busy = "another process makes a backup, or copies the ledger of deletions"
        said = f"{busy}, and went on for {within:.0f} s: call it again later" if within else busy
        async with self._only("backup.lock", BACKUP_LOCK, said, within):
            yield

    @asynccontextmanager
    async def _only(self, file: str, key: int, otherwise: str, within: float = 0.0) -> AsyncIterator[None]:
        """Hold a lock of the service. Raises Busy with the text `otherwise` if another process has it for longer than `within`."""
        end = time.monotonic() + within
        if self.sqlite:
            async with _errors():
                descriptor = os.open(self.data / file, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                while not _locked(descriptor):
                    await _wait_until(end, otherwise)
                yield
            finally:
                os.close(descriptor)
            return
        connection = await self.session()  # not `autocommit`: an error of the caller's own stays what it is
        try:
            async with _errors():
                wanted = text("SELECT pg_try_advisory_lock(:key)")
                while not (await connection.execute(wanted, {"key": key})).scalar():
                    await _wait_until(end, otherwise)
            try:
                yield
            finally:
                async with _errors():
                    await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})
        finally:
            await connection.close()

    async def checkpoint(self) -> bool:
        """Move SQLite's WAL into the file and truncate it, so that deleted values leave the disk too.

        Most of it is moved while the service runs (PASSIVE). The last step needs a moment without writer and reader, for which it waits 10 ms at a
        time. False: no such moment came, and the next purge does it. Raises StoreAway.
        """
        if not self.sqlite:
            return True
        await self.move_wal()
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

    async def vacuum(self, day: int) -> bool:
        """Rewrite SQLite's file (VACUUM), at most once a day; False if that was done on `day`, or the file is too large.

        `secure_delete` overwrites a value in its place. But if SQLite moved the cells of a page before, a copy remains in the page's free space,
        which only a new file leaves behind. All writers wait, 6 ms per MiB. Raises StoreAway.
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

    async def rewrite(self) -> None:
        """Rewrite the whole database, so that no deleted value stays in its files. No other process may use it. Raises StoreAway."""
        if self.sqlite:
            async with _errors(), self.engine.connect() as connection:
                raw = await connection.get_raw_connection()
                async with self._turn:
                    await _pragma(raw, "VACUUM")
            await self.checkpoint()
            return
        async with self.autocommit() as connection:
            await connection.exec_driver_sql("VACUUM (FULL)")

    def leave_uncopied(self) -> None:
        """Forget that something was written: no copy of the non-restorable state is wanted, since its keys are gone."""
        self.wrote = False

    async def limit_parallelism(self, connection: AsyncConnection) -> None:
        """Within a transaction, keep PostgreSQL from scanning a large table with three processes, which would take the service's cores."""
        if not self.sqlite:
            await connection.execute(text("SET LOCAL max_parallel_workers_per_gather = 0"))

    async def plan_by_values(self, connection: AsyncConnection) -> None:
        """Within a transaction, make PostgreSQL plan each statement for its own values: a generic plan locks every day's partition.

        JIT compilation is off for such a plan: it takes a second or two, each time.
        """
        if not self.sqlite:
            how = "set_config('plan_cache_mode', 'force_custom_plan', true), set_config('jit', 'off', true)"
            await connection.execute(text(f"SELECT {how}"))

    def among(self, key: ColumnElement[bytes]) -> ColumnElement[bool]:
        """Return the condition that matches a person's rows by `keys`: sorted, and all keys that the person has from the first to the last.

        SQLite's index of a person's value continues with the key, so it is read from the first key to the last; with two bounds per end it would
        search by one and read all that this leaves. PostgreSQL finds each key by the primary index.
        """
        if self.sqlite:
            return key.between(bindparam("first"), bindparam("last"))
        return key == any_(bindparam("keys", type_=ARRAY(LargeBinary)))

    def keys(self, keys: list[bytes]) -> dict[str, Any]:
        """Return the parameters of `among`."""
        return {"first": keys[0], "last": keys[-1]} if self.sqlite else {"keys": keys}

    async def delete_each(self, connection: AsyncConnection, statement: Delete, rows: list[dict[str, Any]]) -> int:
        """Run a statement for each set of parameters; return the number of rows deleted. asyncpg counts them for single executions only."""
        if self.sqlite:
            return (await connection.execute(statement, rows)).rowcount
        return sum([(await connection.execute(statement, row)).rowcount for row in rows])

    async def close(self) -> None:
        """Close all connections."""
        if self._tidying is not None and self._closing is not None:
            # Once begun it is awaited, not cancelled: while it connects, the driver would leave the connection's thread
            # behind, which would find the loop closed when it answers.
            self._closing.set()
            await asyncio.gather(self._tidying, return_exceptions=True)
        if self._durable is not None:
            durable, self._durable = self._durable, None
            await asyncio.get_running_loop().run_in_executor(durable, self._alone.dispose)
            await asyncio.to_thread(durable.shutdown)
        await self._inserts.close()
        await self._versions.close()
        await self.engine.dispose()
        # A thread that has answered may still run, and one that ends during the exit of the process may abort it.
        for thread in list(self._threads):
            await asyncio.to_thread(thread.join, ENDS)

    async def _opened(self, *place: Any, **how: Any) -> aiosqlite.Connection:
        """Open a connection of the driver. Its thread is awaited and ended even if the caller is cancelled meanwhile.

        Otherwise it would stay open until it is garbage collected, and find the loop closed when it answers.
        """
        connection = aiosqlite.connect(*place, **how)
        self._threads.add(connection._thread)
        connection._thread.daemon = True  # as SQLAlchemy does when it connects
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

    def _sqlite_durable(self) -> sqlite3.Connection:
        connection = self._sqlite()
        connection.execute("PRAGMA synchronous=FULL")
        return connection


def _locked(descriptor: int) -> bool:
    """Lock a file, unless another process has."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _wait_until(end: float, otherwise: str) -> None:
    """Wait before the next try. Raises Busy once it is `end`."""
    if time.monotonic() >= end:
        raise Busy(otherwise)
    await asyncio.sleep(ASK_S)


async def _ended(connection: aiosqlite.Connection, opening: asyncio.Future[Any]) -> None:
    """Wait until the connection is open or failed, then close it and end its thread."""
    await asyncio.wait([opening])
    await connection.close()  # does nothing if it could not be opened
    await asyncio.to_thread(connection._thread.join, ENDS)


async def _pragma(raw: Any, statement: str) -> Any:
    cursor = await raw.driver_connection.execute(statement)
    row = await cursor.fetchone()
    await cursor.close()
    return row


@asynccontextmanager
async def _errors() -> AsyncIterator[None]:
    """Turn the driver's errors of an unreachable database into StoreAway."""
    try:
        yield
    except (StoreAway, ObjectsAway):  # subclasses of OSError
        raise
    except DBAPIError as error:  # unreachable, full, or of another schema: in all cases not done
        raise StoreAway(type(error.orig).__name__) from error
    except sqlite3.Error as error:  # calls of the driver itself: pragmas
        raise StoreAway(type(error).__name__) from error
    except (OSError, TimeoutError, PoolTimeout) as error:
        raise StoreAway(type(error).__name__) from error
