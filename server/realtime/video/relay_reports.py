"""What TURN servers relayed, as they report it themselves: coturn's statistics, taken where it expects a Redis.

Rule: numbers only. coturn's reports hold names and addresses of people; the counts are read out of them and the rest is
dropped unread, so that nothing keeps them, as a Redis would. Everything is bounded: connections, a command, its parts.
Sources: coturn 4.6, `--redis-statsdb` (`PUBLISH turn/realm/R/user/U/allocation/ID/traffic[/peer]` with "rcvp=, rcvb=,
sentp=, sentb=" since the last report); the Redis serialization protocol, version 2.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

from server.ops import log
from server.ops.config.settings import Video
from server.ops.metrics.exposition import Reading, Value
from server.ops.process.listening_sockets import Sockets
from server.ops.process.listening_sockets import listen_at as made

NAME: Final = "reports"  # among the listening sockets
CONNECTIONS_MAX: Final = 64  # coturn holds one for each of its threads
PARTS_MAX: Final = 8  # of one command
PART_MAX: Final = 1_024  # bytes of one part
PENDING_MAX: Final = 64 * 1_024  # bytes of commands that did not come whole
BYTES_MAX: Final = 1 << 40  # of one report
OK: Final = b"+OK\r\n"
ANSWERS: Final = {b"KEYS": b"*0\r\n", b"PUBLISH": b":0\r\n", b"DEL": b":0\r\n", b"PING": b"+PONG\r\n"}
# The two sides of an allocation, and how this program names what went which way.
DIRECTIONS: Final = {b"traffic": ("from_client", "to_client"), b"traffic/peer": ("from_peer", "to_peer")}

logger = log.get()
_length = re.compile(rb"([*$])(\d{1,6})\r\n").match
_channel = re.compile(rb"turn/.*/allocation/\d+/(traffic(?:/peer)?|status)", re.DOTALL).fullmatch
_traffic = re.compile(rb"rcvp=\d+, rcvb=(\d{1,13}), sentp=\d+, sentb=(\d{1,13})").fullmatch


class Relayed:
    """The port that coturn reports to, and the sums of what came."""

    def __init__(self, chosen: Video, sockets: Sockets | None = None) -> None:
        self._chosen = chosen
        self._sockets = sockets or Sockets()
        self._server: asyncio.Server | None = None
        self.bytes: Counter[str] = Counter({name: 0 for names in DIRECTIONS.values() for name in names})
        self.ended = 0  # allocations
        self.open: set[_Reports] = set()
        self.port: int | None = None  # that it listens on; None where it does not

    async def start(self, *, listening: bool = True) -> None:
        """Have the port and take reports; where it is taken calls go on uncounted, and the log says so.

        Not `listening`: who reports waits for `listen`. Raises StartError for an inherited port that is not the settings'.
        """
        host, port = self._chosen.reports_host, self._chosen.reports_port
        try:
            with self._sockets.get(NAME, lambda: made(host, port), at=(host, port)) as sock:
                self.port = sock.getsockname()[1]
        except OSError:
            logger.warning("relayed.port_taken", host=host, port=port)
            return
        if listening:
            await self.listen()

    async def listen(self) -> None:
        """Take reports from here on, also anew after `pause`; nothing where the port could not be had."""
        if self.port is None or self._server is not None:
            return
        sock = self._sockets.again(NAME)
        self._server = await asyncio.get_running_loop().create_server(lambda: _Reports(self), sock=sock)
        logger.info("relayed.ready", host=self._chosen.reports_host, port=self.port)

    async def pause(self) -> None:
        """Take no more connections: who comes waits for `listen`, here or in the process to which the socket is given on.

        Those that are open go on reporting here.
        """
        if self._server is not None:
            self._server.close()
            self._server = None

    async def stop(self) -> None:
        """Close the port and what came through it."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self._sockets.drop(NAME)
        for reports in tuple(self.open):
            reports.close()
        if server is not None:
            await server.wait_closed()

    def reading(self) -> Reading:
        """A source of metrics."""
        found: dict[str, Value | Mapping[tuple[str, ...], Value]] = {
            "serendip_media_relayed_bytes": {(name,): count for name, count in self.bytes.items()},
            "serendip_media_relay_sessions": self.ended,
        }
        if self._chosen.reports:  # else nobody is asked to report, and none that does would be a fault
            found["serendip_media_relays_reporting"] = len(self.open)
            found["serendip_media_relays_active"] = sum(reports.active for reports in self.open)
        return found

    def count(self, channel: bytes, told: bytes) -> int:
        """One report; by how much it changes the number of allocations. What is not one of the four that matter is dropped."""
        found = _channel(channel)
        if found is None:
            return 0
        if found[1] == b"status":
            self.ended += told == b"deleted"
            return int(told.startswith(b"new ")) - int(told == b"deleted")
        counts = _traffic(told)
        if counts is not None:
            for name, number in zip(DIRECTIONS[found[1]], map(int, counts.groups()), strict=True):
                self.bytes[name] += min(number, BYTES_MAX)
        return 0


class _Reports(asyncio.Protocol):
    """One connection of a coturn: commands in, the answers that it waits for out."""

    def __init__(self, relayed: Relayed) -> None:
        self._relayed = relayed
        self._pending = b""
        self._transport: asyncio.Transport | None = None
        self.active = 0  # allocations that this thread of coturn has, as far as it told

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        if len(self._relayed.open) >= CONNECTIONS_MAX:
            transport.close()
            return
        self._relayed.open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._relayed.open.discard(self)

    def data_received(self, data: bytes) -> None:
        self._pending += data
        at = 0
        answers = []
        try:
            while (found := _command(self._pending, at)) is not None:
                words, at = found
                answers.append(self._answer(words))
        except ValueError:  # not what coturn speaks
            self.close()
            return
        self._pending = self._pending[at:]
        if len(self._pending) > PENDING_MAX:
            self.close()
        elif self._transport is not None and answers:
            self._transport.write(b"".join(answers))

    def close(self) -> None:
        """Hang up."""
        self._pending = b""
        if self._transport is not None:
            self._transport.abort()

    def _answer(self, words: list[bytes]) -> bytes:
        verb = words[0].upper()
        if verb == b"PUBLISH" and len(words) == 3:
            # One thread of coturn has an allocation from its beginning to its end, and one connection: when that is lost, so are they.
            self.active = max(0, self.active + self._relayed.count(words[1], words[2]))
        return ANSWERS.get(verb, OK)


def _command(data: bytes, at: int) -> tuple[list[bytes], int] | None:
    """The words of the command at `at`, and where the next begins; None: not all here yet. Raises ValueError."""
    head = _prefix(data, at, b"*", PARTS_MAX)
    if head is None:
        return None
    number, at = head
    if number == 0:
        raise ValueError("an empty command")
    words = []
    for _ in range(number):
        head = _prefix(data, at, b"$", PART_MAX)
        if head is None:
            return None
        size, at = head
        if len(data) < at + size + 2:
            return None
        words.append(data[at : at + size])
        at += size + 2
    return words, at


def _prefix(data: bytes, at: int, kind: bytes, bound: int) -> tuple[int, int] | None:
    """The number behind `*` or `$`, and where it ends. Raises ValueError."""
    found = _length(data, at)
    if found is None:
        if len(data) - at > 9 or (data[at : at + 1] not in {b"", kind}):
            raise ValueError("no length")
        return None
    if found[1] != kind or int(found[2]) > bound:
        raise ValueError("another kind, or too long")
    return int(found[2]), found.end()
