"""Reports, and what a program found, on their way to the store. Rule: what is reported is answered at once; what waits is bounded, in order.

While the store is away the oldest waits and is tried again with growing pauses. Beyond BOUND the newest is lost, counted and
logged: its reporter reads so at its receipt, for nothing stands behind that. Beyond PICTURES the newest waits without its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace

from server.data.errors import ObjectsAway, StoreAway
from server.ops import log
from server.trust.cases.report_cases import Cases
from server.trust.evidence.reported_chat import Reported

BOUND = 1_000  # reports that wait: 64 MiB of text at the worst
PICTURES = 64 * 1024 * 1024  # bytes of pictures that wait
BACKOFF = (0.2, 10.0)  # seconds: first and longest pause between tries

logger = log.get()


class Intake:
    """One queue, one task. `take` never blocks."""

    def __init__(self, cases: Cases, filed: Callable[[bytes, Reported], Awaitable[None]]) -> None:
        """`filed`: a report belongs to the case of this id; it raises nothing."""
        self._cases = cases
        self._filed = filed
        self._queue: deque[Reported] = deque()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._bytes = 0  # of pictures that wait
        self.taken = 0
        self.unseen = 0  # pictures that were lost
        self.lost = 0
        self.failures = 0

    def take(self, reported: Reported) -> bool:
        """False: the bound was reached, it is lost."""
        if len(self._queue) >= BOUND:
            self.lost += 1
            logger.error("safety.report_lost", count=self.lost)
            return False
        size = _size(reported)
        if self._bytes + size > PICTURES:
            self.unseen += len(reported.shown)
            logger.error("safety.pictures_lost", count=self.unseen)
            reported, size = replace(reported, shown=()), 0
        self._bytes += size
        self._queue.append(reported)
        self._idle.clear()
        self._wake.set()
        return True

    @property
    def waiting(self) -> int:
        """Reports that are not in the store yet."""
        return len(self._queue)

    def holds(self, receipt: bytes) -> bool:
        """Whether the report of this receipt still waits."""
        return any(reported.receipt == receipt for reported in self._queue)

    async def run(self) -> None:
        """Until it is cancelled."""
        pause = BACKOFF[0]
        while True:
            await self._wake.wait()
            try:
                case = await self._cases.take(self._queue[0])
            except (StoreAway, ObjectsAway, OSError):
                self.failures += 1
                await asyncio.sleep(pause)
                pause = min(pause * 2, BACKOFF[1])
                continue
            except Exception as error:  # noqa: BLE001 - a fault of ours costs this report, not those behind it
                self.lost += 1
                logger.error("safety.report_lost", count=self.lost, **log.described(error))
            else:
                self.taken += not self._queue[0].program
                await self._filed(case, self._queue[0])
            pause = BACKOFF[0]
            self._bytes -= _size(self._queue.popleft())
            if not self._queue:
                self._wake.clear()
                self._idle.set()

    async def flush(self, within: float) -> int:
        """Wait until all are in the store, `within` seconds at most; how many were lost by that."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), within)
        left = len(self._queue)
        self.lost += left
        return left


def _size(reported: Reported) -> int:
    """Bytes of its pictures."""
    return sum(len(one.body) for one in reported.shown)
