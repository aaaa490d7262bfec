"""Encode, number and check the messages between two hubs about the shared waiting room. This module does no input or output.

**Invariant:** the receiver notices by the number that a message was lost, delayed or doubled; then the process that has the sessions sends its
tickets (waiting users) again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any, Final, NamedTuple

import orjson

from engine.rooms.hub_messages import Row

ROOM: Final = (
    2  # version of this, and of the rows (`engine.rooms.hub_messages`): hosts of another one have another room
)
MESSAGE_MAX: Final = 48 * 1024  # bytes
ROWS_MAX: Final = 150  # of a message; most messages are far below its bytes
WAITING_MAX: Final = 5_000  # unsent rows of a stream, from which on no further user may begin to wait
DROPPED_AT: Final = 50_000  # unsent rows of a stream, at which it begins anew
APART: Final = 0.001  # seconds between two sendings to a host, on average
AT_ONCE: Final = 4  # sendings that may be nearer: a question and its answer need not wait
WORKER_MAX: Final = 64  # the highest number of a worker of a host
LIVES: Final = 4  # ended processes of a node that are remembered
LATE: Final = 5.0  # seconds for which a message of an ended process may still come
LIMIT: Final = 1 << 63  # of any number
NODE: Final = re.compile("[0-9a-f]{10}")

Rows = list[Row] | None  # None: the worker is gone
Part = tuple[int, Rows]  # of a worker, by its number at its host


class Batch(NamedTuple):
    """One message."""

    room: int
    node: str  # of the sender
    life: int
    begun: int
    number: int
    missed: bool  # the sender missed something of the opposite stream
    up: list[Part]  # rows of the sender's workers, for the room
    down: list[Part]  # rows of the room, for workers of the receiver


class OutboundStream:
    """Stream to one host. `life`, `begun`: see below.

    A stream leads from one host to one other. It begins with number 0, and begins anew when what was sent before is of no use any more; `life` is
    drawn by a process as it starts, `begun` counts the beginnings of a life.

        [room, node, life, begun, number, missed, up, down]      `up`, `down`: [worker of its host, its rows; null: it is gone]…
    """

    def __init__(self, node: str, life: int) -> None:
        self._node = node  # node of this host
        self._life = life
        self._begun = 0
        self._number = 0
        self._parts: tuple[list[Part], list[Part]] = ([], [])
        self.rows = 0  # queued
        self.missed = False  # to be sent
        self.sent: float | None = None  # when the last message was sent
        self._not_before = float("-inf")

    def begin(self, begun: int) -> None:
        """Begin anew: what is queued is of no use any more, nor is what was sent."""
        self._begun, self._number = begun, 0
        self._parts = ([], [])
        self.rows = 0

    def up(self, worker: int, rows: Rows) -> None:
        """Queue rows of a worker of this host, for the room there."""
        self._add(0, worker, rows)

    def down(self, worker: int, rows: Rows) -> None:
        """Queue rows of the room of this host, for a worker there."""
        self._add(1, worker, rows)

    def _add(self, way: int, worker: int, rows: Rows) -> None:
        self._parts[way].append((worker, rows))
        self.rows += 1 if rows is None else len(rows)

    @property
    def waits(self) -> bool:
        """Whether there is something to send."""
        return self.missed or self.rows > 0

    def due(self, now: float) -> float:
        """Return when the queue may be sent."""
        return max(now, self._not_before)

    def wait(self, until: float) -> None:
        """Send nothing before that time."""
        self._not_before = until

    def take(self, now: float) -> Iterator[bytes]:
        """Yield the queue as messages; one without rows if the queue is empty."""
        up, down = self._parts
        self._parts, self.rows = ([], []), 0
        self.sent = now
        self._not_before = max(self._not_before, now - AT_ONCE * APART) + APART
        parts = [(way, worker, rows) for way, of_way in enumerate((up, down)) for worker, rows in of_way]
        for some in _pieces(parts) if parts else ([],):
            yield from self._written(some)

    def _written(self, parts: list[tuple[int, int, Rows]]) -> Iterator[bytes]:
        """Yield one message, or two of half the rows each if it would be too large; a row that is too large alone is left out."""
        up = [[worker, rows] for way, worker, rows in parts if not way]
        down = [[worker, rows] for way, worker, rows in parts if way]
        head = ROOM, self._node, self._life, self._begun, self._number, self.missed
        data = orjson.dumps([*head, up, down])
        if len(data) > MESSAGE_MAX:
            halves = _halves(parts)
            for half in halves:
                yield from self._written(half)
            return
        self.missed = False
        self._number += 1
        yield data


def _pieces(parts: Iterable[tuple[int, int, Rows]]) -> Iterator[list[tuple[int, int, Rows]]]:
    """Split into lists of ROWS_MAX rows each."""
    some: list[tuple[int, int, Rows]] = []
    count = 0
    for way, worker, rows in parts:
        if rows is None:
            some.append((way, worker, None))
            continue
        for at in range(0, len(rows), ROWS_MAX):
            piece = rows[at : at + ROWS_MAX]
            if count + len(piece) > ROWS_MAX and some:
                yield some
                some, count = [], 0
            some.append((way, worker, piece))
            count += len(piece)
    if some:
        yield some


def _halves(parts: list[tuple[int, int, Rows]]) -> list[list[tuple[int, int, Rows]]]:
    """Return two lists with half of the rows each; none for one row."""
    if len(parts) > 1:
        return [parts[: len(parts) // 2], parts[len(parts) // 2 :]]
    way, worker, rows = parts[0]
    if rows is None or len(rows) < 2:
        return []
    middle = len(rows) // 2
    return [[(way, worker, rows[:middle])], [(way, worker, rows[middle:])]]


class Arrival(Enum):
    """Class of a received message, by its number."""

    NEXT = "next"
    BEGUN = "begun"  # a stream begins
    GAP = "gap"  # something before it was lost, or its beginning
    STALE = "stale"  # a duplicate, or of an ended stream


class InboundStream:
    """Stream of one host."""

    def __init__(self) -> None:
        self._life: int | None = None
        self._begun = 0
        self._next = 0
        self._over: dict[int, float] = {}  # ended lives, and until when their messages may still come

    @property
    def known(self) -> bool:
        """Whether anything was received."""
        return self._life is not None

    def lost(self) -> None:
        """Forget what was received: the next message has a gap before it, unless it begins."""
        self._next = -1

    def came(self, batch: Batch, now: float) -> Arrival:
        """Classify a message."""
        if batch.life != self._life:
            self._over = {life: until for life, until in self._over.items() if until > now}
            if batch.life in self._over:
                return Arrival.STALE
            if self._life is not None:
                self._over = {**dict([*self._over.items()][1 - LIVES :]), self._life: now + LATE}
            self._life = batch.life
        elif batch.begun < self._begun or (batch.begun == self._begun and batch.number < self._next):
            return Arrival.STALE
        elif batch.begun == self._begun and batch.number == self._next:
            self._next += 1
            return Arrival.NEXT
        self._begun, self._next = batch.begun, batch.number + 1
        return Arrival.BEGUN if batch.number == 0 else Arrival.GAP


def read(body: bytes) -> Batch | None:
    """Decode a message; None: it is damaged. Its rows are not checked here (`engine.rooms.hub_message_checks`)."""
    try:
        fields = orjson.loads(body)
    except ValueError:
        return None
    if type(fields) is not list or len(fields) != len(Batch._fields):
        return None
    room, node, life, begun, number, missed, up, down = fields
    if type(node) is not str or not NODE.fullmatch(node) or type(missed) is not bool:
        return None
    if any(type(one) is not int or not 0 <= one < LIMIT for one in (room, life, begun, number)):
        return None
    parts = _read_parts(up), _read_parts(down)
    if parts[0] is None or parts[1] is None:
        return None
    return Batch(room, node, life, begun, number, missed, parts[0], parts[1])


def _read_parts(fields: Any) -> list[Part] | None:
    if type(fields) is not list:
        return None
    for one in fields:
        if type(one) is not list or len(one) != 2 or type(one[0]) is not int or not 0 <= one[0] <= WORKER_MAX:
            return None
        if one[1] is not None and type(one[1]) is not list:
            return None
    return [(worker, rows) for worker, rows in fields]
