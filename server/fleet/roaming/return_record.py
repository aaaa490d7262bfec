"""What the home of a visitor says to the host of their connection as they go back. Rule: frames for that host; what is not whole counts for nothing.

P   the person (`server.fleet.roaming.move_request`), in one frame
B   bytes of theirs that were read and not understood, behind those of the person
E   the same, and they are the last

L   at any time before these: whom they talk with, or did last, and their saves without an answer (`engine.migrate.record_fields.write_last`), for
when
    their home is gone
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from engine.engine import SessionRecord
from ext.migrate.tunnel_moves import RECORD_MAX, record_frame
from server.fleet.roaming.move_request import Move, Unreadable, pack, unpack

PERSON: Final = b"P"
BYTES: Final = b"B"
END: Final = b"E"
LAST: Final = b"L"
LAST_MAX: Final = 16 * 1024  # bytes
READ_MAX: Final = 1 << 20  # bytes of one who is on the way: who says more has broken every limit
WHY: Final = "home"
LAST_FIELDS: Final = frozenset(("past", "chats", "saves"))
KEYS: Final = ("id", "key", "used")


class TooLarge(ValueError):
    """They have more than goes into one frame."""


def person(parcel: SessionRecord) -> bytes:
    """The first frame. Raises TooLarge."""
    packed = PERSON + pack(Move("", 0, WHY, parcel.record["people"][0]["id"], None, 0.0, parcel))
    if len(packed) > RECORD_MAX:
        raise TooLarge
    return record_frame(packed)


def rest(data: bytes) -> Iterator[bytes]:
    """The other frames; `data`: all that was read since."""
    most = RECORD_MAX - 1
    last = max(0, (len(data) - 1) // most) * most
    for at in range(0, last, most):
        yield record_frame(BYTES + data[at : at + most])
    yield record_frame(END + data[last:])


def last(said: Mapping[str, Any]) -> bytes:
    """The payload of a frame L."""
    return LAST + orjson.dumps(said)


def read_last(payload: bytes) -> dict[str, Any] | None:
    """What it says; None: it is no such frame, or not a sound one."""
    if payload[:1] != LAST or len(payload) > LAST_MAX:
        return None
    try:
        said = orjson.loads(payload[1:])
    except ValueError:
        return None
    return said if type(said) is dict and said.keys() <= LAST_FIELDS else None


class ReturnRecord:
    """What came so far of somebody who goes back."""

    __slots__ = ("_bytes", "_size", "parcel", "whole")

    def __init__(self) -> None:
        self.parcel: SessionRecord | None = None  # None: the first frame did not come, or was none
        self.whole = False  # all came
        self._bytes: list[bytes] = []
        self._size = 0

    def take(self, payload: bytes, key: int) -> bool:
        """One frame more. `key`: of their token; whether it was the first, and is theirs."""
        kind = payload[:1]
        if kind == PERSON and self.parcel is None:
            self.parcel = _read(payload[1:], key)
            return self.parcel is not None
        if kind in (BYTES, END) and self.parcel is not None and not self.whole and self._size <= READ_MAX:
            self._bytes.append(payload[1:])
            self._size += len(payload)
            self.whole = kind == END
        return False

    @property
    def read(self) -> bytes:
        """What was read since they left."""
        return b"".join(self._bytes)


def key_of(record: Mapping[str, Any]) -> Any:
    """What the token of a person's record holds."""
    return record.get("key", record.get("id"))


def bytes_of(wire: dict[str, Any], blobs: list[bytes]) -> bytes:
    """What the home had read and not understood, and a message of which a part came. Raises IndexError."""
    return blobs[wire["bytes"]] if "bytes" in wire else b""


def _fits(wire: dict[str, Any], blobs: list[bytes]) -> bool:
    sizes = [wire.get(name, 0) for name in ("input", "part", "bytes")]
    if any(type(size) is not int or size < 0 for size in sizes) or wire.get("out"):
        return False
    return bool(sizes[0] + sizes[1] == len(bytes_of(wire, blobs)))


def _read(data: bytes, key: int) -> SessionRecord | None:
    """Somebody, if it is who was sent there, alone, and with the connection that they have here."""
    try:
        parcel = unpack(data).people
        (one,) = parcel.record["people"]
        if key_of(one) != key or type(one["wire"]) is not dict or "seat" in one:
            return None
        if not _fits(one["wire"], parcel.blobs):
            return None
    except (Unreadable, AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None
    return parcel
