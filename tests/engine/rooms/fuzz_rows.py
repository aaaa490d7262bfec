"""Fuzz rows of the waiting room: messages of other hosts, and records of this one's processes. Also a target of `make fuzz`.

The first byte chooses: a message between hubs, whose checked rows a hub and a worker must read; or binary records.
"""

from collections.abc import Hashable
from typing import Any

import orjson

from engine.core.ports import Seats
from engine.matching.thresholds import Thresholds
from engine.rooms.hub import Hub
from engine.rooms.hub_message_checks import sound, sound_answer
from engine.rooms.hub_messages import Row
from engine.rooms.hub_messages import read_ticket as ticket_of_row
from engine.rooms.hub_records import pack, read_ticket, unpack
from engine.rooms.remote_waiting_room import RemoteRoom
from ext.match.room_records import RecordReader
from server.fleet.cluster.waiting_room_messages import InboundStream, OutboundStream
from server.fleet.cluster.waiting_room_messages import read as read_batch

NODE = "0123456789"
WORDS = (
    b'[2,"0123456789",7,1,0,false,[', b'[1,[["ticket",7,1,', b'["text","en","stranger",""]', b'["wish",7,1,true,"en",9,[1],0.5,0]',
    b'["cancel",7,"cancelled"]',
    b'["leave",7]', b'["aside",7]', b'["back",7]', b'["done",1,[7,9],[8,10]]', b'["failed",1]', b'["bar",9,10,["0a/24"]]',
    b'["asked","Why?","en"]', b'["more"]',
    b'["pairs",7,1,[2,4],4]', b'["here",7,9,[2,4]]', b'["want",7,9,1]', b'["step",7,1,1,null,0,"good",2.0,true]', b'["full",7,1]', b'["ask",7]',
    b'["again"]',
    b'["on"]', b'["called",7,2,"text",true]', b'["wanted",7,9,1]', b"null", b"true", b"-1", b"1e999", b"18446744073709551615", b"[[]]", b"]]]]",
    b"\x01", b"\x03",
    b"\x04", b"\x05", b"\0\0\0\0\0\0\xf0\xff", b"\xff\xff", b"text\ten\tstranger\t", b"\n",
)  # fmt: skip
POOL = ["text", "en", "stranger", ""]
UP: list[Row] = [
    ["ticket", 7, 1, POOL, ["tea"], False, 9, [1], [2], [POOL], 0.5, 1, 2.0, 3, 1], ["wish", 7, 1, True, "en", 9, [1], 0.5, 0], ["leave", 7],
    ["done", 1, [7, 9], [8, 10]], ["bar", 9, 10, ["0a/24"]], ["asked", "Why?", "en"], ["pairs", 7, 1, [2, 4], 4], ["want", 7, 9, 1],
]  # fmt: skip
MEET: Row = ["meet", 1, [[7, 1, 0], [8, 1, 0], [9, 1, 0]], [0.5, 1], [], 0.0, "", True, "Why?"]
DOWN: list[Row] = [
    ["step", 7, 1, 1, None, 0, "good", 2.0, True],
    MEET,
    ["go", 7, 1, MEET],
    ["full", 7, 1],
    ["ask", 7],
    ["called", 7, 2, "text", True],
]


def seeds() -> list[bytes]:
    """Return messages as a hub writes them, and rows as a process writes them."""
    stream = OutboundStream(NODE, 7)
    stream.up(1, UP)
    stream.down(2, DOWN)
    stream.up(3, None)
    batches = [b"\0" + data for data in stream.take(0.0)]
    return [
        *batches,
        *(b"\0" + orjson.dumps([2, NODE, 7, 1, 0, False, [[1, [row]]], []]) for row in UP),
        *(b"\1" + pack([row]) for row in [*UP, *DOWN]),
    ]


def enter(data: bytes) -> Hashable:
    """Decode a message and check its rows, or decode records."""
    if not data or data[0] & 1:
        return _records(data[1:])
    batch = read_batch(data[1:])
    if batch is None:
        return None
    up = [row for _, rows in batch.up for row in rows or ()]
    down = [row for _, rows in batch.down for row in rows or ()]
    return InboundStream().came(batch, 0.0).value, sum(map(sound, up)), sum(map(sound_answer, down))


def _records(data: bytes) -> Hashable:
    """Decode records, which are damaged or encoded again as they were."""
    try:
        found = unpack(data)
    except (ValueError, TypeError) as damaged:
        return type(damaged).__name__
    kinds = {str(row[0]) if isinstance(row, list) and row else "" for row in found}
    return len(found) > 1, *sorted(kinds)[:4]


def fuzz(data: bytes) -> Hashable:
    """Let a hub and a worker read the rows that passed; and read a ticket with and without its row."""
    said = enter(data)
    if data and not data[0] & 1 and (batch := read_batch(data[1:])) is not None:
        _heard(
            [row for _, rows in batch.up for row in rows or () if sound(row)],
            [row for _, rows in batch.down for row in rows or () if sound_answer(row)],
        )
    elif data:
        _ticket(data[1:])
    return said


def _heard(up: list[Any], down: list[Any]) -> None:
    hub = Hub.build(Thresholds(), lambda: 1 << 40)
    hub.joined(1)
    hub.told(1, up, 10.0)
    hub.advance(2e9)
    for out in hub.out.values():
        rows = out.take_rows()
        assert unpack(pack(rows)) == rows
    room = RemoteRoom(0, Seats(lambda _, __: True, lambda _: True, lambda _: None, lambda _, __: None))
    room.told(down, 10.0)
    orjson.dumps(room.rows)


def _ticket(data: bytes) -> None:
    """Compare a ticket that is read from its record with that of its row."""
    reader = RecordReader(data)
    try:
        if not reader.next() or not reader.is_ticket:
            return
        ticket, row = read_ticket(reader, 10.0), unpack(data)[0]
    except (ValueError, TypeError, IndexError):
        return
    if sound(row):
        other, _, _ = ticket_of_row(row, 10.0)
        assert (ticket.client, ticket.person, ticket.pool) == (other.client, other.person, other.pool)
