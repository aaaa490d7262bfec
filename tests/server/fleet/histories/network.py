"""The network between hosts: connections that are slow, cut, silent or said twice, and the bus (NATS), which loses, doubles and delays messages.

What happens to the next connection and the next message is drawn by the history; if nothing is drawn, all is well.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import Counter, deque
from collections.abc import Callable
from typing import Final, NamedTuple

from server.ops.process.listening_sockets import listen_at

LATE: Final = 0.3  # seconds for a message that is late: others, and beats, overtake it
SILENT_FOR: Final = 3.0  # seconds until a connection that says nothing more ends: longer than anyone waits for a word
CUT, HALF, GONE = "cut", "half of it is closed", "gone"  # how one direction of a connection ended
ONCE, END = "once", "end"  # when a request is said again
REPEATED: Final = 3  # pieces that are: a request, the answer to a challenge, if there was one, and GO
REPEATED_WITHIN: Final = 0.5  # seconds for an answer to one
RESET: Final = struct.pack("ii", 1, 0)
LARGEST: Final = 1 << 20  # bytes of one piece

Handler = Callable[[bytes], None]


class Fate(NamedTuple):
    """What becomes of one connection. `there`, `back`: pieces that pass, -1: all; a piece is a request, an answer, GO, an acknowledgement, or
    some frames. `half`: of the next piece the first half passes too. `silent`: after a cut nothing passes and neither side learns of it; else
    both see an end. `slow`: seconds for each piece. `twice`: the first pieces, a request and GO, are said once more in another connection: ONCE
    they passed, or at the END of this one.
    """

    there: int = -1
    back: int = -1
    half: bool = False
    silent: bool = False
    slow: float = 0.0
    twice: str = ""


WELL: Final = Fate()


class Network:
    """The network of one history."""

    def __init__(self) -> None:
        self.fates: deque[Fate] = deque()  # of the next connections
        self.mishaps: deque[str] = deque()  # of the next messages: "", "lost", "doubled", "late"
        self.buses: list[Bus] = []
        self.heals = 0
        self.ending = 0  # connections that were cut silently, and have not ended
        self.tally: Counter[str] = Counter()

    def fate(self) -> Fate:
        """Return that of a new connection."""
        fate = self.fates.popleft() if self.fates else WELL
        self.tally["cut"] += fate.there >= 0 or fate.back >= 0
        self.tally["slow"] += fate.slow > 0
        self.tally["twice"] += bool(fate.twice)
        return fate

    def heal(self) -> None:
        """Let all be well from now on, with open connections too, but for those that were cut."""
        self.heals += 1
        self.fates.clear()
        self.mishaps.clear()
        for bus in self.buses:
            bus.cut = False

    def say(self, bus: Bus, subject: str, body: bytes) -> None:
        """Deliver a message to all who subscribe."""
        mishap = self.mishaps.popleft() if self.mishaps else ""
        self.tally[mishap or "messages"] += 1
        if mishap == "lost":
            return
        loop = asyncio.get_running_loop()
        for other in self.buses:
            if subject not in other.handlers:
                continue
            if mishap == "late":
                loop.call_later(LATE, other.hear, subject, body)
                continue
            for _ in range(2 if mishap == "doubled" else 1):
                loop.call_soon(other.hear, subject, body)


class Bus:
    """In place of one host's `NatsBus`. `cut`: NATS is away."""

    def __init__(self, network: Network, handlers: dict[str, Handler]) -> None:
        self._network = network
        self.handlers = handlers
        self.cut = False
        self.connects = 1
        self.dropped: Counter[str] = Counter()
        network.buses.append(self)

    @property
    def up(self) -> bool:
        """See `NatsBus`."""
        return not self.cut

    takes = up

    @property
    def trouble(self) -> str | None:
        """See `NatsBus`."""
        return "cut" if self.cut else None

    def renew(self) -> None:
        """See `NatsBus`: the connection is the same."""

    def say(self, subject: str, body: bytes) -> None:
        """See `NatsBus`."""
        if not self.cut:
            self._network.say(self, subject, body)

    def hear(self, subject: str, body: bytes) -> None:
        """A message arrives."""
        if not self.cut:
            self.handlers[subject](body)

    def leave(self) -> None:
        """Its host is dead."""
        self.cut = True
        self._network.buses.remove(self)


class Road:
    """The way to one host's port, for all others: a TCP proxy."""

    def __init__(self, to: int, network: Network) -> None:
        self._to = to
        self._network = network
        self._sock = listen_at("127.0.0.1", 0)
        self._sock.setblocking(False)
        self.port: int = self._sock.getsockname()[1]
        self._open = asyncio.Event()  # cleared: the host is cut off
        self._open.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._start(self._accept())

    def cut_off(self, on: bool) -> None:
        """Let nothing pass, or all of it."""
        (self._open.clear if on else self._open.set)()

    def _start(self, work: object) -> None:
        task = asyncio.get_running_loop().create_task(work)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self) -> None:
        while True:
            sock, _ = await asyncio.get_running_loop().sock_accept(self._sock)
            fate = self._network.fate()
            self._start(self._carry(sock, fate, self._network.heals))

    async def _carry(self, client: socket.socket, fate: Fate, heals: int) -> None:
        loop = asyncio.get_running_loop()
        said: list[bytes] = []
        with client, socket.socket() as home, contextlib.suppress(OSError):
            for end in (client, home):
                end.setblocking(False)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else the kernel waits, by its own clock
            await loop.sock_connect(home, ("127.0.0.1", self._to))
            ways = [
                loop.create_task(self._way(client, home, fate, heals, fate.there, said)),
                loop.create_task(self._way(home, client, fate, heals, fate.back, None)),
            ]
            try:
                done, left = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                ends = {task.result() for task in done}
                if CUT in ends and fate.silent:
                    for task in left:
                        task.cancel()
                    self._network.ending += 1
                    try:
                        await asyncio.sleep(SILENT_FOR)
                    finally:
                        self._network.ending -= 1
                elif ends == {HALF} and left:
                    await asyncio.wait(left)
                    ends = {way.result() for way in ways}
                if ends != {HALF}:
                    for end in (client, home):  # an end without a reset is what a process leaves that died
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            finally:
                for task in ways:
                    task.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        if fate.twice == END and said:
            await self._repeat(said)

    async def _way(
        self, one: socket.socket, other: socket.socket, fate: Fate, heals: int, most: int, said: list[bytes] | None
    ) -> str:
        """Carry one direction; how it ended. `heals`: how often all was made well before it began; `said`: gets the first pieces."""
        loop = asyncio.get_running_loop()
        count = 0
        with contextlib.suppress(OSError):
            while True:
                data = await loop.sock_recv(one, LARGEST)
                await self._open.wait()
                if fate.slow and heals == self._network.heals:
                    await asyncio.sleep(fate.slow)
                if not data:
                    other.shutdown(socket.SHUT_WR)
                    return HALF
                if count == most and heals == self._network.heals:
                    if fate.half:
                        await loop.sock_sendall(other, data[: len(data) // 2])
                    return CUT
                if said is not None and count < REPEATED:
                    said.append(data)
                await loop.sock_sendall(other, data)
                count += 1
                if said is not None and fate.twice == ONCE and count == 2:
                    self._start(self._repeat(said))
        return GONE

    async def _repeat(self, pieces: list[bytes]) -> None:
        loop = asyncio.get_running_loop()
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.setblocking(False)
            await loop.sock_connect(sock, ("127.0.0.1", self._to))
            for piece in pieces[:REPEATED]:
                await loop.sock_sendall(sock, piece)
                async with asyncio.timeout(REPEATED_WITHIN):
                    if not await loop.sock_recv(sock, LARGEST):
                        return

    async def close(self) -> None:
        """Nothing stays."""
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        self._sock.close()
