"""Test that a dumped and filled ring equals the original; a truncated or inconsistent snapshot makes no ring."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ext.net.chat_ring import Ring, Rings
from ext.reactor.debug_hooks import append, refuse
from tests.ext.net.rig import Rig, line, pair
from tests.support.groups import examples

KIB = 1024
Dump = tuple[dict[str, Any], bytes]


def seen(ring: Ring) -> tuple[object, ...]:
    """All that can be seen of a ring, but for who is linked and the room it takes."""
    missed = [ring.missed(side, after) for side in range(3) for after in range(0, ring.last + 1, 1 + ring.last // 9)]
    state, data = ring.dump()
    return ring.lines(), ring.last, [(ring.taken(side), ring.refused(side)) for side in (0, 1)], missed, state, data


def small(rings: Rings) -> Dump:
    """A ring in which every field stands."""
    rig = Rig()
    one, two = pair(rig, rings)
    ring = rings.new()
    rig.reactor.link(one.number, ring, 0)
    rig.reactor.link(two.number, ring, 1)
    two.say(line("first"))
    rig.run()
    two.sock.close()
    rig.run()
    one.say(line("hi"), line("there"))
    rig.run()
    refuse(ring, 0)
    refuse(ring, 1)
    rig.close()
    ring.end()
    return ring.dump()


def test_the_numbers_are_plain_and_what_is_nothing_is_left_out(rings: Rings) -> None:
    assert rings.new().dump() == ({}, b"")
    state, data = small(rings)
    assert state == {
        "last": 3,
        "count": 3,
        "ended": 1,
        "taken": [3, 2],
        "refusals": [1, 1],
        "refused": [[3], [2]],
        "unsent": [0, 2],
        "unsent_bytes": [0, 7],
    }
    assert data.startswith(b"\5\0\0\0" + (1000).to_bytes(4, "little") + b"\1\0\0\0first\2\0\0\0")


def test_every_cut_byte_is_refused_whole_and_leaves_no_ring(rings: Rings) -> None:
    state, data = small(rings)
    for size in range(len(data)):
        with pytest.raises(ValueError):
            rings.fill(state, data[:size])
    for more in (b"\0", data):
        with pytest.raises(ValueError):
            rings.fill(state, data + more)
    assert rings.counters()["rings"] == 0
    assert seen(rings.fill(state, data)) == seen(rings.fill({**state, "of a later version": [1]}, data))


@pytest.mark.parametrize(
    "wrong",
    [
        {"last": 2},
        {"last": 4},
        {"last": -1},
        {"last": 1 << 31, "taken": [1 << 31, 1 << 31]},
        {"last": 1 << 32},
        {"last": "3"},
        {"last": None},
        {"count": 2},
        {"count": 4},
        {"count": 3.0},
        {"ended": 2},
        {"taken": [2, 2]},
        {"taken": [4, 1]},
        {"taken": [3]},
        {"taken": 5},
        {"taken": [3, None]},
        {"refusals": [0, 0]},
        {"refusals": [1, 9]},
        {"refused": [[3]]},
        {"refused": [[3], [3]]},
        {"refused": [[0], [2]]},
        {"refused": [[1, 3], [2]]},
        {"refused": [3, 2]},
        {"refused": "xy"},
        {"unsent": [0, 1 << 32]},
        {"unsent_bytes": [-1, 0]},
    ],
)
def test_what_does_not_fit_together_is_refused(rings: Rings, wrong: dict[str, Any]) -> None:
    state, data = small(rings)
    with pytest.raises(ValueError):
        rings.fill({**state, **wrong}, data)
    assert rings.counters()["rings"] == 0


def test_an_entry_of_no_side_is_refused(rings: Rings) -> None:
    state, data = small(rings)
    with pytest.raises(ValueError):
        rings.fill(state, data[:8] + b"\2" + data[9:])


def test_refused_ordinals_ascend(rings: Rings) -> None:
    ring = rings.new()
    for _ in range(3):
        refuse(ring, 1)
    state, data = ring.dump()
    assert rings.fill(state, data).refused(1) == [1, 2, 3]
    for wrong in ([3, 2, 1], [1, 1, 2], [1, 2, 4]):
        with pytest.raises(ValueError):
            rings.fill({**state, "refused": [[], wrong]}, data)


def test_who_is_away_has_as_much_waiting_as_before(rings: Rings) -> None:
    rig, there = Rig(), Rig()
    one, two = pair(rig, rings)
    ring = rings.new()
    rig.reactor.link(one.number, ring, 0)
    rig.reactor.link(two.number, ring, 1)
    two.sock.close()
    rig.run()
    one.say(*[line("x")] * 150)
    rig.run()
    moved = rings.fill(*ring.dump())
    again = there.dial()
    there.reactor.link(again.number, moved, 0)
    again.say(*[line("x")] * 60)
    there.run()
    assert (moved.last, moved.refused(0)) == (200, list(range(201, 211)))
    rig.close()
    there.close()
    del ring, moved


def test_an_ended_ring_is_the_first_to_be_emptied() -> None:
    rings = Rings(4 * KIB)
    ended = Rings(4 * KIB).new()
    append(ended, 0, b"x" * 900)
    ended.end()
    moved = rings.fill(*ended.dump())
    others = [rings.new() for _ in range(4)]
    for other in others:
        append(other, 0, b"x" * 900)
    assert moved.lines() == []
    assert all(len(other.lines()) == 1 for other in others)
    assert rings.counters()["evicted"] == 1


def test_a_budget_that_is_short_keeps_the_newest_and_counts_what_went() -> None:
    ring = Rings(64 * KIB).new()
    for index in range(20):
        append(ring, 0, b"%03d" % index * 300)
    rings = Rings(4 * KIB)
    moved = rings.fill(*ring.dump())
    assert moved.lines() == ring.lines()[-4:]
    assert moved.last == 20
    assert moved.missed(1, 15) == -1
    assert moved.missed(1, 16) == 4
    assert rings.counters()["dropped"] == 16
    assert rings.counters()["used"] == 4 * KIB
    nothing = Rings(0).fill(*ring.dump())
    assert (nothing.lines(), nothing.last, nothing.missed(1, 20)) == ([], 20, 0)


def test_more_than_a_ring_holds_is_cut_to_its_newest() -> None:
    rings = Rings(1 << 20)
    many = b"".join((1).to_bytes(4, "little") + bytes(8) + b"x" for _ in range(1500))
    assert len(rings.fill({"last": 1500, "count": 1500, "taken": [1500, 0]}, many).lines()) == 1000
    large = b"".join((3000).to_bytes(4, "little") + bytes(8) + b"x" * 3000 for _ in range(200))
    ring = rings.fill({"last": 200, "count": 200, "taken": [200, 0]}, large)
    assert len(ring.lines()) == 256 * KIB // 3012
    assert append(ring, 1, b"goes on") == 201
    assert ring.lines()[-1][3] == b"goes on"


@settings(max_examples=examples(150), deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("sssr"), st.integers(0, 1), st.integers(1, 3000)), max_size=300),
    st.lists(st.tuples(st.sampled_from("sr"), st.integers(0, 1), st.integers(1, 3000)), max_size=30),
    st.booleans(),
)
def test_any_ring_goes_on_as_if_it_had_not_moved(
    before: list[tuple[str, int, int]], behind: list[tuple[str, int, int]], ended: bool
) -> None:
    ring = Rings(1 << 20).new()
    went_on(ring, before)
    if ended:
        ring.end()
    state, data = ring.dump()
    moved = Rings(1 << 20).fill(json.loads(json.dumps(state)), data)
    assert seen(moved) == seen(ring)
    for at in {0, 1, 11, 12, len(data) // 2, len(data) - 1} & set(range(len(data))):
        with pytest.raises(ValueError):
            Rings(1 << 20).fill(state, data[:at])
    went_on(ring, behind)
    went_on(moved, behind)
    assert seen(moved) == seen(ring)


def went_on(ring: Ring, history: list[tuple[str, int, int]]) -> None:
    """Frames of a chat: said ones and refused ones."""
    for number, (what, side, size) in enumerate(history):
        if what == "s":
            append(ring, side, bytes([97 + number % 26]) * size, number)
        else:
            refuse(ring, side)


Numbers = st.one_of(st.integers(-2, 1 << 33), st.none(), st.text(max_size=2), st.floats(), st.booleans())


@settings(max_examples=examples(300), deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["last", "count", "ended", "taken", "refusals", "refused", "unsent", "unsent_bytes", "x"]),
        st.one_of(Numbers, st.lists(st.one_of(Numbers, st.lists(Numbers, max_size=3)), max_size=3)),
        max_size=8,
    ),
    st.binary(max_size=60),
)
def test_whatever_another_process_wrote_makes_a_ring_or_a_value_error(state: dict[str, Any], data: bytes) -> None:
    rings = Rings(1 << 20)
    try:
        ring = rings.fill(state, data)
    except ValueError:
        assert rings.counters()["rings"] == 0
        return
    assert append(ring, 0, b"x") == state.get("last", 0) + 1
