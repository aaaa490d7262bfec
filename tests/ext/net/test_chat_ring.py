"""Test the ring: numbers without gaps, bounds in messages and bytes, one budget, and nothing left behind."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ext.net.chat_ring import Ring, Rings
from ext.reactor.debug_hooks import append, refuse
from tests.support.groups import examples

KIB = 1024


def test_numbers_begin_at_one_and_have_no_gap(rings: Rings) -> None:
    ring = rings.new()
    assert ring.last == 0
    assert [append(ring, index & 1, b"x") for index in range(5)] == [1, 2, 3, 4, 5]
    assert ring.last == 5
    assert (ring.taken(0), ring.taken(1), ring.taken(2)) == (3, 2, 0)


def test_a_ring_keeps_the_last_thousand_messages(rings: Rings) -> None:
    ring = rings.new()
    for index in range(1500):
        append(ring, 0, b"%d" % index)
    lines = ring.lines()
    assert len(lines) == 1000
    assert lines[0] == (501, 0, 0, b"500")
    assert lines[-1] == (1500, 0, 0, b"1499")


def test_a_ring_keeps_at_most_256_kib(rings: Rings) -> None:
    ring = rings.new()
    for _ in range(300):
        append(ring, 0, b"x" * 2000)
    assert rings.counters()["used"] == 256 * KIB
    assert sum(len(line[3]) + 12 for line in ring.lines()) <= 256 * KIB
    assert len(ring.lines()) == 256 * KIB // 2012


def test_what_is_missed_is_the_other_sides_and_all_of_it_or_lost(rings: Rings) -> None:
    ring = rings.new()
    for index in range(10):
        append(ring, index % 2, b"x")
    assert ring.missed(0, 0) == 5
    assert ring.missed(1, 9) == 0
    assert ring.missed(0, 9) == 1
    assert ring.missed(2, 4) == 6
    assert ring.missed(0, 11) == -1
    for _ in range(995):
        append(ring, 0, b"x")
    assert ring.missed(1, 4) == -1
    assert ring.missed(1, 5) == 1000 - 3


def test_refused_ordinals_are_those_of_the_last_200_frames(rings: Rings) -> None:
    ring = rings.new()
    assert ring.refused(0) == []
    for index in range(1000):
        if index % 3:
            refuse(ring, 0)
        else:
            append(ring, 0, b"x")
    assert ring.taken(0) == 1000
    assert ring.refused(0) == [ordinal for ordinal in range(801, 1001) if (ordinal - 1) % 3]
    assert ring.refused(1) == []


def test_ended_rings_are_emptied_first_and_oldest_first() -> None:
    rings = Rings(8 * KIB)
    made = [rings.new() for _ in range(8)]
    for ring in made:
        append(ring, 0, b"x" * 900)  # 1 KiB each: the budget is full
    for ring in (made[2], made[0], made[1]):
        ring.end()
    another = rings.new()
    append(another, 0, b"x" * 900)
    assert made[2].lines() == []
    assert made[2].missed(1, 0) == -1
    assert len(made[0].lines()) == 1
    append(another, 0, b"x" * 900)
    assert made[0].lines() == []
    assert rings.counters()["evicted"] == 2
    assert rings.counters()["used"] <= 8 * KIB


def test_what_a_long_chat_gives_up_by_the_bounds_of_its_own_ring_is_not_counted_as_want_of_memory() -> None:
    rings = Rings(1024 * KIB)
    many, large = rings.new(), rings.new()
    for _ in range(1200):
        append(many, 0, b"x")
    for _ in range(300):
        append(large, 0, b"x" * 1500)
    assert len(many.lines()) == 1000
    assert 0 < len(large.lines()) < 300
    assert rings.counters()["dropped"] == 0


def test_a_live_ring_gives_up_its_own_oldest_where_the_budget_is_full() -> None:
    rings = Rings(2 * KIB)
    one, two = rings.new(), rings.new()
    for _ in range(3):
        append(one, 0, b"a" * 400)
        append(two, 0, b"b" * 400)
    assert rings.counters()["used"] <= 2 * KIB
    assert one.last == two.last == 3
    assert rings.counters()["dropped"] > 0
    assert one.lines()[-1][0] == 3
    nothing = Rings(0).new()
    assert append(nothing, 0, b"x") == 1
    assert nothing.lines() == []
    assert nothing.missed(1, 0) == -1
    assert nothing.missed(1, 1) == 0


@pytest.mark.parametrize("dropped", range(1, 5))
def test_a_ring_that_gave_up_its_oldest_and_grows_again_holds_the_rest_in_order(dropped: int) -> None:
    rings = Rings(KIB)
    ring, other = rings.new(), rings.new()
    append(other, 0, b"o" * 400)
    said = [b"%d" % index * 100 for index in range(4 + dropped)]  # four of them fit into half of the budget
    for text in said:
        append(ring, 0, text)
    assert rings.counters()["dropped"] == dropped
    other.end()  # whose half goes to whoever wants it
    append(ring, 1, b"x" * 300)
    assert rings.counters()["evicted"] == 1
    assert [line[3] for line in ring.lines()] == [*said[dropped:], b"x" * 300]


def test_a_ring_goes_with_its_last_reference(rings: Rings) -> None:
    for _ in range(1000):
        ring = rings.new()
        append(ring, 0, b"x" * 100)
        refuse(ring, 1)
        ring.end()
        del ring
    assert rings.counters()["used"] == 0


def test_what_no_ring_can_do_is_a_named_error(rings: Rings) -> None:
    ring = rings.new()
    with pytest.raises(ValueError):
        append(ring, 2, b"x")
    with pytest.raises(ValueError):
        append(ring, 0, b"")
    with pytest.raises(ValueError):
        refuse(ring, 2)
    with pytest.raises(ValueError):
        Rings(-1)
    with pytest.raises(TypeError):
        Ring()


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 3000)), max_size=300), st.integers(0, 300 * KIB))
def test_any_history_holds_the_newest_in_order_within_the_bounds(history: list[tuple[int, int]], budget: int) -> None:
    rings = Rings(budget)
    ring = rings.new()
    said = []
    for number, (side, size) in enumerate(history, 1):
        text = bytes([number % 256]) * size
        assert append(ring, side, text, number) == number
        said.append((number, side, number, text))
        assert rings.counters()["used"] <= budget
    lines = ring.lines()
    assert lines == said[len(said) - len(lines) :]
    first = ring.last + 1 - len(lines)
    for after in range(0, ring.last + 1, 7):
        expected = -1 if after + 1 < first else sum(1 for line in lines if line[0] > after and line[1] != 0)
        assert ring.missed(0, after) == expected
