"""Encode and check the headers of a request between hosts and of its answer, as bytes, without a socket. The authentication is `rpc_seal`'s.

**Invariant:** a request is valid at one host, once, for 30 s, and an answer only for its request.
"""

from __future__ import annotations

import struct
from collections.abc import Container
from enum import IntEnum
from typing import Final, NamedTuple

from ext.base.ageing_map import AgeingMap
from server.fleet.rpc.rpc_seal import Seal

MAGIC: Final = b"SRD1"
HEAD: Final = struct.Struct(">4sB5sQ16sI")
ANSWER: Final = struct.Struct(">BI")
NONCE: Final = 16  # bytes
CHALLENGE: Final = 16  # bytes
SKEW: Final = 30.0  # seconds that two clocks may differ
NONCE_LIFE: Final = 2 * SKEW  # seconds: after that the time alone refuses a request that comes again
NONCES_MAX: Final = 65_536
SMALL: Final = 4096  # bytes
LARGEST: Final = 1 << 20  # bytes of any body


class Kind(IntEnum):
    """Kind of a request. A number never gets another meaning."""

    HELLO = 1  # describe yourself
    EPOCH = 2  # the key of an epoch
    MOVE = 3  # a group of sessions (`server.fleet.roaming.move_request`); the connection becomes that of one of them
    HTTP = 4  # the connection becomes one of HTTP, for state that this host alone has
    FORGET = 5  # sessions that were sent are the sender's again
    LOOKS = 6  # pictures of a chat that is reported at another host
    LIVE = 8  # an operator's request to all processes of a host (`server.fleet.frontend.live_requests`)
    KNOWN = 7  # temporary facts about users, broadcast to all hosts (`server.fleet.frontend.cluster_catch_up`)


# bytes of a body, and of its answer
BOUNDS: Final[dict[int, int]] = {
    Kind.HELLO: SMALL,
    Kind.EPOCH: SMALL,
    Kind.MOVE: LARGEST,
    Kind.HTTP: SMALL,
    Kind.FORGET: SMALL,
    Kind.LOOKS: LARGEST,
    Kind.KNOWN: LARGEST,
    Kind.LIVE: LARGEST,
}


class Status(IntEnum):
    """Status of an answer."""

    TAKEN = 1
    NO = 2  # the body says why, in words
    VERSION = 3  # the kind is not known here
    FULL = 4
    CLOCK = 5  # the time is too far from this host's, which is the body: u64, Unix ms
    AGAIN = 6  # send it again over this connection, sealed over the body too: a challenge of CHALLENGE bytes


class Refused(Exception):
    """A request that is not served here. `why`: a word for the metrics; `status`: sent to a sender that has the secret; None: nothing is."""

    def __init__(self, why: str, status: Status | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.status = status


class Head(NamedTuple):
    """Head of a request. `time`: Unix ms; `length`: bytes of the body without its seal.

        request   SRD1 | kind u8 | node of the sender, 5 bytes | time u64, Unix ms | nonce, 16 bytes | length of the body u32 | the body, sealed
        answer    status u8 | length of the body u32 | the body, sealed

    The seal of a request covers its address and its head too, that of an answer the nonce of the request.
    """

    kind: int
    node: str
    time: int
    nonce: bytes
    length: int

    def packed(self) -> bytes:
        """Return the head as bytes."""
        return HEAD.pack(MAGIC, self.kind, bytes.fromhex(self.node), self.time, self.nonce, self.length)


def read(data: bytes, known: Container[int]) -> Head:
    """Decode a head of HEAD.size bytes. `known`: the kinds that are served here. Raises Refused."""
    magic, kind, node, time, nonce, length = HEAD.unpack(data)
    if magic != MAGIC:
        raise Refused("kind")
    if length > (BOUNDS[kind] if kind in known else SMALL):
        raise Refused("size")
    return Head(kind, node.hex(), time, nonce, length)


def request(seal: Seal, to: str, head: Head, body: bytes, challenge: bytes = b"") -> bytes:
    """Return a whole request. `to`: the address that it is for; `challenge`: of an answer AGAIN."""
    return head.packed() + seal.sealed(_request(to, head, challenge), body)


def opened(seal: Seal, to: str, head: Head, sealed: bytes, challenge: bytes = b"") -> bytes:
    """Return the body of a request that came to `to`, in answer to `challenge` if there was one. Raises Refused."""
    body = seal.opened(_request(to, head, challenge), sealed)
    if body is None:
        raise Refused("mac")
    return body


def answer(seal: Seal, by: int, nonce: bytes, status: Status, body: bytes) -> bytes:
    """Return a whole answer. `by`: the id of the secret that sealed the request, and `nonce` its nonce."""
    return ANSWER.pack(status, len(body)) + seal.sealed(_answer(nonce, status), body, by)


def answered(seal: Seal, nonce: bytes, status: int, sealed: bytes) -> bytes | None:
    """Return the body of an answer; None: its sender has not the secret, or it belongs to another request."""
    return seal.opened(_answer(nonce, status), sealed)


class Nonces:
    """Nonces of the requests of the last minute.

    They are in memory alone. So a request that an earlier process may have accepted is answered AGAIN with a challenge; it is valid once it is
    sent again over the same connection, with the challenge under its seal.
    """

    def __init__(self, most: int = NONCES_MAX) -> None:
        self._known: AgeingMap[bytes, None] = AgeingMap(most)

    def take(self, nonce: bytes, now: float) -> None:
        """Mark a nonce as used. `now`: monotonic seconds. Raises Refused: it was used, or too many are known."""
        known = self._known
        known.expire(now)
        if nonce in known:
            raise Refused("nonce")
        if known.is_full:
            raise Refused("full", Status.FULL)
        known.put(nonce, None, now + NONCE_LIFE, now)


def in_time(head: Head, wall: float, waited: float = 0.0) -> None:
    """Check that a request is recent. `wall`: Unix seconds; `waited`: seconds that it was here unread.

    Raises Refused: for the clock (`time`) if it was too old or too new as it came, for this host being busy (`late`) if it became so here.
    """
    ahead = head.time / 1000 - wall
    if abs(ahead) > SKEW:
        raise Refused("late", Status.FULL) if abs(ahead + waited) <= SKEW else Refused("time", Status.CLOCK)


def _request(to: str, head: Head, challenge: bytes) -> bytes:
    return b"request to " + to.encode() + b" " + head.packed() + challenge


def _answer(nonce: bytes, status: int) -> bytes:
    return b"answer " + bytes((status,)) + nonce
