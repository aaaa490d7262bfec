"""Count the traffic that TURN servers relayed: this module listens as a Redis server to which coturn publishes its statistics.

**Invariant:** only sums are kept; the names and addresses of users in coturn's reports are discarded. Connections, commands and their arguments are
bounded.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

from server.ops import log
from server.ops.config.settings import Video
from server.ops.metrics.metric_type import Reading, Value
from server.ops.process.listening_sockets import Sockets
from server.ops.process.listening_sockets import listen_at as made

NAME: Final = "reports"  # among the listening sockets
CONNECTIONS_MAX: Final = 64  # coturn holds one for each of its threads
PARTS_MAX: Final = 8  # of one command
PART_MAX: Final = 1_024  # bytes of one part
PENDING_MAX: Final = 64 * 1_024  # bytes of incomplete commands
BYTES_MAX: Final = 1 << 40  # of one report
OK: Final = b"+OK\r\n"
ANSWERS: Final = {b"KEYS": b"*0\r\n", b"PUBLISH": b":0\r\n", b"DEL": b":0\r\n", b"PING": b"+PONG\r\n"}
# The two sides of an allocation, and the metric's labels of their directions.
DIRECTIONS: Final = {b"traffic": ("from_client", "to_client"), b"traffic/peer": ("from_peer", "to_peer")}

logger = log.get()
_length = re.compile(rb"([*$])(\d{1,6})\r\n").match
_channel = re.compile(rb"turn/.*/allocation/\d+/(traffic(?:/peer)?|status)", re.DOTALL).fullmatch
_traffic = re.compile(rb"rcvp=\d+, rcvb=(\d{1,13}), sentp=\d+, sentb=(\d{1,13})").fullmatch


class RelayReports:
    """The port that coturn reports to, and the sums of its reports.

    Sources: coturn 4.6, `--redis-statsdb` (`PUBLISH turn/realm/R/user/U/allocation/ID/traffic[/peer]` with "rcvp=, rcvb=, sentp=, sentb=" since the
    last report); the Redis serialization protocol, version 2.
    """

    def __init__(self, chosen: Video, sockets: Sockets | None = None) -> None:
        self._chosen = chosen
        self._sockets = sockets or Sockets()
        self._server: asyncio.Server | None = None
        self.bytes: Counter[str] = Counter({name: 0 for names in DIRECTIONS.values() for name in names})
        self.ended = 0  # allocations
        self.open: set[_Reports] = set()
        self.port: int | None = None  # the port number; None while it is not open

    async def start(self, *, listening: bool = True) -> None:
        """Open the port and accept reports; if it is in use calls continue uncounted, and that is logged.

        Not `listening`: connections wait for `listen`. Raises StartError for an inherited socket with another address.
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
        """Accept reports, at first or after `pause`; does nothing if the port could not be opened."""
        if self.port is None or self._server is not None:
            return
        sock = self._sockets.again(NAME)
        self._server = await asyncio.get_running_loop().create_server(lambda: _Reports(self), sock=sock)
        logger.info("relayed.ready", host=self._chosen.reports_host, port=self.port)

    async def pause(self) -> None:
        """Accept no more connections: new ones wait for `listen`, here or in the process that the socket is passed to.

        Open connections continue to report here.
        """
        if self._server is not None:
            self._server.close()
            self._server = None

    async def stop(self) -> None:
        """Close the port and its connections."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self._sockets.drop(NAME)
        for reports in tuple(self.open):
            reports.close()
        if server is not None:
            await server.wait_closed()

    def reading(self) -> Reading:
        """Return the counts, as a source of metrics."""
        found: dict[str, Value | Mapping[tuple[str, ...], Value]] = {
            "serendip_media_relayed_bytes": {(name,): count for name, count in self.bytes.items()},
            "serendip_media_relay_sessions": self.ended,
        }
        if self._chosen.reports:  # otherwise no TURN server is expected to report, and a missing one is no fault
            found["serendip_media_relays_reporting"] = len(self.open)
            found["serendip_media_relays_active"] = sum(reports.active for reports in self.open)
        return found

    def count(self, channel: bytes, told: bytes) -> int:
        """Count one report; return the change of the number of allocations. Other kinds of reports are ignored."""
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
    """One connection of a coturn: commands in, the expected replies out."""

    def __init__(self, relayed: RelayReports) -> None:
        self._relayed = relayed
        self._pending = b""
        self._transport: asyncio.Transport | None = None
        self.active = 0  # allocations of this thread of coturn, by its reports

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
        except ValueError:  # not coturn's protocol
            self.close()
            return
        self._pending = self._pending[at:]
        if len(self._pending) > PENDING_MAX:
            self.close()
        elif self._transport is not None and answers:
            self._transport.write(b"".join(answers))

    def close(self) -> None:
        """Close the connection."""
        self._pending = b""
        if self._transport is not None:
            self._transport.abort()

    def _answer(self, words: list[bytes]) -> bytes:
        verb = words[0].upper()
        if verb == b"PUBLISH" and len(words) == 3:
            # One thread of coturn has an allocation from beginning to end, and one connection: if the connection is lost, so are its allocations.
            self.active = max(0, self.active + self._relayed.count(words[1], words[2]))
        return ANSWERS.get(verb, OK)


def _command(data: bytes, at: int) -> tuple[list[bytes], int] | None:
    """Parse the command at `at`; return its words and the start of the next one, or None if it is incomplete. Raises ValueError."""
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
    """Parse the number behind `*` or `$`; return it and its end. Raises ValueError."""
    found = _length(data, at)
    if found is None:
        if len(data) - at > 9 or (data[at : at + 1] not in {b"", kind}):
            raise ValueError("no length")
        return None
    if found[1] != kind or int(found[2]) > bound:
        raise ValueError("another kind, or too long")
    return int(found[2]), found.end()
