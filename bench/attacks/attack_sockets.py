"""Open an attack's connections and hold them until its end time: to one target, from the given source addresses. The sockets are blocking; an
attacker that is refused goes on."""

import contextlib
import select
import socket
import time
from collections.abc import Sequence

from bench.load.websocket_client import HEAD, framed

PATIENCE = 2.0  # seconds for an answer that has to come before an attacker can go on
HELD = 20_000  # connections that are remembered before those that are closed are forgotten
SAY = b'{"type":"message","text":"%s"}'
MATCHED = b'"type":"matched"'


class Aim:
    """Target of an attack: the server on `port` of 127.0.0.1, until `end` (monotonic seconds). Leaving `with` closes every connection."""

    def __init__(self, port: int, end: float) -> None:
        self.port = port
        self.end = end
        now = time.monotonic()
        self._ready = now + (end - now) / 3
        self._socks: list[socket.socket] = []

    def __enter__(self) -> "Aim":
        return self

    def __exit__(self, *_: object) -> None:
        for sock in self._socks:
            sock.close()

    def over(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self.end

    def rest(self) -> None:
        """Wait for the end with all connections open."""
        time.sleep(max(0.0, self.end - time.monotonic()))

    def tcp(self, who: int = 0, room: int = 0) -> socket.socket:
        """Open a connection from address `who`; `room`: bytes of its receive buffer, 0: the kernel's default. Raises OSError."""
        sock = socket.socket()
        if len(self._socks) >= HELD:
            self._socks = [old for old in self._socks if old.fileno() >= 0]
        self._socks.append(sock)
        try:
            if room:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(PATIENCE)
            sock.bind((address(who), 0))
            sock.connect(("127.0.0.1", self.port))
        except OSError:
            sock.close()
            raise
        return sock

    def ws(self, who: int = 0, room: int = 0) -> socket.socket:
        """Open a WebSocket. Raises OSError, also if it is refused."""
        sock = self.tcp(who, room)
        try:
            sock.sendall(HEAD)
            if not sock.recv(4096).startswith(b"HTTP/1.1 101"):
                raise ConnectionRefusedError
        except OSError:
            sock.close()
            raise
        return sock

    def many(self, number: int, people: int = 1, room: int = 0) -> list[socket.socket]:
        """Open up to `number` WebSockets from `people` addresses in turn, as many as are accepted in a third of the time."""
        found: list[socket.socket] = []
        for turn in range(number):
            if time.monotonic() > self._ready and found:
                break
            with contextlib.suppress(OSError):
                found.append(self.ws(turn % people, room))
        return found

    def pairs(self, number: int, people: int, find: bytes, room: int = 0) -> list[tuple[socket.socket, socket.socket]]:
        """Start chats of two attackers, as many as begin in a third of the time.

        `find`: the frame of their search, `%d` for the number of the pair; `room`: receive buffer of the second.
        """
        found: list[tuple[socket.socket, socket.socket]] = []
        for turn in range(number):
            if self.over() or (time.monotonic() > self._ready and found):
                break
            with contextlib.suppress(OSError):
                one, two = self.ws(2 * turn % people), self.ws((2 * turn + 1) % people, room)
                for sock in (one, two):
                    sock.sendall(framed(find % turn))
                if until(one, MATCHED):
                    found.append((one, two))
        return found


def address(who: int) -> str:
    """Return a loopback address for each number; none is a bystander's."""
    return f"127.{1 + who // 65_000 % 200}.{who % 65_000 // 250}.{1 + who % 250}"


def until(sock: socket.socket, mark: bytes) -> bool:
    """Read until `mark`. Return False if the connection ends before."""
    data = b""
    with contextlib.suppress(OSError):
        while mark not in data:
            part = sock.recv(65536)
            if not part:
                return False
            data += part
        return True
    return False


def pour(aim: Aim, socks: Sequence[socket.socket], *packets: bytes, read: bool = True, pause: float = 0.0) -> int:
    """Send bytes to all connections as fast as they accept them, until the time or the last connection is over. Return how often they were sent.

    `packets`: one for all, or one each; `read`: read the answers; `pause`: seconds between two rounds.
    """
    data = {sock.fileno(): packets[at % len(packets)] for at, sock in enumerate(socks)}
    left = {sock.fileno(): (sock, memoryview(data[sock.fileno()])) for sock in socks}
    sent = 0
    for sock, _ in left.values():
        sock.setblocking(False)
    while left and not aim.over():
        numbers = list(left)
        readable, writable, _ = select.select(numbers if read else [], numbers, [], 0.1)
        for number in readable:
            if number in left and not drained(left[number][0]):
                left.pop(number)[0].close()
        for number in writable:
            if number not in left:
                continue
            sock, rest = left[number]
            try:
                rest = rest[sock.send(rest) :]
            except BlockingIOError:
                continue
            except OSError:
                left.pop(number)[0].close()
                continue
            sent += not rest
            left[number] = sock, rest or memoryview(data[number])
        if pause:
            time.sleep(pause)
    return sent


def drained(sock: socket.socket) -> bool:
    """Read what arrived. Return whether the connection is open."""
    try:
        return bool(sock.recv(1 << 18))
    except BlockingIOError:
        return True
    except OSError:
        return False
