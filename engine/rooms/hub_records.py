"""Encode rows between the processes of one host (`engine.rooms.hub_messages`) as binary records, and decode them.

The rows of a chat that begins have a fixed layout each; every other row is JSON behind a length. Both ends are of one release, and the memory that
the records pass through is theirs alone, so a record is not checked as one of another host is.
**Invariant:** a record is decoded to the row that was encoded, with tuples as lists.
"""

# A record is its kind (one byte) and its fields. Times are seconds; NOT_A_TIME encodes None.

from collections.abc import Iterable, Sequence
from struct import Struct, error
from typing import Any, Final

import orjson

from engine.matching.lobby import MOST_AVOIDED
from engine.matching.tickets import Pool, Ticket
from engine.rooms import hub_messages as rows
from engine.rooms.hub_messages import Row
from engine.wire.protocol import ACCEPTS

OTHER_KIND: Final = 0
TICKET_KIND: Final = 1
STEP_KIND: Final = 2
MEET_KIND: Final = 3
GO_KIND: Final = 4
DONE_KIND: Final = 5
NOT_A_TIME: Final = float("-inf")
NO_TEXT: Final = 0xFFFF
POOLS_MAX: Final = 4096  # different pools that are remembered; then all are forgotten

# kind, bytes of JSON
OTHER: Final = Struct("<BI")
# kind, status, strict, level, fallen, further pools, recent partners, barred persons, bytes of pools, of words, client, number, person, age, step;
# then recent partners and barred persons (8 bytes each), the pools' texts, the words' texts
TICKET: Final = Struct("<BBBBHBBHHHQQQdd")
# kind, level, fallen, accepts, others, client, number, step, widens
STEP: Final = Struct("<BBHBBQQdd")
# kind, members, rule, spies, bytes of words, of the question, id, waited (two), weight; then the members (24 bytes each) and the texts
MEET: Final = Struct("<BBBBHHQddd")
MEMBER: Final = Struct("<QQQ")
# kind, client, worker; then a MEET
GO: Final = Struct("<BQQ")
# kind, members, id; then the members (16 bytes each)
DONE: Final = Struct("<BBQ")
PERSON: Final = Struct("<QQ")
RULES: Final = ("", *ACCEPTS[:3])
RULE_NUMBERS: Final = {rule: number for number, rule in enumerate(RULES)}
NUMBERS: Final = [Struct(f"<{count}Q") for count in range(64)]
_pools: dict[bytes, tuple[Pool, ...]] = {}


def pack(batch: Iterable[Row]) -> bytes:
    """Encode rows, in order. Raises TypeError for a value that JSON does not know."""
    parts: list[bytes] = []
    for row in batch:
        try:
            kind = row[0]
            if kind == rows.TICKET:
                part = _pack_ticket(row)
            elif kind == rows.STEP:
                part = _pack_step(row)
            elif kind == rows.MEET:
                part = _pack_meeting(row)
            elif kind == rows.GO:
                part = GO.pack(GO_KIND, row[1], row[2]) + _pack_meeting(row[3])
            elif kind == rows.DONE:
                part = _pack_done(row)
            else:
                part = _pack_other(row)
        except (error, LookupError, ValueError, AttributeError):  # a value that the layout has no room for
            part = _pack_other(row)
        parts.append(part)
    return b"".join(parts)


def unpack(data: bytes) -> list[Row]:
    """Decode all records. Raises ValueError, TypeError for damaged ones."""
    found: list[Row] = []
    at = 0
    try:
        while at < len(data):
            row, at = unpack_row(data, at)
            found.append(row)
    except (error, IndexError) as damage:
        raise ValueError("damaged records of the waiting room") from damage
    return found


def unpack_row(data: bytes, at: int) -> tuple[Row, int]:
    """Decode the record at a place; return its row, and the place of the next. Raises ValueError, TypeError, IndexError, struct.error."""
    kind = data[at]
    if kind == TICKET_KIND:
        return _ticket_row(data, at)
    if kind == STEP_KIND:
        _, level, fallen, accepts, others, client, number, step, widens = STEP.unpack_from(data, at)
        return [
            rows.STEP, client, number, level, _time(step), fallen, ACCEPTS[accepts], _time(widens), others != 0,
        ], at + STEP.size  # fmt: skip
    if kind == MEET_KIND:
        return _meeting_row(data, at)
    if kind == GO_KIND:
        _, client, worker = GO.unpack_from(data, at)
        meeting, end = _meeting_row(data, at + GO.size)
        return [rows.GO, client, worker, meeting], end
    if kind == DONE_KIND:
        return _done_row(data, at)
    if kind == OTHER_KIND:
        _, size = OTHER.unpack_from(data, at)
        at += OTHER.size
        row: Row = orjson.loads(data[at : at + size])
        return row, at + size
    raise ValueError(f"a record of kind {kind}")


def is_ticket(data: bytes, at: int) -> bool:
    """Whether the record at a place is a ticket."""
    return data[at] == TICKET_KIND


def unpack_ticket(data: bytes, at: int, now: float) -> tuple[Ticket, int, list[str], int, int]:
    """Decode a ticket without its interests, the number that it has in its worker, their words, `status`, and the place of the next record.

    The same as `hub_messages.read_ticket` of its row, without the row. Raises as `unpack_row` does.
    """
    (
        _, status, strict, level, fallen, pools, recents, barreds, pool_size, word_size, client, number, person, age, step,
    ) = TICKET.unpack_from(data, at)  # fmt: skip
    at += TICKET.size
    recent: tuple[int, ...] = ()
    barred: tuple[int, ...] = ()
    if recents:
        recent = NUMBERS[recents].unpack_from(data, at)
        at += 8 * recents
    if barreds:
        barred = Struct(f"<{barreds}Q").unpack_from(data, at)[-MOST_AVOIDED:]
        at += 8 * barreds
    pool, also = _read_pools(data[at : at + pool_size], pools)
    at += pool_size
    words: list[str] = data[at : at + word_size].decode().split("\n") if word_size else []
    ticket = Ticket(client, pool, (), strict != 0, person, recent, now - age, blocked=barred, also=also)
    ticket.set_progress(level, None if step == NOT_A_TIME else now + step, fallen)
    return ticket, number, words, status, at + word_size


def _pack_other(row: Row) -> bytes:
    data = orjson.dumps(row)
    return OTHER.pack(OTHER_KIND, len(data)) + data


def _pack_ticket(row: Row) -> bytes:
    _, client, number, pool, words, strict, person, recent, barred, also, age, level, step, fallen, status = row
    pools = "\n".join(["\t".join(one) for one in (pool, *also)]).encode() if also else "\t".join(pool).encode()
    text = "\n".join(words).encode()
    head = TICKET.pack(
        TICKET_KIND, status, strict, level, fallen, len(also), len(recent), len(barred), len(pools), len(text), client, number, person, age,
        NOT_A_TIME if step is None else step,
    )  # fmt: skip
    if not recent and not barred:
        return head + pools + text
    return b"".join((head, Struct(f"<{len(recent) + len(barred)}Q").pack(*recent, *barred), pools, text))


def _ticket_row(data: bytes, at: int) -> tuple[Row, int]:
    (
        _, status, strict, level, fallen, pools, recents, barreds, pool_size, word_size, client, number, person, age, step,
    ) = TICKET.unpack_from(data, at)  # fmt: skip
    at += TICKET.size
    persons = Struct(f"<{recents + barreds}Q").unpack_from(data, at)
    at += 8 * (recents + barreds)
    pool, also = _read_pools(data[at : at + pool_size], pools)
    at += pool_size
    words = data[at : at + word_size].decode().split("\n") if word_size else []
    return [
        rows.TICKET, client, number, list(pool), words, strict != 0, person, list(persons[:recents]), list(persons[recents:]),
        [list(one) for one in also], age, level, _time(step), fallen, status,
    ], at + word_size  # fmt: skip


def _read_pools(text: bytes, further: int) -> tuple[Pool, tuple[Pool, ...]]:
    """Return the pool of a ticket, and the further ones. Raises ValueError."""
    pools = _pools.get(text)
    if pools is None:
        pools = tuple([Pool(*one.split("\t")) for one in text.decode().split("\n")])
        if len(pools) != 1 + further:
            raise ValueError("a ticket without its pools")
        if len(_pools) >= POOLS_MAX:
            _pools.clear()
        _pools[text] = pools
    return pools[0], pools[1:]


def _pack_step(row: Row) -> bytes:
    _, client, number, level, step, fallen, accepts, widens, others = row
    return STEP.pack(
        STEP_KIND, level, fallen, ACCEPTS.index(accepts), others, client, number, NOT_A_TIME if step is None else step,
        NOT_A_TIME if widens is None else widens,
    )  # fmt: skip


def _pack_meeting(row: Row) -> bytes:
    _, id, who, waited, words, weight, rule, spies, question = row
    text = "\n".join(words).encode() if words else b""
    asked = b"" if question is None else question.encode()
    head = MEET.pack(
        MEET_KIND, len(who), RULE_NUMBERS[rule], spies, len(text), NO_TEXT if question is None else len(asked), id, waited[0], waited[1],
        weight,
    )  # fmt: skip
    return b"".join([head, *[MEMBER.pack(*member) for member in who], text, asked])


def _meeting_row(data: bytes, at: int) -> tuple[Row, int]:
    _, members, rule, spies, word_size, asked_size, id, first, second, weight = MEET.unpack_from(data, at)
    at += MEET.size
    who = []
    for _ in range(members):
        who.append(list(MEMBER.unpack_from(data, at)))
        at += MEMBER.size
    words = data[at : at + word_size].decode().split("\n") if word_size else []
    at += word_size
    question = None
    if asked_size != NO_TEXT:
        question = data[at : at + asked_size].decode()
        at += asked_size
    return [rows.MEET, id, who, [first, second], words, weight, RULES[rule], spies != 0, question], at


def _pack_done(row: Row) -> bytes:
    members: Sequence[Any] = row[2:]
    head = DONE.pack(DONE_KIND, len(members), row[1])
    return b"".join([head, *[PERSON.pack(*member) for member in members]])


def _done_row(data: bytes, at: int) -> tuple[Row, int]:
    _, members, id = DONE.unpack_from(data, at)
    at += DONE.size
    row: Row = [rows.DONE, id]
    for _ in range(members):
        row.append(list(PERSON.unpack_from(data, at)))
        at += PERSON.size
    return row, at


def _time(seconds: float) -> float | None:
    return None if seconds == NOT_A_TIME else seconds
