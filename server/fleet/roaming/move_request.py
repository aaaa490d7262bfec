"""Encode a group of sessions as the body of a MOVE request, which moves them to another host, and decode it.

**Invariant:** a body of which one part is unreadable is refused whole.
"""

from __future__ import annotations

import struct
from typing import Any, Final, NamedTuple

import orjson

from engine.engine import SessionRecord
from engine.rooms.remote_waiting_room import Row
from server.fleet.ipc.ipc_link import body_of

SIZE: Final = struct.Struct(">I")
# Fields of a connection's state (`ext/migrate/connection_moves.pyx`) that have no meaning at the home, and those that stay at the edge.
HERE_ALONE: Final = ("input", "out", "blocked", "held", "moved", "virtual")
STAYS: Final = ("input", "out", "opcode", "heard", "moved")


class Unreadable(Exception):
    """The body is no MOVE request."""


class Move(NamedTuple):
    """Body of a MOVE request. `node`, `worker`: the target process; `why`: the cause, as it is counted (`server.ops.metrics.migration_metrics`);
    `age`: seconds out of service.

    `client`: the session whose connection the connection of the request becomes, 0: none, all of them are away; `meeting`: the match for
    which it moves, None: it resumes.

    As bytes: length of the JSON u32 | JSON: the lengths of the blobs, and the fields of `Move` but for these | the blobs.
    """

    node: str
    worker: int
    why: str
    client: int
    meeting: Row | None
    age: float
    people: SessionRecord


def pack(move: Move) -> bytes:
    """Return a move as bytes."""
    *fields, people = move
    size, body = body_of([*fields, people.record], people.blobs)
    return SIZE.pack(size) + body


def unpack(data: bytes) -> Move:
    """Decode what another host sent; the session record is not checked. Raises Unreadable."""
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
        return _checked(node, worker, why, client, meeting, age, SessionRecord(record, pieces))
    except (struct.error, TypeError, ValueError) as error:
        raise Unreadable("a move that is none") from error


def _checked(node: Any, worker: Any, why: Any, client: Any, meeting: Any, age: Any, people: SessionRecord) -> Move:
    match node, worker, why, client, meeting, age, people.record:
        case str(), int(), str(), int(), list() | None, float() | int(), dict():
            return Move(node, worker, why, client, meeting, age, people)
    raise Unreadable("a move of other fields")


def divided(people: SessionRecord) -> tuple[SessionRecord, dict[str, Any], bytes]:
    """Split one session with a connection: the record for its home, and of the connection the state and the bytes that stay here."""
    (person,) = people.record["people"]
    wire, blobs = person["wire"], list(people.blobs)
    data = blobs[wire["bytes"]] if "bytes" in wire else b""
    unread, part = wire.get("input", 0), wire.get("part", 0)
    if "bytes" in wire:
        blobs[wire["bytes"]] = data[unread : unread + part]
    goes = {name: value for name, value in wire.items() if name not in HERE_ALONE} | {"visitor": 1}
    stays = {name: wire[name] for name in STAYS if name in wire}
    there = SessionRecord({**people.record, "people": [{**person, "wire": goes}]}, blobs)
    return there, stays, data[:unread] + data[unread + part :]


def wireless(people: SessionRecord) -> SessionRecord:
    """Return the record of sessions without their connections: away, as if these had dropped. What is left of their rate limits is kept."""
    blobs, without = list(people.blobs), []
    for person in people.record["people"]:
        wire = person.get("wire", {})
        if "bytes" in wire:
            blobs[wire["bytes"]] = b""
        tokens = {"tokens": wire["tokens"]} if "tokens" in wire else {}
        without.append({name: value for name, value in person.items() if name != "wire"} | tokens)
    return SessionRecord({**people.record, "people": without}, blobs)
