"""An event loop with a clock of its own: if nothing can happen now, it is at once the time of the next timer.

**Invariant:** no second of a history is one of the machine: however slow that is, whatever is ready comes before the clock moves.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

BEGIN: Final = 1_000.0  # seconds: where the clock of each history begins
TURNS_MAX: Final = 10_000  # of one moment
UNIX: Final = 1_796_000_000.0  # Unix seconds at that time


class RestlessError(Exception):
    """The loop never comes to rest."""


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
    """Waits for no descriptor: the clock moves instead, unless it is `still`."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self.still = False
        self.found = False  # whether a descriptor was ready the last time

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        self.found = bool(ready)
        if not ready and not self.still and timeout is not None and timeout > 0:
            self._clock.now += timeout
        return ready


class Loop(asyncio.SelectorEventLoop):
    """See the module. It runs a turn at a time: `run_forever` would cost as much as the turn."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waits = _Selector(clock)
        super().__init__(self._waits)

    def time(self) -> float:
        return self._clock.now

    def turn(self, count: int = 1) -> None:
        """Let so many turns pass, in which no time does; fewer, if nothing is left to be done before time passes."""
        self._waits.still = True
        try:
            self.do(partial(self._turn, count))
        finally:
            self._waits.still = False

    def _turn(self, count: int) -> None:
        for _ in range(count):
            had_work = bool(self._ready)  # type: ignore[attr-defined]
            self._run_once()  # type: ignore[attr-defined]
            if not (had_work or self._waits.found):
                return

    def wait(self, seconds: float) -> None:
        """Let so many seconds pass."""
        over = asyncio.Event()
        self.call_later(seconds, over.set)
        self.do(partial(self._turn_until, over))

    def _turn_until(self, over: asyncio.Event) -> None:
        now, turns = self._clock.now, 0
        while not over.is_set():
            self._run_once()  # type: ignore[attr-defined]
            turns += 1
            if self._clock.now > now:
                now, turns = self._clock.now, 0
            elif turns > TURNS_MAX:
                raise RestlessError(f"{TURNS_MAX} turns in which no time passed: parts answer each other for ever")

    def do(self, work: Callable[[], Any]) -> Any:
        """Call a function as if the loop did, between two turns; what it returns."""
        asyncio._set_running_loop(self)
        try:
            return work()
        finally:
            asyncio._set_running_loop(None)
