"""The network between hosts: connections that are slow, cut, silent or said twice, and the bus (NATS), which loses, doubles and delays messages.

What happens to the next connection and the next message is drawn by the history; if nothing is drawn, all is well.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import Counter, deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

from server.fleet.processes.session_lookup import FARTHER
from server.ops.process.listening_sockets import listen_at

LATE: Final = 0.3  # seconds for a message that is late: others, and beats, overtake it
SILENT_FOR: Final = 3.0  # seconds until a connection that says nothing more ends: longer than anyone waits for a word
KNOWN_AFTER: Final = 0.001  # seconds until all that follows in the moment of its end has been done
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
        self.ending = 0  # connections that were cut silently, and of which not all know that they ended
        self.tally: Counter[str] = Counter()

    def fate(self) -> Fate:
        """Return that of a new connection."""
        fate = self.fates.popleft() if self.fates else WELL
        is_early = 0 in (fate.there, fate.back)
        self.tally["cut early"] += is_early
        self.tally["cut late"] += not is_early and (fate.there > 0 or fate.back > 0)
        self.tally["slow"] += fate.slow > 0
        self.tally["too slow"] += fate.slow > FARTHER
        self.tally["twice"] += bool(fate.twice)
        return fate

    def ended(self) -> None:
        """Note that all know of a connection that it ended."""
        self.ending -= 1

    def heal(self) -> None:
        """Let all be well from now on, with open connections too, but for those that were cut."""
        self.heals += 1
        self.fates.clear()
        self.mishaps.clear()
        for bus in self.buses:
            bus.reach()

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

    def __init__(self, network: Network, handlers: dict[str, Handler], begun: Callable[[], None]) -> None:
        self._network = network
        self.handlers = handlers
        self._begun = begun
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

    def reach(self) -> None:
        """Connect to NATS again, if it was away."""
        if self.cut:
            self.cut = False
            self.connects += 1
            self._begun()

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
        self.network = network
        self.home = ("127.0.0.1", to)
        self._sock = listen_at("127.0.0.1", 0)
        self._sock.setblocking(False)
        self.port: int = self._sock.getsockname()[1]
        self.is_open = True
        self._delayed: list[Callable[[], None]] = []  # what waits until the host is reached again
        self.connections: set[Connection] = set()
        self.repeats: set[asyncio.Task[None]] = set()
        asyncio.get_running_loop().add_reader(self._sock, self._accept)

    def cut_off(self, on: bool) -> None:
        """Let nothing pass, or all of it."""
        self.is_open = not on
        if not on:
            loop, delayed, self._delayed = asyncio.get_running_loop(), self._delayed, []
            for passes in delayed:
                loop.call_soon(passes)

    def delay(self, passes: Callable[[], None]) -> None:
        """Call it when the host is reached again."""
        self._delayed.append(passes)

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            Connection(self, self._sock.accept()[0], self.network.fate())

    def repeat(self, pieces: Sequence[bytes]) -> None:
        """Say the first pieces of a connection again in another one."""
        task = asyncio.get_running_loop().create_task(self._repeat(pieces))
        self.repeats.add(task)
        task.add_done_callback(self.repeats.discard)

    async def _repeat(self, pieces: Sequence[bytes]) -> None:
        loop = asyncio.get_running_loop()
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.setblocking(False)
            await loop.sock_connect(sock, self.home)
            for piece in pieces[:REPEATED]:
                await loop.sock_sendall(sock, piece)
                async with asyncio.timeout(REPEATED_WITHIN):
                    if not await loop.sock_recv(sock, LARGEST):
                        return

    async def close(self) -> None:
        """Nothing stays."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._sock)
        self._sock.close()
        for connection in list(self.connections):
            connection.close()
        for task in self.repeats:
            task.cancel()
        await asyncio.gather(*self.repeats, return_exceptions=True)


class Connection:
    """One connection to a host, in two directions. A direction reads nothing while a piece of it is on its way."""

    def __init__(self, road: Road, client: socket.socket, fate: Fate) -> None:
        self.road, self.fate = road, fate
        self.said: list[bytes] = []  # the first pieces of the client
        self._heals = road.network.heals
        self._ends = client, home = client, socket.socket()
        for end in self._ends:
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else the kernel waits, by its own clock
        self._timer: asyncio.TimerHandle | None = None  # until a silent connection ends
        self._is_over = False
        road.connections.add(self)
        home.connect_ex(road.home)  # it is there at once, or refused: both are on this machine
        self._ways = (
            Direction(self, client, home, fate.there, self.said),
            Direction(self, home, client, fate.back, None),
        )

    @property
    def is_harmed(self) -> bool:
        """Whether its fate holds: all was not made well since it began."""
        return self._heals == self.road.network.heals

    @property
    def takes(self) -> bool:
        """Whether a piece that was on its way may arrive: nothing does once the connection is over, or silent."""
        return not self._is_over and self._timer is None

    def on_end(self, end: str) -> None:
        """One direction ended."""
        if end == CUT and self.fate.silent:
            for way in self._ways:
                way.stop()
            self.road.network.ending += 1
            self._timer = asyncio.get_running_loop().call_later(SILENT_FOR, self._reset)
        elif end != HALF:
            self._reset()
        elif all(way.end == HALF for way in self._ways):
            self.close()
            self._say_again()

    def _reset(self) -> None:
        for end in self._ends:  # an end without a reset is what a process leaves that died
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.close()
        self._say_again()

    def _say_again(self) -> None:
        if self.fate.twice == END and self.said:
            self.road.repeat(self.said)

    def close(self) -> None:
        """Close both ends."""
        if self._timer is not None:
            self._timer.cancel()
            asyncio.get_running_loop().call_later(KNOWN_AFTER, self.road.network.ended)
        self._is_over = True
        for way in self._ways:
            way.stop()
        for end in self._ends:
            end.close()
        self.road.connections.discard(self)


class Direction:
    """One direction of a connection. `most`: pieces that pass, -1: all; `said`: gets the first pieces."""

    def __init__(
        self, connection: Connection, one: socket.socket, other: socket.socket, most: int, said: list[bytes] | None
    ) -> None:
        self._connection = connection
        self._one, self._other = one, other
        self._most, self._said = most, said
        self._count = 0
        self.end = ""  # how it ended
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(one, self._read)

    def stop(self) -> None:
        """Read no more."""
        self._loop.remove_reader(self._one)

    def _read(self) -> None:
        try:
            data = self._one.recv(LARGEST)
        except BlockingIOError:
            return
        except OSError:
            self._over(GONE)
            return
        connection = self._connection
        if connection.road.is_open and not (connection.fate.slow and connection.is_harmed):
            self._pass(data)
            return
        self.stop()
        self._delay(data)

    def _delay(self, data: bytes) -> None:
        """Let a piece wait until the host is reached, and then for as long as the connection is slow."""
        connection = self._connection
        if not connection.road.is_open:
            connection.road.delay(partial(self._delay, data))
        elif connection.fate.slow and connection.is_harmed:
            self._loop.call_later(connection.fate.slow, self._arrive, data)
        else:
            self._arrive(data)

    def _arrive(self, data: bytes) -> None:
        """A piece that waited arrives."""
        if self._connection.takes:
            self._loop.add_reader(self._one, self._read)
            self._pass(data)

    def _pass(self, data: bytes) -> None:
        connection = self._connection
        try:
            if not data:
                self._other.shutdown(socket.SHUT_WR)
                self._over(HALF)
            elif self._count == self._most and connection.is_harmed:
                if connection.fate.half:
                    self._send(data[: len(data) // 2])
                self._over(CUT)
            else:
                if self._said is not None and self._count < REPEATED:
                    self._said.append(data)
                self._send(data)
                self._count += 1
                if self._said is not None and connection.fate.twice == ONCE and self._count == 2:
                    connection.road.repeat(self._said)
        except OSError:
            self._over(GONE)

    def _send(self, data: bytes) -> None:
        sent = self._other.send(data)
        assert sent == len(data), "a piece is no larger than what a socket takes at once"

    def _over(self, end: str) -> None:
        self.stop()
        self.end = end
        self._connection.on_end(end)
