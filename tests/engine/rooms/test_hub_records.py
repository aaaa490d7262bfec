"""Rows as records: they are read as they were written, and a ticket is the same by either way."""

import contextlib
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.rooms import hub_messages as rows
from engine.rooms.hub_messages import Row, read_ticket
from engine.rooms.hub_records import pack, unpack
from engine.rooms.hub_records import read_ticket as read_record
from ext.match.room_records import RecordReader

numbers = st.integers(0, (1 << 64) - 1)
seconds = st.floats(-1e9, 1e9)
words = st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=64), max_size=32)
pools = st.tuples(
    st.sampled_from(["text", "video"]),
    st.sampled_from(["en", "*", "zgh"]),
    st.just("stranger"),
    st.sampled_from(["", "uio.no"]),
)
levels = st.integers(0, 3)
falls = st.integers(0, 1000)
maybe = st.one_of(st.none(), seconds)
tickets = st.tuples(
    st.just(rows.TICKET), numbers, numbers, pools, words, st.booleans(), numbers, st.lists(numbers, max_size=16), st.lists(numbers, max_size=255),
    st.lists(pools, max_size=3), seconds, levels, maybe, falls, st.integers(0, 2),
)  # fmt: skip
steps = st.tuples(
    st.just(rows.STEP),
    numbers,
    numbers,
    levels,
    maybe,
    falls,
    st.sampled_from(["good", "any", "anyone"]),
    maybe,
    st.booleans(),
)
meetings = st.tuples(
    st.just(rows.MEET), numbers, st.lists(st.tuples(numbers, numbers, numbers), min_size=2, max_size=3), st.tuples(seconds, seconds), words,
    seconds, st.sampled_from(["", "good", "any", "anyone"]), st.booleans(),
    st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=200)),
)  # fmt: skip
going = st.tuples(st.just(rows.GO), numbers, numbers, meetings.map(list))
done = st.builds(lambda id, who: (rows.DONE, id, *who), numbers, st.lists(st.tuples(numbers, numbers), max_size=3))
others = st.one_of(
    st.tuples(st.just(rows.CANCEL), numbers, st.just("lost")), st.tuples(st.just(rows.ASK), numbers), st.just((rows.AGAIN,)),
    st.tuples(st.just(rows.BAR), numbers, numbers, st.lists(st.just("192.0.2.0/24"), max_size=4)),
)  # fmt: skip


def plain(row: Any) -> Row:
    """The row as the other process reads it: lists for tuples."""
    found: Row = orjson.loads(orjson.dumps(row))
    return found


@given(st.lists(st.one_of(tickets, steps, meetings, going, done, others).map(list), max_size=12))
def test_rows_are_read_as_they_were_written(batch: list[Row]) -> None:
    assert unpack(pack(batch)) == [plain(row) for row in batch]


@given(st.lists(tickets.map(list), min_size=1, max_size=4))
def test_a_ticket_is_the_same_without_its_row(batch: list[Row]) -> None:
    reader = RecordReader(pack(batch))
    for row in batch:
        assert reader.next()
        assert reader.is_ticket
        expected, interests, status = read_ticket(plain(row), 100.0)
        ticket = read_record(reader, 100.0)
        assert (reader.number, reader.words(), reader.status) == (row[2], interests, status)
        for name in ("client", "pool", "strict", "person", "recent", "blocked", "also", "since"):
            assert getattr(ticket, name) == getattr(expected, name)
        assert ticket.progress() == expected.progress()
    assert not reader.next()


@pytest.mark.parametrize(
    "row",
    [
        [rows.DONE, 1 << 70, [1, 1]],
        [rows.DONE, 5, [-1, 1]],
        [rows.STEP, 1, 1, 0, None, 0, "somebody", None, False],
        [rows.MEET, 1, [], [0.0, 0.0], [], 0.0, "another rule", False, None],
        ["later", 1, {"what": "nobody knows"}],
    ],
)
def test_a_row_that_no_layout_holds_is_read_as_it_was_written(row: Row) -> None:
    if row[1] == 1 << 70:
        with pytest.raises(TypeError):
            pack([row])
    else:
        assert unpack(pack([row])) == [row]


@given(st.lists(st.one_of(tickets, steps, meetings, done).map(list), min_size=1, max_size=2), st.data())
def test_damaged_records_end_in_an_error_or_in_rows(batch: list[Row], data: st.DataObject) -> None:
    packed = pack(batch)
    cut = data.draw(st.integers(0, len(packed)))
    broken = packed[:cut] + data.draw(st.binary(max_size=8))
    with contextlib.suppress(TypeError, ValueError):
        assert isinstance(unpack(broken), list)
