"""Compress, encrypt, decrypt and render chat logs in one thread with a bounded queue, outside the event loop.

One thread only: the work mostly holds the GIL, and a second thread would slow the chats.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from server.data.errors import Crowded

WAITING_MAX = 64  # pieces of work, of a few milliseconds each

Made = TypeVar("Made")


class LogThread:
    """The thread of one process; it starts with the first piece of work."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(1, "log")
        self._waiting = 0

    async def run(self, work: Callable[[], Made]) -> Made:
        """Return or raise the result of `work`. Raises Crowded at once if the queue is full."""
        if self._waiting >= WAITING_MAX:
            raise Crowded("too many logs are packed or shown")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Accept no more work; running work ends by itself."""
        self._threads.shutdown(wait=False)
