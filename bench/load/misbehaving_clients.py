"""Run misbehaving clients: leaving without a word, reading nothing, cut networks. Seeded; the outcomes are counted."""

import asyncio
import random
import socket
import time
from collections.abc import Callable

from bench.load import connection_cuts
from bench.load.websocket_client import HEAD, framed

EVERY = 1.0  # seconds between two calls of `tell`
PAIRS, LINES, CUTS = 4, 4_000, 100  # of a round of people who lose their connections at random bytes, and come back
SMALL = 4096  # bytes of the receive buffer of somebody who reads nothing
PATIENCE = 30.0  # seconds for two to meet
MATCHED = b'"type":"matched"'
FIND = b'{"type":"find","interests":["soak"],"language":"fr"}'
SLOW = b'{"type":"find","interests":["slow"],"language":"de"}'
LONG = b'{"type":"message","text":"' + b"x" * 1500 + b'"}'
COUNTED = ("gone", "slow", "cut", "resumed", "numbered", "lost", "doubled", "disordered", "ended")


class Rudeness:
    """All of them against one server, until `end` (monotonic seconds); `count`: outcomes, by COUNTED."""

    def __init__(self, port: int, end: float) -> None:
        self.count = dict.fromkeys(COUNTED, 0)
        self._port = port
        self._end = end
        self._random = random.Random(8)

    def over(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self._end

    async def gone(self) -> None:
        """Connect, search, and vanish."""
        while not self.over():
            _, writer = await connected(self._port)
            writer.write(framed(FIND))
            await asyncio.sleep(self._random.random() * 0.2)
            writer.transport.abort()
            self.count["gone"] += 1

    async def slow(self) -> None:
        """Send to a partner that never reads: its buffers fill, then the sender receives `slow`."""
        while not self.over():
            pairs = [await connected(self._port), await connected(self._port, SMALL)]
            for _, writer in pairs:
                writer.write(framed(SLOW))
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(*(reader.readuntil(MATCHED) for reader, _ in pairs))
            for _ in range(LINES):
                pairs[0][1].write(framed(LONG))
                await asyncio.sleep(0)
            await asyncio.sleep(min(2.0, max(0.0, self._end - time.monotonic())))
            for _, writer in pairs:
                writer.transport.abort()
            self.count["slow"] += 1

    async def torn(self) -> None:
        """Run pairs over a network that is cut at random bytes."""
        while not self.over():
            found = await connection_cuts.run(self._port, PAIRS, LINES, CUTS, seed=self.count["cut"])
            self.count["numbered"] += found.messages
            self.count["cut"] += found.cuts
            for name in ("resumed", "lost", "doubled", "disordered", "ended"):
                self.count[name] += getattr(found, name)


async def rudeness(port: int, seconds: float, tell: Callable[[], object]) -> dict[str, int]:
    """Run all until the time is over; `tell` is called every second, in a thread. Return the number of each of COUNTED."""
    people = Rudeness(port, time.monotonic() + seconds)

    async def watch() -> None:
        while not people.over():
            await asyncio.to_thread(tell)
            await asyncio.sleep(EVERY)

    await asyncio.gather(people.gone(), people.gone(), people.slow(), people.torn(), watch())
    return people.count


async def connected(port: int, room: int = 0) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a WebSocket whose upgrade was answered; `room`: bytes of its receive buffer, 0: the kernel's default."""
    sock = socket.socket()
    sock.setblocking(False)
    if room:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=4096)
    writer.write(HEAD)
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer
