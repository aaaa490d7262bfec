"""Run pairs of ordinary users who talk all the time, each from its own network, and count every wait, loss and refusal."""

import asyncio
import contextlib
import time
from collections import Counter
from typing import Final

from bench.hostile.scripted_client import Gone, Stranger, meet

MANY: Final = 50
EVERY: Final = 0.25  # seconds between two lines of a pair
LANGUAGE: Final = "fy"  # nobody else's here
PATIENCE: Final = 30.0  # seconds for what is on its way at the end


def cookie(number: int, side: int) -> str:
    """Return a cookie for a number."""
    return f"ordinary-{number}-{side}".ljust(22, "_")


class Pairs:
    """Talking pairs; `async with` begins when all have met. `first`: number of the first user, since two that met are not matched again."""

    def __init__(self, port: int, many: int = MANY, first: int = 0) -> None:
        self._port = port
        self._people = [
            tuple(Stranger(f"127.{200 + side}.{number}.1", cookie(number, side)) for side in (0, 1))
            for number in range(first, first + many)
        ]
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.waits: list[float] = []  # seconds of each line since `anew`
        self.said = 0  # lines, of all
        self.heard = 0

    async def __aenter__(self) -> "Pairs":
        for number, (one, two) in enumerate(self._people):
            await meet(self._port, one, two, language=LANGUAGE, interests=[f"ordinary {number}"])
        self._tasks = [
            asyncio.create_task(self._talk(number, one, two)) for number, (one, two) in enumerate(self._people)
        ]
        return self

    async def __aexit__(self, *__: object) -> None:
        self._stop.set()
        _, late = await asyncio.wait(self._tasks, timeout=PATIENCE)
        for task in late:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for person in self._all():
            person.go()

    def anew(self) -> list[float]:
        """Return the waits so far, and start counting anew."""
        found, self.waits = self.waits, []
        return found

    @property
    def lost(self) -> int:
        """Number of lines that did not arrive."""
        return self.said - self.heard

    @property
    def refused(self) -> dict[str, int]:
        """Error codes and close codes that any of them received."""
        found: Counter[str] = Counter()
        for person in self._all():
            found += person.codes
            if person.closed:
                found[str(person.closed)] += 1
        return dict(found)

    def _all(self) -> list[Stranger]:
        return [person for two in self._people for person in two]

    async def _talk(self, number: int, one: Stranger, two: Stranger) -> None:
        """Send a line every EVERY seconds, from either side in turn; each pair starts at its own moment."""
        start = time.perf_counter() + EVERY * number / len(self._people)
        turn = 0
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), max(0.0, start + turn * EVERY - time.perf_counter()))
            speaker, listener = (one, two) if turn % 2 else (two, one)
            begun = time.perf_counter()
            self.said += 1
            speaker.send({"type": "message", "text": f"line {turn}"})
            try:
                frame = await listener.until("message")
            except (Gone, TimeoutError):
                return
            if frame["text"] == f"line {turn}":
                self.heard += 1
                self.waits.append(time.perf_counter() - begun)
            turn += 1
