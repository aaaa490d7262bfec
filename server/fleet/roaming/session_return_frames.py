"""Encode and decode the frames by which a session returns from the host of its chat (the home) to the host of its client's connection (the edge).

**Invariant:** an incomplete frame is ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from engine.engine import SessionRecord
from ext.migrate.tunnel_transfer import RECORD_MAX, record_frame
from server.fleet.roaming.move_request import Move, Unreadable, pack, unpack

PERSON: Final = b"P"
BYTES: Final = b"B"
END: Final = b"E"
LAST: Final = b"L"
LAST_MAX: Final = 16 * 1024  # bytes
READ_MAX: Final = 1 << 20  # bytes of one session on its way: more would break every limit
WHY: Final = "home"
LAST_FIELDS: Final = frozenset(("past", "chats", "saves"))
KEYS: Final = ("id", "key", "used")


class TooLarge(ValueError):
    """The session is too large for one frame."""


def person(session_record: SessionRecord) -> bytes:
    """Return the first frame. Raises TooLarge."""
    packed = PERSON + pack(Move("", 0, WHY, session_record.record["people"][0]["id"], None, 0.0, session_record))
    if len(packed) > RECORD_MAX:
        raise TooLarge
    return record_frame(packed)


def rest(data: bytes) -> Iterator[bytes]:
    """Yield the other frames. `data`: all that was read since."""
    most = RECORD_MAX - 1
    last = max(0, (len(data) - 1) // most) * most
    for at in range(0, last, most):
        yield record_frame(BYTES + data[at : at + most])
    yield record_frame(END + data[last:])


def last(said: Mapping[str, Any]) -> bytes:
    """Return the payload of a frame L."""
    return LAST + orjson.dumps(said)


def read_last(payload: bytes) -> dict[str, Any] | None:
    """Decode a frame L; None: it is another frame, or damaged."""
    if payload[:1] != LAST or len(payload) > LAST_MAX:
        return None
    try:
        said = orjson.loads(payload[1:])
    except ValueError:
        return None
    return said if type(said) is dict and said.keys() <= LAST_FIELDS else None


class ReturnRecord:
    """Received part of one returning session.

    P   the session (`server.fleet.roaming.move_request`), in one frame
    B   bytes of the client that were read and not understood, behind those of the session
    E   the same, and they are the last

    L   at any time before these, in case the home dies: its present or last partner, and its unanswered saves
        (`engine.migrate.record_fields.write_last`)
    """

    __slots__ = ("_bytes", "_size", "session_record", "whole")

    def __init__(self) -> None:
        self.session_record: SessionRecord | None = None  # None: the first frame did not come, or was damaged
        self.whole = False  # everything came
        self._bytes: list[bytes] = []
        self._size = 0

    def take(self, payload: bytes, key: int) -> bool:
        """Add one frame; returns whether it was the first, and fits. `key`: of the session's token."""
        kind = payload[:1]
        if kind == PERSON and self.session_record is None:
            self.session_record = _read(payload[1:], key)
            return self.session_record is not None
        if kind in (BYTES, END) and self.session_record is not None and not self.whole and self._size <= READ_MAX:
            self._bytes.append(payload[1:])
            self._size += len(payload)
            self.whole = kind == END
        return False

    @property
    def read(self) -> bytes:
        """Bytes that the home read since the session left."""
        return b"".join(self._bytes)


def key_of(record: Mapping[str, Any]) -> Any:
    """Return the key that the token of a session holds."""
    return record.get("key", record.get("id"))


def bytes_of(wire: dict[str, Any], blobs: list[bytes]) -> bytes:
    """Return what the home had read and not understood, and an unfinished message. Raises IndexError."""
    return blobs[wire["bytes"]] if "bytes" in wire else b""


def _fits(wire: dict[str, Any], blobs: list[bytes]) -> bool:
    sizes = [wire.get(name, 0) for name in ("input", "part", "bytes")]
    if any(type(size) is not int or size < 0 for size in sizes) or wire.get("out"):
        return False
    return bool(sizes[0] + sizes[1] == len(bytes_of(wire, blobs)))


def _read(data: bytes, key: int) -> SessionRecord | None:
    """Decode a session; None: it is not the one that was sent there, alone and with its connection."""
    try:
        session_record = unpack(data).people
        (one,) = session_record.record["people"]
        if key_of(one) != key or type(one["wire"]) is not dict or "seat" in one:
            return None
        if not _fits(one["wire"], session_record.blobs):
            return None
    except (Unreadable, AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None
    return session_record
