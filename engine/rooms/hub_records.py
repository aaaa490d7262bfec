"""Encode rows between the processes of one host (`engine.rooms.hub_messages`) as binary records, and decode them.

The rows of a chat that begins have a fixed layout each (`ext.match.room_records`); every other row is JSON behind a length. Both ends are of one
release, and the memory that the records pass through is theirs alone, so a record is not checked as one of another host is.
**Invariant:** a record is decoded to the row that was encoded, with tuples as lists.
"""

# Times are seconds; NOT_A_TIME encodes None.

from collections.abc import Iterable
from typing import Final

import orjson

from engine.matching.lobby import MOST_AVOIDED
from engine.matching.tickets import NEVER, Pool, Ticket
from engine.rooms.hub_messages import DONE, GO, MEET, STEP, TICKET, Row
from engine.wire.protocol import ACCEPTS
from ext.match.room_records import RecordReader, RecordWriter

NOT_A_TIME: Final = float("-inf")
POOLS_MAX: Final = 4096  # different pools that are remembered; then all are forgotten
STEP_NUMBERS: Final = {accepts: number for number, accepts in reversed([*enumerate(ACCEPTS)])}
RULES: Final = ("", *ACCEPTS[:3])
RULE_NUMBERS: Final = {rule: number for number, rule in enumerate(RULES)}
_pools: dict[bytes, tuple[Pool, tuple[Pool, ...]]] = {}


def pack(batch: Iterable[Row]) -> bytes:
    """Encode rows, in order. Raises TypeError for a value that JSON does not know."""
    writer = RecordWriter()
    for row in batch:
        pack_row(writer, row)
    return writer.take()


def pack_row(writer: RecordWriter, row: Row) -> None:
    """Encode a row. Raises TypeError for a value that JSON does not know."""
    try:
        kind = row[0]
        if kind == TICKET:
            _pack_ticket(writer, row)
        elif kind == STEP:
            _pack_step(writer, row)
        elif kind == MEET:
            _pack_meeting(writer, row)
        elif kind == GO:
            _pack_going(writer, row)
        elif kind == DONE:
            writer.done(row[1], row[2:])
        else:
            writer.other(orjson.dumps(row))
    except (
        LookupError,
        ValueError,
        AttributeError,
        OverflowError,
        TypeError,
    ):  # the layout has no room for a value
        writer.other(orjson.dumps(row))


def unpack(data: bytes) -> list[Row]:
    """Decode all records. Raises ValueError, TypeError for damaged ones."""
    found: list[Row] = []
    reader = RecordReader(data)
    try:
        while reader.next():
            found.append(read_row(reader))
    except IndexError as damage:
        raise ValueError("damaged records of the waiting room") from damage
    return found


def read_row(reader: RecordReader) -> Row:
    """Return the row of the record that a reader has just read. Raises ValueError, TypeError, IndexError."""
    if reader.is_ticket:
        pool, also = _read_pools(reader.pools(), reader.further)
        return [
            TICKET, reader.client, reader.number, list(pool), reader.words(), reader.strict, reader.person, list(reader.recent()),
            list(reader.barred()), [list(one) for one in also], reader.age, reader.level, _time(reader.step), reader.fallen, reader.status,
        ]  # fmt: skip
    if reader.is_step:
        return [
            STEP, reader.client, reader.number, reader.level, _time(reader.step), reader.fallen, ACCEPTS[reader.accepts],
            _time(reader.widens), reader.others,
        ]  # fmt: skip
    if reader.is_meeting:
        return _meeting_row(reader)
    if reader.is_going:
        return [GO, reader.client, reader.worker, _meeting_row(reader)]
    if reader.is_done:
        return [DONE, reader.id, *reader.members(2)]
    row: Row = orjson.loads(reader.text())
    return row


def read_ticket(reader: RecordReader, now: float) -> Ticket:
    """Return the ticket that a reader has just read, without its interests: the same as `hub_messages.read_ticket` of its row. Raises ValueError."""
    pool, also = _read_pools(reader.pools(), reader.further)
    barred = reader.barred()
    if len(barred) > MOST_AVOIDED:
        barred = barred[-MOST_AVOIDED:]
    ticket = Ticket.__new__(Ticket)
    ticket.fill(reader.client, pool, reader.strict, reader.person, reader.recent(), now - reader.age, barred, also)
    ticket.number = reader.number
    step = reader.step
    ticket._level, ticket._fallen = reader.level, reader.fallen
    ticket._step = NEVER if step == NOT_A_TIME else now + step
    return ticket


def _pack_ticket(writer: RecordWriter, row: Row) -> None:
    _, client, number, pool, words, strict, person, recent, barred, also, age, level, step, fallen, status = row
    pools = "\n".join(["\t".join(one) for one in (pool, *also)]) if also else "\t".join(pool)
    writer.ticket(
        status, strict, level, fallen, len(also), recent, barred, pools.encode(), "\n".join(words).encode(), client, number, person, age,
        NOT_A_TIME if step is None else step,
    )  # fmt: skip


def _read_pools(text: bytes, further: int) -> tuple[Pool, tuple[Pool, ...]]:
    """Return the pool of a ticket, and the further ones. Raises ValueError."""
    found = _pools.get(text)
    if found is None:
        pools = tuple([Pool(*one.split("\t")) for one in text.decode().split("\n")])
        if len(pools) != 1 + further:
            raise ValueError("a ticket without its pools")
        if len(_pools) >= POOLS_MAX:
            _pools.clear()
        found = _pools[text] = pools[0], pools[1:]
    return found


def _pack_step(writer: RecordWriter, row: Row) -> None:
    _, client, number, level, step, fallen, accepts, widens, others = row
    writer.step(
        client, number, level, fallen, STEP_NUMBERS[accepts], others, NOT_A_TIME if step is None else step,
        NOT_A_TIME if widens is None else widens,
    )  # fmt: skip


def _pack_meeting(writer: RecordWriter, row: Row) -> None:
    _, id, who, waited, words, weight, rule, spies, question = row
    text = "\n".join(words).encode() if words else b""
    asked = None if question is None else question.encode()
    for client, number, worker in who:
        writer.member(client, number, worker)
    writer.meet(id, RULE_NUMBERS[rule], spies, text, asked, waited[0], waited[1], weight)


def _pack_going(writer: RecordWriter, going: Row) -> None:
    _, client, worker, row = going
    writer.go(client, worker)
    _pack_meeting(writer, row)


def _meeting_row(reader: RecordReader) -> Row:
    return [
        MEET, reader.id, reader.members(3), [reader.first, reader.second], reader.words(), reader.weight, RULES[reader.rule],
        reader.spies, reader.question(),
    ]  # fmt: skip


def _time(seconds: float) -> float | None:
    return None if seconds == NOT_A_TIME else seconds
