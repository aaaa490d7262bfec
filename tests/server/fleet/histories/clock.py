"""An event loop with a clock of its own: if nothing can happen now, it is at once the time of the next timer.

**Invariant:** no second of a history is one of the machine: however slow that is, whatever is ready comes before the clock moves.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable
from typing import Any, Final

BEGIN: Final = 1_000.0  # seconds: where the clock of each history begins
UNIX: Final = 1_796_000_000.0  # Unix seconds at that time


class Clock:
    """Seconds of a history, in place of those of `time`. Use it as a context manager."""

    def __init__(self) -> None:
        self.now = BEGIN

    def read(self) -> float:
        """Return monotonic seconds."""
        return self.now

    def wall(self) -> float:
        """Return Unix seconds."""
        return UNIX + self.now

    def __enter__(self) -> Clock:
        self._real = time.monotonic, time.time
        time.monotonic, time.time = self.read, self.wall
        return self

    def __exit__(self, *_: object) -> None:
        time.monotonic, time.time = self._real


class _Selector(selectors.EpollSelector):
    """Waits for no descriptor: the clock moves instead."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is not None and timeout > 0:
            self._clock.now += timeout
        return ready


class Loop(asyncio.SelectorEventLoop):
    """See the module."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        super().__init__(_Selector(clock))

    def time(self) -> float:
        return self._clock.now

    def turn(self, count: int = 1) -> None:
        """Let so many turns pass, in which no time does."""
        if count:
            self._left = count
            self._count_turn()
            self.run_forever()

    def _count_turn(self) -> None:
        """Stop behind the last turn that was asked for."""
        if self._left:
            self._left -= 1
            self.call_soon(self._count_turn if self._left else self.stop)

    def wait(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self.call_later(seconds, self.stop)
        self.run_forever()

    def do(self, work: Callable[[], Any]) -> Any:
        """Call a function as if the loop did, between two turns; what it returns."""
        asyncio._set_running_loop(self)
        try:
            return work()
        finally:
            asyncio._set_running_loop(None)
