"""Whether anybody wrote into the database since one looked. Rule: what cannot be known is something new; nobody misses a row by it.

SQLite counts what others commit (`PRAGMA data_version`), in whatever process of the host they are: a connection that never writes asks that
in one hop and 5 µs, where a look takes some twenty hops. PostgreSQL has no such count.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from server.data.database.sqlite_thread import Apart

Version = tuple[int, int]  # the connection that was asked, and its count


class Versions:
    """Of SQLite's file at `path`."""

    def __init__(self, path: Callable[[], Path]) -> None:
        self._path = path
        self._apart = Apart("store-versions", self._connect)

    async def now(self) -> Version | None:
        """Another one than before where anything was committed; None: it cannot be known now."""
        try:
            return await self._apart.do(self._read)
        except sqlite3.Error:
            return None

    def _connect(self) -> sqlite3.Connection:
        """One that is not there is not made, and nobody is waited for. Raises sqlite3.Error."""
        place = self._path().absolute().as_uri() + "?mode=rw"
        return sqlite3.connect(place, timeout=0, isolation_level=None, uri=True)

    def _read(self, connection: sqlite3.Connection) -> Version:
        """Each connection counts from its own start."""
        return self._apart.connections, int(connection.execute("PRAGMA data_version").fetchone()[0])

    async def close(self) -> None:
        """Give the connection and the thread back. The next question makes others."""
        await self._apart.close()


class News:
    """For one who looks again and again: whether the next look can find anything. `version`: of `Database`; `every`: seconds after which it is
    due in any case, for what the clock changes; `clock`: seconds."""

    def __init__(
        self,
        version: Callable[[], Awaitable[Version | None]],
        every: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._version = version
        self._every = every
        self._clock = clock
        self._asked: Version | None = None  # before the present look
        self._read: Version | None = None  # before the last look that came to its end
        self._at = float("-inf")

    async def there(self) -> bool:
        """Whether to look now: always, until `read`."""
        self._asked = await self._version()
        return self._asked is None or self._asked != self._read or self._clock() - self._at >= self._every

    def read(self) -> None:
        """The look that `there` asked for is done."""
        self._read, self._at = self._asked, self._clock()

    def anew(self) -> None:
        """The next look may find something that nobody wrote, also where one is under way now."""
        self._asked = self._read = None
