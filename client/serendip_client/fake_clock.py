"""Provide a clock for tests that moves by `advance` alone, so that a grace period or a timeout needs no waiting.

It is the clock of the running event loop: `asyncio.sleep`, `asyncio.timeout` and `loop.call_later` of the tested program follow it, those of the
client and of `FakeServer` too. **Invariant:** each timer runs at its own time, in order, and what it causes happens before time moves on.
"""

import asyncio
import heapq
import time
from itertools import count
from typing import Any, Final

TURNS: Final = 25  # of the loop, in which what is due happens
ROUNDS: Final = 3  # of them, with a moment between in which the system delivers what was sent
MOMENT_S: Final = 0.001
PATIENCE_S: Final = 5.0  # real seconds after which a clock that was not moved goes on by itself, so that no test hangs


class FakeClock:
    """Clock of the running loop, as `async with FakeClock() as clock`. Only `advance` moves it.

    Raises RuntimeError for a loop that is not asyncio's own (uvloop). Real time counts again once it was not moved for PATIENCE_S.
    """

    def __init__(self) -> None:
        self._loop: asyncio.BaseEventLoop | None = None
        self._now = 0.0
        self._touched = 0.0  # real time of the last call
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._numbers = count()

    async def __aenter__(self) -> "FakeClock":
        loop = asyncio.get_running_loop()
        if not isinstance(loop, asyncio.BaseEventLoop):
            raise RuntimeError(f"a fake clock needs asyncio's own event loop, and this is {type(loop).__module__}")
        self._now, self._touched = loop.time(), time.monotonic()
        self._loop = loop
        for handle in getattr(loop, "_scheduled", ()):
            self._add(handle)
        real = loop.call_at

        def call_at(*args: Any, **more: Any) -> asyncio.TimerHandle:
            handle = real(*args, **more)
            self._add(handle)
            return handle

        vars(loop).update(time=self.time, call_at=call_at)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._loop is not None:
            for name in ("time", "call_at"):
                vars(self._loop).pop(name, None)

    def time(self) -> float:
        """Return the loop's time in seconds."""
        return self._now + max(0.0, time.monotonic() - self._touched - PATIENCE_S)

    async def advance(self, seconds: float) -> None:
        """Move on by so many seconds; each timer runs at its time, and what it causes has happened when this returns."""
        end = self.time() + seconds
        await self._move(self.time())
        while self._timers and self._timers[0][0] <= end:
            when, _, handle = heapq.heappop(self._timers)
            if when > self._now and not handle.cancelled():
                await self._move(when)
        await self._move(end)

    async def _move(self, now: float) -> None:
        """Set the time, and let all that is due then happen."""
        self._now, self._touched = now, time.monotonic()
        for _ in range(ROUNDS):
            for _ in range(TURNS):
                await asyncio.sleep(0)
            await asyncio.get_running_loop().run_in_executor(None, time.sleep, MOMENT_S)

    def _add(self, handle: asyncio.TimerHandle) -> None:
        heapq.heappush(self._timers, (handle.when(), next(self._numbers), handle))
