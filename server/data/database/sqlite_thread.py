"""A connection of SQLite's in a thread of its own, for work that is one hop from the loop. Rule: both are made when they are needed, and an error
ends the connection."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Made = TypeVar("Made")


class Apart:
    """`connect` makes the connection; `name` is the thread's. One piece of work at a time, in the order in which they came."""

    def __init__(self, name: str, connect: Callable[[], sqlite3.Connection]) -> None:
        self._name = name
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self._thread: ThreadPoolExecutor | None = None
        self.connections = 0  # so far

    async def do(self, work: Callable[[sqlite3.Connection], Made]) -> Made:
        """What the work makes of the connection. Raises sqlite3.Error."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, self._name)
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._do, work)

    def _do(self, work: Callable[[sqlite3.Connection], Made]) -> Made:
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
        """Wait for what is under way, and give the connection and the thread back. The next work makes others."""
        if self._thread is not None:
            thread, self._thread = self._thread, None
            await asyncio.get_running_loop().run_in_executor(thread, self._disconnect)
            thread.shutdown(wait=False)
