"""Fuzz session records: an engine takes all of one, or refuses it before any change. Also a target of `make fuzz`.

An input is the JSON of a record and then its blobs, each behind SEPARATOR.
"""

import base64
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import orjson

from engine.core.session import Session
from engine.engine import BadRecord, SessionRecord
from tests.engine.moving import MovingWorld
from tests.engine.world import Wire, World

SEPARATOR = b"\x1e\x1e"
RECORD = orjson.loads((Path(__file__).parents[1] / "records" / "version_1.json").read_bytes())
WORDS = (
    SEPARATOR, b'{"v":1,"people":[', b'"chats":[', b"]}", b'"id":', b'"state":"waiting"', b'"state":"chatting"', b'"state":"parted"', b'"away":1.0',
    b'"wire":{"input":2}', b'"query":{"age":0.0}', b'"terms":{"role":"spy"}', b'"seat":{', b'"past":{', b'"others":[[0,1]]', b'"side":1',
    b'"ring":{}',
    b'"last":1', b'"count":1', b'"taken":[1,1]', b'"refusals":[1,0]', b'"refused":[[1],[]]', b'"unsent":[1,1]', b'"unsent_bytes":[4294967295,1]',
    b'"ended":1',
    b'"bytes":0', b"null", b"true", b"-1", b"0", b"1e999", b"1e300", b"18446744073709551615", b"-9223372036854775808", b"4294967295",
    b'"\\u0000"', b"[[]]", b"{}",
    b'"words":["a"]', b'"networks":[]', b'"met":[[1,1.0]]', b'"conduct":{}', b'"age":["adult",0,1.0]', b'"resume":["1",0,null]',
    b'"trial":{"level":1}',
    b'"client":{}', b'"looks":{"cameras":[{},{}]}', b'"saves":[["c","a"]]', b'"tokens":[1.0]', b'"identity":-1', b'"key":1', b'"used":1',
    b'"daily":[["x",1,1.0]]',
)  # fmt: skip


def written(record: Any, blobs: list[bytes]) -> bytes:
    """Return a record as an input."""
    return SEPARATOR.join([orjson.dumps(record), *blobs])


def read(data: bytes) -> SessionRecord | None:
    """Return the record of an input; None if it has no JSON."""
    text, *blobs = data.split(SEPARATOR)
    try:
        return SessionRecord(orjson.loads(text), blobs)
    except ValueError:
        return None


def seeds() -> list[bytes]:
    """Return the record of version 1, each of its persons with their chats, and a pair of users as they are written now."""
    record, blobs = RECORD["record"], [base64.b64decode(text) for text in RECORD["blobs"]]
    made = [written(record, blobs)]
    chats = {chat["id"]: chat for chat in record["chats"]}
    for person in record["people"]:
        known = {person[place]["chat"] for place in ("seat", "past") if place in person}
        group = [
            other
            for other in record["people"]
            if known & {other[place]["chat"] for place in ("seat", "past") if place in other}
        ]
        some = {"v": 1, "people": group or [person], "chats": [chats[id] for id in sorted(known) if id in chats]}
        made.append(written(some, blobs))
    world = MovingWorld()
    a, b = world.pair()
    world.say(a, "one")
    made.append(written(*world.release(a.session.id, b.session.id)))
    waits, world.near = world.open(identity=7), True
    world.send(waits, type="find", interests=["chess"], strict=True)
    made.append(written(*world.release(waits.session.id)))
    return [data for data in made if len(data) <= 8192]


_standing: list[World] = []


def enter(data: bytes) -> Hashable:
    """Decode a record as an engine does before it changes anything."""
    if not _standing:
        _standing.append(World(keeps=True))
    found = read(data)
    if found is None:
        return "no record"
    if type(found.record) is not dict:
        return "no fields"
    moves = _standing[0].engine.moves
    try:
        arrivals, chats = moves._read(found, 1000.0)
    except BadRecord as bad:
        return str(bad)[:24]
    finally:
        moves.forget()
    return len(arrivals), len(chats)


def taken(found: SessionRecord) -> tuple[World, list[Session]]:
    """Let a fresh engine take a record. Raises BadRecord, and checks that nothing changed then."""
    world = World(keeps=True)

    def connect(_: int, session: Session, __: str, ___: dict[str, Any], ____: bytes) -> int:
        conn = next(world._conns)
        world.wires[conn] = Wire(conn, session)
        return conn

    why = ""
    try:
        sessions = world.engine.moves.take(found, connect, world.now)
    except BadRecord as bad:
        why = str(bad)
    if why:  # here no traceback holds what was read
        core = world.engine._core
        assert not any(
            [core.sessions, core.aliases, core.here, core.words._held, world.engine.room.clients(), world.wires]
        )
        assert world.rings.counters()["rings"] == 0
        raise BadRecord(why)
    world.settle()
    return world, sessions


def fuzz(data: bytes) -> Hashable:
    """Check that an engine that took a record goes on, and releases a record that another one takes."""
    said = enter(data)
    found = read(data)
    if found is None or type(found.record) is not dict:
        return said
    try:
        world, _ = taken(found)
    except BadRecord:
        assert not isinstance(said, tuple), "what can be read can be taken"
        return said
    world.engine.moves.forget()
    world.wait(1.0)
    ids = [id for id in world.engine.moves.order() if id in world.engine.sessions]
    wires = {id: ("192.0.2.1", {}, b"") for id in ids if world.engine.sessions[id].conn}
    again = world.engine.moves.release(ids, wires, world.now)
    _, sessions = taken(SessionRecord(orjson.loads(orjson.dumps(again.record)), again.blobs))
    assert len(sessions) == len(ids)
    return said
