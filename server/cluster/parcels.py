"""People on their way to another host, as a request of the cluster port. Rule: what cannot be read whole is refused whole.

bytes of JSON u32 | JSON: the sizes of the pieces, the fields of `Move` but for these | the pieces
"""

from __future__ import annotations

import struct
from typing import Any, Final, NamedTuple

import orjson

from engine.hub_rows import Row
from engine.parcel import Parcel
from server.handover.link import body_of

SIZE: Final = struct.Struct(">I")


class Unreadable(Exception):
    """What came is no move."""


class Move(NamedTuple):
    """Who comes. `node`, `worker`: to which process; `why`: as it is counted (`server.metrics.moved`); `age`: seconds since they are out of service.

    `client`: the session that comes with the connection of the request as its wire, 0: nobody does, all of them are away; `meeting`: whom
    that one meets, None: they resume.
    """

    node: str
    worker: int
    why: str
    client: int
    meeting: Row | None
    age: float
    people: Parcel


def pack(move: Move) -> bytes:
    """As it is sent."""
    *fields, people = move
    size, body = body_of([*fields, people.record], people.blobs)
    return SIZE.pack(size) + body


def unpack(data: bytes) -> Move:
    """What another host sent; the record is not judged. Raises Unreadable."""
    try:
        (size,) = SIZE.unpack_from(data)
        at = SIZE.size + size
        sizes, node, worker, why, client, meeting, age, record = orjson.loads(data[SIZE.size : at])
        pieces: list[bytes] = []
        for length in sizes:
            pieces.append(data[at : at + length])
            at += length
        if at != len(data) or min([0, *sizes]) < 0:
            raise Unreadable("a move of another length")
        return _checked(node, worker, why, client, meeting, age, Parcel(record, pieces))
    except (struct.error, TypeError, ValueError) as error:
        raise Unreadable("a move that is none") from error


def _checked(node: Any, worker: Any, why: Any, client: Any, meeting: Any, age: Any, people: Parcel) -> Move:
    match node, worker, why, client, meeting, age, people.record:
        case str(), int(), str(), int(), list() | None, float() | int(), dict():
            return Move(node, worker, why, client, meeting, age, people)
    raise Unreadable("a move of other fields")
