"""Lock the database between hosts that share it: serving hosts share a PostgreSQL advisory lock, and a restore holds it exclusively.

**Invariant:** PostgreSQL releases the lock when its connection breaks; `check` then takes the lock again. SQLite belongs to one host, so
`folder_lock.py` is enough.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.data.database.database import Database
from server.data.errors import Busy, StoreAway

KEY: Final = 0x5E7E0D1B  # of the advisory lock; below 2^32, so that pg_locks has it in `objid`
CHECK_WITHIN_S: Final = 5.0  # a database that takes longer for one row is away
RESTORING: Final = "the database is being restored: start again when that is over"
# A row of a table that the service needs: a database without its tables is of no use either.
ONE_ROW: Final = text("SELECT 1 FROM ban LIMIT 1")
HOLDERS: Final = text(
    "SELECT DISTINCT coalesce(host(client_addr), 'this machine') FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE locktype = 'advisory' AND classid = 0 AND objid = :key AND granted AND pg_locks.database ="
    " (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1"
)


class ServiceLock:
    """The share of the lock of one serving process. With SQLite nothing is locked, and `check` only reads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: AsyncConnection | None = None

    async def take(self) -> None:
        """Take a share. Raises Busy while a restore has the lock, StoreAway."""
        if self._database.sqlite:
            return
        connection = await self._database.session()
        try:
            async with self._database.named_errors():
                took = await connection.execute(text("SELECT pg_try_advisory_lock_shared(:key)"), {"key": KEY})
            if not took.scalar():
                raise Busy(RESTORING)
        except BaseException:
            await _drop(connection)
            raise
        self._connection = connection

    async def check(self) -> None:
        """Read one row, on the connection that has the lock; take the lock anew if that connection is lost. Raises Busy, StoreAway."""
        try:
            async with asyncio.timeout(CHECK_WITHIN_S):
                if self._database.sqlite:
                    async with self._database.read() as reading:
                        await reading.execute(ONE_ROW)
                    return
                if self._connection is None:
                    await self.take()
                if self._connection is not None:
                    async with self._database.named_errors():
                        await self._connection.execute(ONE_ROW)
        except TimeoutError as error:
            await self.close()
            raise StoreAway(type(error).__name__) from error
        except StoreAway:
            await self.close()
            raise

    async def close(self) -> None:
        """Release the share."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await _drop(connection)


@asynccontextmanager
async def alone(database: Database) -> AsyncIterator[None]:
    """Hold the lock alone, so that no host serves. Raises Busy, which names the serving hosts; StoreAway. With SQLite nothing is locked."""
    if database.sqlite:
        yield
        return
    connection = await database.session()
    try:
        async with database.named_errors():
            took = await connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": KEY})
            if not took.scalar():
                holders = (await connection.execute(HOLDERS, {"key": KEY})).scalars().all()
                raise Busy(
                    f"hosts serve from this database ({', '.join(holders) or 'they have just ended'}): stop every one of them"
                    " first (systemctl stop serendip on each), then call this again"
                )
        yield
    finally:
        await _drop(connection)


async def _drop(connection: AsyncConnection) -> None:
    """End the session and so its lock: a connection returned to the pool would keep it."""
    with contextlib.suppress(DBAPIError, OSError):
        await connection.invalidate()
    with contextlib.suppress(DBAPIError, OSError):
        await connection.close()
