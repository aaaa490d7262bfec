"""Fuzz the ring that carries rows between processes, and the reader of its records, against a plain list. Also a target of `make fuzz`.

An input is a place to begin at, and steps: messages are put and taken; or what the other process wrote is damaged, which ends the input. Each message
is read as records.
**Invariant:** without damage a message arrives as it was put. Damage raises ValueError, or gives messages that fit the ring.
"""

import mmap
import os
import struct
from collections import deque
from collections.abc import Hashable, Iterator
from contextlib import suppress

from engine.rooms.hub_messages import Row
from engine.rooms.hub_records import pack
from ext.base.shared_ring import SharedRing, new_memory
from ext.match.room_records import RecordReader

PAGE, SIZE = 4096, 4096
COUNTS = struct.Struct("<Q56xQ56xI60xI")  # written, read, asleep, blocked: the head of the memory
POOL = ["text", "en", "stranger", ""]
MEET: Row = ["meet", 1, [[7, 1, 0], [8, 1, 0]], [0.5, 1], ["tea"], 0.0, "", True, "Why?"]
ROWS: list[Row] = [
    ["ticket", 7, 1, POOL, ["tea", "sea"], False, 9, [1], [2], [POOL], 0.5, 1, 2.0, 3, 1], ["step", 7, 1, 1, None, 0, "good", 2.0, True], MEET,
    ["go", 7, 1, MEET], ["done", 1, [7, 9], [8, 10]], ["leave", 7],
]  # fmt: skip
PUT, TAKE, COUNT, DATA = range(4)
WORDS = (
    b"\0", b"\1", b"\2", b"\3", b"\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x01\0", b"\x02\0", b"\x03\0", b"\x04\0", b"\x05\0", b"\x06\0",
    *(pack([row])[:60] for row in ROWS),
)  # fmt: skip


def _opened() -> tuple[SharedRing, SharedRing, mmap.mmap]:
    file = new_memory(SIZE, 1)
    try:
        return SharedRing(file, SIZE), SharedRing(file, SIZE), mmap.mmap(file, PAGE + SIZE)
    finally:
        os.close(file)


WRITER, READER, MEMORY = _opened()


def put(message: bytes) -> bytes:
    """Return the step that puts a message."""
    return bytes((PUT,)) + struct.pack("<H", len(message)) + message


def seeds() -> list[bytes]:
    """Return inputs with each kind of record, over the end of the ring, and with each kind of damage."""
    messages = [pack([row]) for row in ROWS]
    begin = struct.pack("<H", SIZE - 20)
    return [
        *(bytes(2) + put(message) + bytes((TAKE,)) for message in messages),
        begin + b"".join(put(message) for message in messages) + bytes((TAKE,)) + put(pack(ROWS)),
        begin + put(messages[0]) + bytes((COUNT, 0)) + bytes(range(1, 9)),
        begin + put(messages[0]) + bytes((COUNT, 8)) + b"\xff" * 8,
        begin + put(messages[0]) + bytes((DATA,)) + struct.pack("<H", SIZE - 20) + b"\xff" * 4,
        bytes(2) + put(pack(ROWS)) + bytes((DATA, 4, 0)) + messages[3],
    ]


def records(message: bytes) -> Iterator[object]:
    """Read a message as records, each by every accessor. Raises ValueError."""
    reader = RecordReader(message)
    while reader.next():
        assert len(reader.text()) <= len(message)
        yield reader.is_ticket, reader.is_step, reader.is_meeting, reader.is_going, reader.is_done
        assert 8 * len(reader.recent() + reader.barred()) + len(reader.pools()) <= len(message)
        if reader.is_meeting or reader.is_going:
            assert 24 * len(reader.members(3)) <= len(message)
        if reader.is_done:
            assert 16 * len(reader.members(2)) <= len(message)
        assert sum(map(len, reader.words())) + len(reader.question() or "") <= len(message)


def kinds(messages: list[bytes]) -> set[object]:
    """Read messages as records; return their kinds."""
    found: set[object] = set()
    for message in messages:
        try:
            found.update(records(message))
        except ValueError:
            found.add("damaged")
    return found


def damaged(where: int, data: bytes) -> list[bytes] | None:
    """Overwrite the memory, and take what is there; None if it is refused."""
    MEMORY[where : where + len(data)] = data
    try:
        messages: list[bytes] = READER.take()
    except ValueError:
        return None
    assert sum(4 + len(message) for message in messages) <= SIZE
    return messages


def begun(data: bytes) -> None:
    """Empty the ring, at the place that the first two bytes name."""
    begin = int.from_bytes(data[:2], "little")
    MEMORY[: COUNTS.size] = COUNTS.pack(begin, begin, 0, 0)


def damage_of(data: bytes, kind: int, at: int) -> tuple[int, bytes]:
    """Return where a step overwrites the memory, and with what: a count, or content of the ring."""
    if kind == COUNT:
        return (0, 64)[data[at] >> 3 & 1] if at < len(data) else 0, data[at + 1 : at + 9]
    where = int.from_bytes(data[at : at + 2], "little") % SIZE
    return PAGE + where, data[at + 2 :][: SIZE - where]


def enter(data: bytes) -> None:
    """Run the steps and read each message as records, compared with nothing."""
    begun(data)
    at = 2
    while at < len(data):
        kind, at = data[at] % 4, at + 1
        if kind == PUT:
            end = at + 2 + int.from_bytes(data[at : at + 2], "little") % (SIZE - 3)
            WRITER.put(data[at + 2 : end])
            at = end
        else:
            messages = READER.take() if kind == TAKE else damaged(*damage_of(data, kind, at))
            for message in messages or ():
                with suppress(ValueError):
                    deque(records(message), 0)
            if kind != TAKE:
                return


def fuzz(data: bytes) -> Hashable:
    """Run the steps beside a plain list; return which kinds of records were read."""
    begun(data)
    sent: deque[bytes] = deque()
    seen: set[object] = set()
    used = 0  # bytes of the ring
    at = 2
    while at < len(data):
        kind, at = data[at] % 4, at + 1
        if kind == PUT:
            size, at = int.from_bytes(data[at : at + 2], "little") % (SIZE - 3), at + 2
            message, at = data[at : at + size], at + size
            fits = used + 4 + len(message) <= SIZE
            assert WRITER.put(message) == fits
            if fits:
                sent.append(message)
                used += 4 + len(message)
        elif kind == TAKE:
            assert READER.sleep() == (not sent)
            messages = READER.take()
            assert messages == [*sent]
            sent.clear()
            used = 0
            seen |= kinds(messages)
        else:
            found = damaged(*damage_of(data, kind, at))
            seen |= {"refused"} if found is None else kinds(found)
            break
    return frozenset(map(str, seen))
