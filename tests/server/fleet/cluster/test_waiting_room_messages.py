"""Numbered messages between two hubs: whatever is lost, late or doubled is noticed, and nothing that comes is believed unseen."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.fleet.cluster.waiting_room_messages import (
    APART,
    AT_ONCE,
    LATE,
    LIVES,
    MESSAGE_MAX,
    ROOM,
    ROWS_MAX,
    Arrival,
    Batch,
    InboundStream,
    OutboundStream,
    read,
)

NODE = "0123456789"


def out(life: int = 7, begun: int = 1) -> OutboundStream:
    made = OutboundStream(NODE, life)
    made.begin(begun)
    return made


def sent(stream: OutboundStream, now: float = 0.0) -> list[Batch]:
    found = [read(data) for data in stream.take(now)]
    assert None not in found
    return [batch for batch in found if batch is not None]


def batch(number: int, life: int = 7, begun: int = 1) -> Batch:
    return Batch(ROOM, NODE, life, begun, number, False, [], [])


def test_what_is_said_comes_out_as_it_went_in_with_a_number_each() -> None:
    stream = out()
    stream.up(1, [["leave", 5], ["leave", 6]])
    stream.up(2, None)
    stream.down(3, [["ask", 8]])
    (first,) = sent(stream)
    assert first == Batch(
        ROOM, NODE, 7, 1, 0, False, [(1, [["leave", 5], ["leave", 6]]), (2, None)], [(3, [["ask", 8]])]
    )
    stream.missed = True
    assert stream.waits
    (second,) = sent(stream)
    assert (second.number, second.missed, second.up) == (1, True, [])
    assert not stream.waits
    stream.up(1, [["leave", 7]])
    stream.begin(9)
    assert [(one.begun, one.number, one.up) for one in sent(stream)] == [(9, 0, [])]


def test_a_few_go_at_once_and_then_one_a_millisecond() -> None:
    stream = out()
    for _ in range(AT_ONCE):
        assert stream.due(5.0) == 5.0
        sent(stream, 5.0)
    sent(stream, 5.0)
    assert stream.due(5.0) == pytest.approx(5.0 + APART)
    times = []
    now = 5.0
    for _ in range(100):
        now = stream.due(now)
        sent(stream, now)
        times.append(now)
    assert times[-1] - times[0] == pytest.approx(99 * APART)
    assert stream.due(6.0) == 6.0
    stream.wait(7.0)
    assert stream.due(6.0) == 7.0


@given(
    st.lists(
        st.tuples(
            st.booleans(), st.integers(0, 3), st.lists(st.integers(1, 30_000), max_size=2 * ROWS_MAX) | st.none()
        ),
        max_size=6,
    )
)
def test_no_message_is_too_large_and_all_come_in_order(said: list[tuple[bool, int, list[int] | None]]) -> None:
    stream = out()
    expected: dict[tuple[bool, int], list[Any]] = {}
    for way, worker, sizes in said:
        rows = None if sizes is None else [["asked", "x" * size] for size in sizes]
        (stream.up if way else stream.down)(worker, rows)
        expected.setdefault((way, worker), []).extend([None] if rows is None else rows)
    found: dict[tuple[bool, int], list[Any]] = {}
    for number, data in enumerate(stream.take(0.0)):
        assert len(data) <= MESSAGE_MAX
        message = read(data)
        assert message is not None
        assert message.number == number
        for way, parts in ((True, message.up), (False, message.down)):
            for worker, some in parts:
                found.setdefault((way, worker), []).extend([None] if some is None else some)
    assert found == {key: rows for key, rows in expected.items() if rows}


def test_a_row_that_is_too_large_alone_is_left_out_and_no_number_with_it() -> None:
    stream = out()
    stream.up(1, [["leave", 1], ["asked", "x" * MESSAGE_MAX], ["leave", 2]])
    found = sent(stream)
    assert [row for one in found for _, rows in one.up for row in rows or ()] == [["leave", 1], ["leave", 2]]
    assert [one.number for one in found] == list(range(len(found)))


def test_a_stream_is_followed_by_its_numbers() -> None:
    stream = InboundStream()
    assert not stream.known
    begun_anew, following, stale, gap = Arrival.BEGUN, Arrival.NEXT, Arrival.STALE, Arrival.GAP
    for number, life, begun, what in (
        (0, 7, 1, begun_anew), (1, 7, 1, following), (1, 7, 1, stale), (0, 7, 1, stale), (3, 7, 1, gap), (2, 7, 1, stale),
        (4, 7, 1, following), (0, 7, 2, begun_anew), (5, 7, 1, stale), (1, 7, 2, following), (2, 7, 4, gap), (3, 7, 4, following),
        (0, 8, 1, begun_anew), (4, 7, 4, stale), (1, 8, 1, following), (5, 9, 1, gap), (2, 8, 1, stale),
    ):  # fmt: skip
        assert stream.came(batch(number, life, begun), 0.0) is what, (number, life, begun)
    assert stream.known


def test_what_was_given_up_has_a_gap_behind_it_unless_it_begins() -> None:
    stream = InboundStream()
    stream.came(batch(0), 0.0)
    stream.lost()
    assert stream.came(batch(1), 0.0) is Arrival.GAP
    assert stream.came(batch(2), 0.0) is Arrival.NEXT
    stream.lost()
    assert stream.came(batch(0, begun=2), 0.0) is Arrival.BEGUN


def test_who_was_taken_for_dead_by_a_late_message_of_before_is_heard_again_soon() -> None:
    stream = InboundStream()
    stream.came(batch(0, life=8), 0.0)
    stream.came(batch(9, life=7), 0.1)  # of the process before it, of which nothing had come
    assert stream.came(batch(1, life=8), 0.2) is Arrival.STALE
    assert stream.came(batch(2, life=8), 0.1 + LATE) is Arrival.GAP


def test_however_many_lives_there_are_few_are_remembered() -> None:
    stream = InboundStream()
    for life in range(100):
        stream.came(batch(0, life=life), 0.0)
    assert len(stream._over) <= LIVES


GOOD = [1, NODE, 7, 1, 0, False, [[1, [["leave", 5]]]], [[2, None]]]


@pytest.mark.parametrize(
    "wrong",
    [
        None, 1, {}, [], GOOD[:-1], [*GOOD, 1],
        *[[*GOOD[:place], what, *GOOD[place + 1 :]] for place, what in (
            (0, -1), (0, "1"), (0, True), (1, 7), (1, "0123"), (1, "ABCDEFABCD"), (2, 1 << 63), (3, None), (4, -1), (4, 0.5), (5, 0), (6, {}),
            (6, [1]), (6, [[1]]), (6, [[-1, []]]), (6, [[65, []]]), (6, [[True, []]]), (7, [["1", []]]), (7, [[1, {}]]), (7, None),
        )],
    ],
)  # fmt: skip
def test_what_is_no_message_is_none(wrong: object) -> None:
    assert read(orjson.dumps(GOOD)) is not None
    assert read(orjson.dumps(wrong)) is None


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_none(body: bytes) -> None:
    read(body)


@given(st.integers(0, len(orjson.dumps(GOOD)) - 1))
def test_a_message_that_was_cut_is_none(length: int) -> None:
    assert read(orjson.dumps(GOOD)[:length]) is None
