"""Run newcomers while a server is upgraded: users who search, and a reader of pages on one connection. Everyone not served is counted."""

import asyncio
import contextlib
import time
from collections.abc import Callable

from bench.load.websocket_client import Thin

PATIENCE = 10.0  # seconds that somebody waits for an answer
PAGES = 0.1  # seconds between two pages
PAGE = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
OK = b"HTTP/1.1 200"


class Newcomer:
    """Client that connects, searches, receives `waiting`, and leaves."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.served: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def come(self, port: int) -> bool:
        """Whether all of it succeeded. Raises OSError if no server listens, TimeoutError."""
        loop = asyncio.get_running_loop()
        _, thin = await loop.create_connection(self._made(), "127.0.0.1", port)
        try:
            return await asyncio.wait_for(self.served, PATIENCE)
        finally:
            thin.cut()

    def _made(self) -> Callable[[], Thin]:
        return lambda: Thin(self._opened, self._hear, self._lost)

    def _opened(self, thin: Thin) -> None:
        thin.send(b'{"type":"find","interests":["newcomer %d"],"strict":true}' % self.number)

    def _hear(self, _: Thin, frame: bytes) -> None:
        if frame.startswith((b'{"type":"waiting"', b'{"type":"error"')) and not self.served.done():
            self.served.set_result(frame.startswith(b'{"type":"waiting"'))

    def _lost(self, _: Thin) -> None:
        if not self.served.done():
            self.served.set_result(False)


class Newcomers:
    """`rate` newcomers a second, and a reader of pages; `unserved` and `unanswered` must be 0."""

    def __init__(self, port: int, rate: float) -> None:
        self._port = port
        self._rate = rate
        self._times: list[float] = []
        self._coming: set[asyncio.Task[None]] = set()
        self.unserved = 0
        self.pages = 0
        self.unanswered = 0

    async def run(self) -> None:
        """Run until cancelled; newcomers in progress are then dropped."""
        reading = asyncio.create_task(self._read())
        number = 0
        try:
            while True:
                number += 1
                task = asyncio.create_task(self._come(number))
                self._coming.add(task)
                task.add_done_callback(self._coming.discard)
                await asyncio.sleep(1 / self._rate)
        finally:
            for task in (reading, *self._coming):
                task.cancel()
            await asyncio.gather(reading, *self._coming, return_exceptions=True)

    def figures(self) -> dict[str, float]:
        """Return the figures so far; times from the first byte of a connection to `waiting`."""
        return {
            "served": len(self._times),
            "unserved": self.unserved,
            "longest_ms": round(max(self._times, default=0.0) * 1e3, 2),
            "pages": self.pages,
            "unanswered": self.unanswered,
        }

    async def _come(self, number: int) -> None:
        begun = time.perf_counter()
        try:
            served = await Newcomer(number).come(self._port)
        except (OSError, TimeoutError):
            served = False
        if served:
            self._times.append(time.perf_counter() - begun)
        else:
            self.unserved += 1

    async def _read(self) -> None:
        """Read pages over one kept connection; if the server closes it, that is counted and another is made."""
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                with contextlib.closing(writer):
                    while True:
                        await self._page(reader, writer)
                        await asyncio.sleep(PAGES)
            except (OSError, EOFError, TimeoutError):
                self.unanswered += 1
                await asyncio.sleep(PAGES)

    async def _page(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(PAGE)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await asyncio.wait_for(reader.readexactly(length), PATIENCE)
        if head.startswith(OK):
            self.pages += 1
        else:
            self.unanswered += 1
