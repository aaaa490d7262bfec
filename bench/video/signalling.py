"""Set up calls without media: how many a core of the server sets up, from two `find` to the last candidate on both sides.

The server's CPU time counts; the clients are minimal and check every frame. Partners change with every call, since recent ones are not matched
again. A description is as long as a browser's, and candidates come one by one, as browsers send them.
"""

import asyncio
from collections.abc import Iterator
from typing import Final, NamedTuple

import orjson
import uvloop

from bench.load.websocket_client import Thin
from bench.support.serving import Serving

PEOPLE: Final = 64  # connections; half as many calls at a time
CANDIDATES: Final = 4  # of a side
CODECS: Final = 60  # of a description with sound and picture; Chromium's is 6 to 7 KB long
PATIENCE: Final = 30.0  # seconds for one round
TURN: Final = "turn:198.51.100.9:3478?transport=udp"  # is named to the clients; nobody asks it here


class Signalled(NamedTuple):
    """Cost of `calls` calls to the server."""

    calls: int
    cpu: float  # seconds
    hidden: bool

    @property
    def rate(self) -> float:
        """Calls a second of one core."""
        return self.calls / self.cpu


def description(kind: str) -> bytes:
    """Return a `signal` frame with a description of a browser's size."""
    lines = ["v=0", "o=- 4611731400430051336 2 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1"]
    for mid, media in enumerate(("audio", "video")):
        lines += [
            f"m={media} 9 UDP/TLS/RTP/SAVPF 96 97 98",
            "c=IN IP4 0.0.0.0",
            "a=rtcp:9 IN IP4 0.0.0.0",
            f"a=mid:{mid}",
        ]
        lines += [
            "a=ice-ufrag:EsAw",
            "a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1",
            "a=fingerprint:sha-256 " + ":".join(["AB"] * 32),
        ]
        for codec in range(CODECS // 2):
            lines += [f"a=rtpmap:{35 + codec} H264/90000", f"a=rtcp-fb:{35 + codec} nack pli"]
            lines += [f"a=fmtp:{35 + codec} level-asymmetry-allowed=1;packetization-mode=1"]
    return orjson.dumps({"type": "signal", "description": {"type": kind, "sdp": "\r\n".join([*lines, ""])}})


def candidates() -> list[bytes]:
    """Return `signal` frames with the candidates of a machine with one network and a relay."""
    told = [
        f"candidate:{n} 1 udp 2122260223 198.51.100.9 {50_000 + n} typ relay raddr 0.0.0.0 rport 0"
        for n in range(CANDIDATES)
    ]
    return [
        orjson.dumps({"type": "signal", "candidate": {"candidate": line, "sdpMid": "0", "sdpMLineIndex": 0}})
        for line in told
    ]


class Caller:
    """A calling user, who counts the frames of the partner."""

    offer = description("offer")
    answer = description("answer")
    found = tuple(candidates())

    def __init__(self) -> None:
        self.thin: Thin | None = None
        self.greeted = asyncio.Event()
        self.done = asyncio.Event()
        self._left = 0

    def opened(self, thin: Thin) -> None:
        """Handle the end of the handshake."""
        self.thin = thin

    def lost(self, thin: Thin) -> None:
        """Handle that the server closed the connection."""
        self.thin = None

    def call(self, word: str, hidden: bool) -> None:
        """Search for the user with the same word."""
        self.done.clear()
        self._left = 1 + CANDIDATES
        self._say(orjson.dumps({"type": "find", "mode": "video", "interests": [word], "relay": hidden}))

    def hear(self, thin: Thin, frame: bytes) -> None:
        """Handle a frame; an unexpected one is an error."""
        if frame.startswith(b'{"type":"signal"'):
            if b'"offer"' in frame[:60]:
                self._say(self.answer, *self.found)
            self._left -= 1
            if self._left == 0:
                self.done.set()
        elif frame.startswith(b'{"type":"matched"'):
            if orjson.loads(frame)["offer"]:
                self._say(self.offer, *self.found)
        elif frame.startswith(b'{"type":"hello"'):
            self.greeted.set()
        elif not frame.startswith((b'{"type":"waiting"', b'{"type":"left"')):
            raise AssertionError(frame[:200])

    def _say(self, *frames: bytes) -> None:
        if self.thin is None:
            raise ConnectionError("the server hung up")
        for frame in frames:
            self.thin.send(frame)


def pairs(turn: int) -> Iterator[tuple[int, int]]:
    """Return the pairs of this turn: all meet all once in PEOPLE turns."""
    for one in range(PEOPLE):
        other = (turn - one) % PEOPLE
        if one < other:
            yield one, other


async def _round(people: list[Caller], turn: int, hidden: bool) -> int:
    """Run one call each; return how many."""
    met = list(pairs(turn))
    for number, sides in enumerate(met):
        for side in sides:
            people[side].call(f"{turn} {number}", hidden)
    async with asyncio.timeout(PATIENCE):
        for sides in met:
            for side in sides:
                await people[side].done.wait()
    return len(met)


async def _calls(server: Serving, number: int, hidden: bool) -> Signalled:
    loop = asyncio.get_running_loop()
    people = [Caller() for _ in range(PEOPLE)]
    for who in people:
        await loop.create_connection(lambda who=who: Thin(who.opened, who.hear, who.lost), "127.0.0.1", server.port)  # type: ignore[misc]
        await who.greeted.wait()
    turn = made = 0
    for turn in range(8):  # caches and allocators
        await _round(people, turn, hidden)
    used = server.cpu()
    while made < number:
        turn += 1
        made += await _round(people, turn, hidden)
    used = server.cpu() - used
    for who in people:
        if who.thin is not None:
            who.thin.cut()
    return Signalled(made, used, hidden)


def measure(number: int, *, hidden: bool) -> Signalled:
    """Run calls against a new server."""
    with Serving(SERENDIP_VIDEO__TURN=TURN, SERENDIP_STORE__ENABLED="false", SERENDIP_SESSION__GRACE="0") as server:
        return uvloop.run(_calls(server, number, hidden))
