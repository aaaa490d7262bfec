"""The row of a waiting session is imported whole, or refused before any change."""

import copy
from typing import Any

import pytest

from engine.engine import BadRecord, SessionRecord
from engine.migrate.waiting_row import LAYOUT, PLACES
from tests.engine.migrate.test_session_record import untouched
from tests.engine.moving import MovingWorld
from tests.engine.world import Wire

# what no field can be, by place
BAD: dict[int, list[Any]] = {
    0: [LAYOUT + 1, None],
    1: [None, 1],
    2: [-1, 1 << 64, "1", None],
    3: [-1, 1.5],
    4: [None, 1],
    5: [-1, 1 << 32, "1"],
    6: [1 << 20, None],
    7: [-1, 65_536],
    8: [None, "x"],
    9: [-1, None],
    10: [None, [], ["en"], ["en", "spy", False, False, False, False, None, False, ""], [[]] * 9],
    11: [1, []],
    12: [[-1], ["x"], [None], 1],
    13: [[1 << 64], {"a": 1}],
    14: [-1, None],
    15: [[""], [1], ["x" * 5_000], ["x"] * 1_000, None],
    16: [[1], None],
    17: [None, "x", 1e300, float("inf")],
    18: [["x"], None],
    19: [[-5], None],
    20: [[], [0], [9, 0], [-1, 0], [0, -1], [0, 70_000], ["x", 0], None],
    21: ["x", 1e300],
}


def written() -> tuple[MovingWorld, SessionRecord, Wire]:
    """Return a world from which a waiting session was exported, and its record."""
    world = MovingWorld(keeps=True)
    wire = world.open(identity=7)
    world.send(wire, type="find", interests=["chess"], strict=True)
    world.near = True
    return world, world.release(wire.session.id), wire


def test_each_place_is_tried() -> None:
    assert sorted(BAD) == list(range(PLACES))


@pytest.mark.parametrize("place", BAD)
def test_what_no_field_can_be_is_refused_before_any_change(place: int) -> None:
    world, session_record, _ = written()
    for value in BAD[place]:
        damaged = copy.deepcopy(session_record)
        damaged.record["people"][0]["row"][place] = value
        with pytest.raises(BadRecord):
            world.engine.moves.take(damaged, world.connect, world.now)
        assert untouched(world)
    (session,) = world.take(session_record)
    assert session.query is not None
    assert world.engine._core.words.as_typed(session.query) == ["chess"]


def test_a_row_that_is_too_short_or_too_long_is_refused() -> None:
    world, session_record, _ = written()
    row = session_record.record["people"][0]["row"]
    for other in (row[:-1], [*row, 0], []):
        damaged = copy.deepcopy(session_record)
        damaged.record["people"][0]["row"] = other
        with pytest.raises(BadRecord):
            world.engine.moves.take(damaged, world.connect, world.now)
        assert untouched(world)


@pytest.mark.parametrize("field", ["seat", "away"])
def test_who_has_a_row_has_neither_a_chat_nor_an_end(field: str) -> None:
    world, session_record, _ = written()
    session_record.record["people"][0][field] = {"chat": "1"} if field == "seat" else 1.0
    with pytest.raises(BadRecord):
        world.engine.moves.take(session_record, world.connect, world.now)
    assert untouched(world)


def test_who_is_away_or_waits_to_ask_a_question_has_named_fields() -> None:
    world = MovingWorld(keeps=True)
    away, asks = world.open(), world.open()
    world.send(away, type="find", interests=["tea"], strict=True)
    world.lose(away)
    world.send(asks, type="find", role="spy", question="Is a hot dog a sandwich?")
    world.near = True
    people = world.release(away.session.id, asks.session.id).record["people"]
    assert [("row" in person, "query" in person) for person in people] == [(False, True)] * 2
