"""Queue reports and detections in memory until the store has saved them.

**Invariant:** the reporter is answered at once, without waiting for the store; the queue is bounded and keeps its order.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace

from server.data.errors import ObjectsAway, StoreAway
from server.ops import log
from server.ops.process.first_done import is_set_within
from server.trust.cases.report_cases import Cases
from server.trust.evidence.reported_chat import Reported

BOUND = 1_000  # waiting reports: 64 MiB of text at most
PICTURES = 64 * 1024 * 1024  # bytes of waiting pictures
BACKOFF = (0.2, 10.0)  # seconds: first and longest pause between tries

logger = log.get()


class Intake:
    """A queue with one task. `take` never blocks.

    While the store is away the oldest is retried with growing pauses. Beyond BOUND the newest is lost, counted and logged: its receipt has no row,
    which its reporter reads there. Beyond PICTURES the newest waits without its own pictures.
    """

    def __init__(
        self,
        cases: Cases,
        weigh: Callable[[Reported], Awaitable[bool]],
        filed: Callable[[bytes, Reported, bool], Awaitable[None]],
    ) -> None:
        """`weigh`: returns whether a report counts against its subject, and raises StoreAway; `filed`: called with the case's id and that when a
        report is stored; it raises nothing.
        """
        self._cases = cases
        self._weigh = weigh
        self._filed = filed
        self._queue: deque[Reported] = deque()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._bytes = 0  # of waiting pictures
        self.taken = 0
        self.unseen = 0  # lost pictures
        self.lost = 0
        self.failures = 0

    def take(self, reported: Reported) -> bool:
        """Queue a report. False: the queue is full, and the report is lost."""
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
        """Reports that are not yet in the store."""
        return len(self._queue)

    def holds(self, receipt: bytes) -> bool:
        """Whether the report of this receipt is still queued."""
        return any(reported.receipt == receipt for reported in self._queue)

    async def run(self) -> None:
        """Store queued reports until cancelled."""
        pause = BACKOFF[0]
        while True:
            await self._wake.wait()
            try:
                weighs = await self._weigh(self._queue[0])  # before it is stored: then both are retried, or neither
                case = await self._cases.take(self._queue[0])
            except (StoreAway, ObjectsAway, OSError):
                self.failures += 1
                await asyncio.sleep(pause)
                pause = min(pause * 2, BACKOFF[1])
                continue
            except Exception as error:  # noqa: BLE001 - a bug costs this report, not those after it
                self.lost += 1
                logger.error("safety.report_lost", count=self.lost, **log.described(error))
            else:
                self.taken += not self._queue[0].program
                await self._filed(case, self._queue[0], weighs)
            pause = BACKOFF[0]
            self._bytes -= _size(self._queue.popleft())
            if not self._queue:
                self._wake.clear()
                self._idle.set()

    async def flush(self, within: float) -> int:
        """Wait until all are stored, `within` seconds at most. Return how many were lost."""
        await is_set_within(self._idle, within)
        left = len(self._queue)
        self.lost += left
        return left


def _size(reported: Reported) -> int:
    """Return the bytes of a report's pictures."""
    return sum(len(one.body) for one in reported.shown)
