"""Where logs are packed, sealed, unpacked and made into pages: one thread. Rule: never in the loop, and only so much waits.

One is enough: what it does holds Python's lock for the most part, and a second thread would only take more of it from those who talk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from server.data.errors import Crowded

WAITING_MAX = 64  # pieces of work, of a few milliseconds each

Made = TypeVar("Made")


class Workshop:
    """Of one process; the thread begins with the first piece of work."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(1, "log")
        self._waiting = 0

    async def do(self, work: Callable[[], Made]) -> Made:
        """What `work` returns or raises. Raises Crowded, at once, where too much waits."""
        if self._waiting >= WAITING_MAX:
            raise Crowded("too many logs are packed or shown")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """No more work is taken; what runs ends by itself."""
        self._threads.shutdown(wait=False)
