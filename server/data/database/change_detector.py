"""Detect cheaply whether the database changed since the last poll, from SQLite's commit count (`PRAGMA data_version`) instead of a query.

**Invariant:** an unknown count is treated as a change, so that no row is missed. PostgreSQL has no such count, so every poll there queries.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from server.data.database.sqlite_thread import SqliteThread

CommitCount = tuple[int, int]  # number of the connection, and its count


class CommitCounter:
    """Reads the commit count of SQLite's file at `path`.

    The count includes the commits of other processes. Its connection never writes; a read takes one thread hop and 5 µs, a query of rows some twenty
    hops.
    """

    def __init__(self, path: Callable[[], Path]) -> None:
        self._path = path
        self._thread = SqliteThread("store-versions", self._connect)

    async def read(self) -> CommitCount | None:
        """Return a count that differs from the last one if anything was committed since; None if it is unknown."""
        try:
            return await self._thread.run(self._read)
        except sqlite3.Error:
            return None

    def _connect(self) -> sqlite3.Connection:
        """Open the file without creating it and without waiting for a lock. Raises sqlite3.Error."""
        place = self._path().absolute().as_uri() + "?mode=rw"
        return sqlite3.connect(place, timeout=0, isolation_level=None, uri=True)

    def _read(self, connection: sqlite3.Connection) -> CommitCount:
        """Return connection number and count: each connection counts from its own start."""
        return self._thread.connections, int(connection.execute("PRAGMA data_version").fetchone()[0])

    async def close(self) -> None:
        """Close the connection and the thread. The next read opens others."""
        await self._thread.close()


class ChangePoll:
    """Tells a poller whether its next query can find anything new.

    `version`: `Database.commit_count`; `every`: seconds after which a poll is due in any case, since the clock changes results too; `clock`: seconds.
    """

    def __init__(
        self,
        version: Callable[[], Awaitable[CommitCount | None]],
        every: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._version = version
        self._every = every
        self._clock = clock
        self._asked: CommitCount | None = None  # before the present query
        self._read: CommitCount | None = None  # before the last completed query
        self._at = float("-inf")

    async def is_due(self) -> bool:
        """Return whether to query now: always, until `mark_read`."""
        self._asked = await self._version()
        return self._asked is None or self._asked != self._read or self._clock() - self._at >= self._every

    def mark_read(self) -> None:
        """Record that the query that `is_due` asked for is done."""
        self._read, self._at = self._asked, self._clock()

    def reset(self) -> None:
        """Make the next poll due, also if a query is running now: it may find a change that was no commit."""
        self._asked = self._read = None
