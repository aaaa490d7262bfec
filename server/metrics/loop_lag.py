"""How late the loop runs a timer: four times a second, into a histogram. Rule: it measures, and nothing waits for it."""

import asyncio
from bisect import bisect_left

from server.metrics.exposition import Buckets, Reading
from server.metrics.metric import LAG_BOUNDS

EVERY = 0.25  # seconds: enough that a stall of a second is seen four times, too little to cost anything


class Lag:
    """A timer that compares when it should have run with when it ran."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._counts = [0] * (len(LAG_BOUNDS) + 1)
        self._total = 0.0
        self._due = self._loop.time() + EVERY
        self._timer = self._loop.call_at(self._due, self._ring)

    def stop(self) -> None:
        """Measure no more."""
        self._timer.cancel()

    def source(self) -> Reading:
        """The histogram so far."""
        return {"serendip_loop_lag_seconds": Buckets(tuple(self._counts), self._total)}

    def _ring(self) -> None:
        now = self._loop.time()
        late = max(0.0, now - self._due)
        self._counts[bisect_left(LAG_BOUNDS, late)] += 1
        self._total += late
        self._due = now + EVERY
        self._timer = self._loop.call_at(self._due, self._ring)
