"""Run chatting pairs and newcomers beside an attack, from their own addresses and process, so that only the server and the machine can delay
them; and lines through an echo beside them (`echo.Echo`), which only the machine can delay.
"""

import asyncio
import json
import time
from typing import Any, Final

from bench.attacks.echo import hear_echo
from bench.load.websocket_client import HEAD, Thin

EVERY: Final = 0.2  # seconds between two lines of a pair
NEWCOMER: Final = 0.5  # seconds between two who come
PATIENCE: Final = 30.0  # seconds for a line, and for `hello`; what takes longer counts as so long
FIND: Final = b'{"type":"find","interests":["bystanders %d"],"language":"fy"}'


class Person:
    """A connection: text frames are added to `heard` with their time of arrival. `head`: its request."""

    def __init__(self, head: bytes = HEAD) -> None:
        self.heard: asyncio.Queue[tuple[float, dict[str, Any]]] = asyncio.Queue()
        self._thin = Thin(lambda _: None, self._hear, lambda _: None, head)

    async def come(self, port: int) -> None:
        """Connect, until `hello`. Raises OSError, TimeoutError."""
        async with asyncio.timeout(PATIENCE):
            await asyncio.get_running_loop().create_connection(lambda: self._thin, "127.0.0.1", port)
            await self.until("hello")

    async def until(self, kind: str) -> tuple[float, dict[str, Any]]:
        """Return the next frame of a kind, and its time of arrival."""
        while (found := await self.heard.get())[1]["type"] != kind:
            pass
        return found

    def send(self, payload: bytes) -> None:
        """Send a text frame."""
        self._thin.send(payload)

    def go(self) -> None:
        """Disconnect."""
        self._thin.cut()

    def _hear(self, _: Thin, frame: bytes) -> None:
        self.heard.put_nowait((time.perf_counter(), json.loads(frame)))


class Bystanders:
    """Pairs, who speak in turn, and newcomers: seconds of each line and of each newcomer, lost lines.

    `echo`: the port of an echo, 0: none; `echoed`: seconds of each line through it.
    """

    def __init__(self, port: int, pairs: int = 1, echo: int = 0) -> None:
        self._port = port
        self._pairs = [(Person(), Person()) for _ in range(pairs)]
        self._echo = echo
        self._said: dict[int, float] = {}
        self.lines: list[float] = []
        self.echoed: list[float] = []
        self.came: list[float] = []
        self.lost = 0

    async def meet(self) -> None:
        """Match each pair."""
        async with asyncio.timeout(PATIENCE):
            for number, pair in enumerate(self._pairs):
                for person in pair:
                    await person.come(self._port)
                    person.send(FIND % number)
                for person in pair:
                    await person.until("matched")

    async def watch(self, seconds: float) -> None:
        """Talk and connect for `seconds`, then wait for what is in flight. Raises EchoEnded."""
        step = EVERY / len(self._pairs)
        turns = round(seconds / EVERY) * len(self._pairs)
        tasks = [asyncio.ensure_future(self._listen(pair[1], turns // len(self._pairs))) for pair in self._pairs]
        start = time.perf_counter()
        echo: asyncio.Task[list[float]] | None = None
        if self._echo:  # a byte between each two lines
            echo = asyncio.ensure_future(hear_echo(self._echo, start + step / 2, step, turns))
        newcomers = 0
        for turn in range(turns):
            await asyncio.sleep(max(0.0, start + turn * step - time.perf_counter()))
            self._said[turn] = time.perf_counter()
            self._pairs[turn % len(self._pairs)][0].send(b'{"type":"message","text":"%d"}' % turn)
            if turn * step // NEWCOMER >= newcomers:
                newcomers += 1
                tasks.append(asyncio.ensure_future(self._newcomer()))
        _, late = await asyncio.wait(tasks, timeout=PATIENCE)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.lost = len(self._said)
        self.lines += [PATIENCE] * self.lost
        self.came += [PATIENCE] * (newcomers - len(self.came))
        for pair in self._pairs:
            for person in pair:
                person.go()
        if echo is not None:
            self.echoed += await echo

    async def _listen(self, person: Person, turns: int) -> None:
        for _ in range(turns):
            at, frame = await person.until("message")
            self.lines.append(at - self._said.pop(int(frame["text"])))

    async def _newcomer(self) -> None:
        person, began = Person(), time.perf_counter()
        await person.come(self._port)
        self.came.append(time.perf_counter() - began)
        person.go()


def percentile(values: list[float], share: float) -> float:
    """Return the value that `share` of the sorted values do not exceed (nearest rank); 0 of no values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def in_ms(values: list[float], share: float) -> float:
    """Return the same in milliseconds with one digit."""
    return round(percentile(values, share) * 1000, 1)
