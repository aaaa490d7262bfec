"""Run functions on one SQLite connection in a dedicated thread, without SQLAlchemy.

**Invariant:** an error closes the connection, and the next call opens a new one; thread and connection are created on first use.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Made = TypeVar("Made")


class SqliteThread:
    """One thread and its connection. `connect` opens the connection; `name` is the thread's. Work runs one piece at a time, in order."""

    def __init__(self, name: str, connect: Callable[[], sqlite3.Connection]) -> None:
        self._name = name
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self._thread: ThreadPoolExecutor | None = None
        self.connections = 0  # so far

    async def run(self, work: Callable[[sqlite3.Connection], Made]) -> Made:
        """Return the result of `work` on the connection. Raises sqlite3.Error."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, self._name)
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, work)

    def _run(self, work: Callable[[sqlite3.Connection], Made]) -> Made:
        try:
            if self._connection is None:
                self._connection = self._connect()
                self.connections += 1
            return work(self._connection)
        except sqlite3.Error:
            self._disconnect()
            raise

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def close(self) -> None:
        """Wait for running work, and close the connection and the thread. The next work opens others."""
        if self._thread is not None:
            thread, self._thread = self._thread, None
            await asyncio.get_running_loop().run_in_executor(thread, self._disconnect)
            thread.shutdown(wait=False)
