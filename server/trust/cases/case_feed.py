"""Keep the last new cases in order, for programs that follow them, and find new ones in the store.

Each event has a number; its place, `BOOT-NUMBER`, is what a follower names to continue. Cases are found by asking the store once in PERIOD for
all followers together, so that it does not matter which process or host opened them.

A look asks for the number of cases of the last day, and for more only if it changed, or every COUNT_EVERY seconds: the number of all cases then
shows that there are new ones which a look does not return (they were written too late, or too many came at once), or that it returns old ones
again (the clock was set back).

**Invariant:** a follower learns of every case exactly once, or learns that its place is lost; memory is bounded by RING.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from server.trust.cases.case_queues import NewCase, OpenedCases, Queues

PERIOD: Final = 1.0  # seconds between two looks
COUNT_EVERY: Final = 60.0  # seconds between two counts of all cases
LATE: Final = 86_400  # seconds by which a case may be written after its report: another host may not have reached the database that long
COUNTED: Final = 30 * 86_400  # seconds before the first look from which cases are counted: the purge deletes older ones
RING: Final = 1000  # events that can be followed again


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """A new case, and its number."""

    number: int
    case: NewCase


class CaseFeed:
    """New cases of one store. It asks for them only while a program follows; what was opened meanwhile is found at the next look."""

    def __init__(
        self, cases: Queues, period: float = PERIOD, ring: int = RING, count_every: float = COUNT_EVERY
    ) -> None:
        self._cases = cases
        self._period = period
        self._count_every = count_every
        self._ring: deque[FeedEvent] = deque(maxlen=ring)
        self._boot = secrets.token_hex(4)
        self._number = 0  # of the last event
        self._found: OpenedCases | None = None  # by the last look that counted all; None: before the first one
        self._since = 0  # Unix seconds of that look
        self._counted = 0.0  # the same, monotonic
        self._count_from = 0  # Unix seconds
        self._looked = 0.0  # monotonic seconds of the last look
        self._lock = asyncio.Lock()
        self._closing = asyncio.Event()

    async def look(self) -> None:
        """Find new cases, unless a follower has looked within the period. Raises StoreAway."""
        async with self._lock:
            last, now, monotonic = self._found, self._cases.now, time.monotonic()
            if last is not None and monotonic - self._looked < self._period:
                return
            is_due = now < self._since or monotonic - self._counted >= self._count_every
            if last is not None and not is_due and last.recent == await self._cases.count_opened(self._since - LATE):
                self._looked = time.monotonic()
                return
            self._count_from = self._count_from or now - COUNTED
            since, most = (self._since or now) - LATE, self._ring.maxlen or RING
            found = self._found = await self._cases.opened_since(since, most, self._count_from, now - LATE)
            self._since, self._counted, self._looked = now, monotonic, time.monotonic()
            if last is None:
                return
            known = {one.id for one in last.newest}
            new = [one for one in found.newest if one.id not in known]
            grown = found.count - last.count
            if grown != len(new):
                self._boot = secrets.token_hex(4)
                self._ring.clear()
                return
            for one in new:
                self._number += 1
                self._ring.append(FeedEvent(self._number, one))

    def place(self, number: int | None = None) -> str:
        """Return the place after an event; None: after the last one."""
        return f"{self._boot}-{self._number if number is None else number}"

    def after(self, place: str) -> Sequence[FeedEvent] | None:
        """Return the events after a place, oldest first; None: the place is lost, and only a list of all cases tells what is new."""
        boot, _, digits = place.partition("-")
        if boot != self._boot or not (digits.isascii() and digits.isdigit() and len(digits) < 16):
            return None
        number = int(digits)
        if not self._number - len(self._ring) <= number <= self._number:
            return None
        return [one for one in self._ring if one.number > number]

    async def pause(self) -> bool:
        """Wait for the next look. False if the feed is closed."""
        try:
            async with asyncio.timeout(self._period):
                await self._closing.wait()
        except TimeoutError:
            return True
        return False

    def close(self) -> None:
        """End the waiting of all followers."""
        self._closing.set()
