"""Rows of other hosts: those that are ones pass, and whatever else somebody sends does not, and does no harm."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.ports import Seats
from engine.matching.thresholds import Thresholds
from engine.rooms import hub_messages as rows
from engine.rooms.hub import Hub
from engine.rooms.hub_message_checks import sound, sound_answer
from engine.rooms.remote_waiting_room import RemoteRoom
from tests.engine.rooms.test_hub import people
from tests.engine.workers import Host

POOL = ["text", "en", "stranger", ""]
TICKET = ["ticket", 7, 1, POOL, ["tea"], False, 9, [1], [2], [POOL], 0.5, 1, 2.0, 3, 1]
WISH = ["wish", 7, 1, True, "en", 9, [1], 0.5, 0]
MEET = ["meet", 1, [[7, 1, 0], [8, 1, 0]], [0.5, 1], ["tea"], 1.0, "good", False, None]
THREE = ["meet", 1, [[7, 1, 0], [8, 1, 0], [9, 1, 0]], [0.5, 1], [], 0.0, "", True, "Why?"]
UP: list[list[Any]] = [
    TICKET, WISH, ["cancel", 7, "cancelled"], ["leave", 7], ["aside", 7], ["back", 7], ["done", 1, [7, 9], [8, 10]], ["failed", 1],
    ["bar", 9, 10, ["0a/24"]], ["asked", "Why?", "en"], ["more"], ["pairs", 7, 1, [2, 4], 4], ["here", 7, 9, [2, 4]],
    ["want", 7, 9, 1],
]  # fmt: skip
DOWN: list[list[Any]] = [
    ["step", 7, 1, 1, None, 0, "good", 2.0, True], MEET, THREE, ["go", 7, 1, MEET], ["full", 7, 1], ["ask", 7], ["again"], ["on"],
    ["called", 7, 2, "text", True], ["here", 7, [0, 1]], ["wanted", 7, 9, 1],
]  # fmt: skip
WRONG = (None, True, -1, (1 << 64) - 1, 1 << 64, 1e300, "x" * 1000, [], [[]], {}, [1 << 64], ["x"] * 100, "nothing")
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=12,
)


@pytest.mark.parametrize("row", UP, ids=lambda row: row[0])
def test_what_workers_say_passes(row: list[Any]) -> None:
    assert sound(row)


@pytest.mark.parametrize("row", DOWN, ids=lambda row: row[0])
def test_what_the_hub_says_passes(row: list[Any]) -> None:
    assert sound_answer(row)


def test_each_kind_is_looked_at() -> None:
    kinds = {name: value for name, value in vars(rows).items() if name.isupper() and type(value) is str}
    assert {row[0] for row in [*UP, *DOWN]} == set(kinds.values())


def test_what_engines_and_hubs_really_say_passes() -> None:
    host = Host(2)
    crowd = people(host, 0, 1, 0, 1)
    said: list[Any] = []
    answered: list[Any] = []
    told = RemoteRoom.told

    for one in host.workers.values():
        room = one.room

        def hears(batch: Any, now: float, room: RemoteRoom = room) -> None:
            answered.extend(batch)
            told(room, batch, now)

        one.room = _Heard(room, hears)  # type: ignore[assignment]
    for place, wire in enumerate(crowd):
        worker = host.world(wire)
        said += worker.room.rows
        host.send(wire, type="find", interests=["tea", "Chess"][: place % 3], strict=place == 0)
    for worker in host.workers.values():
        worker.room.found(host.now)
        said += worker.room.rows
    assert said or answered
    for row in orjson.loads(orjson.dumps(said)):
        assert sound(row)
    for row in orjson.loads(orjson.dumps(answered)):
        assert sound_answer(row)


class _Heard:
    """A room whose `told` is seen."""

    def __init__(self, room: RemoteRoom, told: Any) -> None:
        self.__dict__.update(_room=room, told=told)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._room, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._room, name, value)


def harmless(row: Any) -> None:
    """What passes is read without a fault; what does not is not."""
    if sound(row):
        hub = Hub.build(Thresholds(), lambda: 1 << 40)
        hub.joined(1)
        hub.told(1, [row], 10.0)
        hub.advance(2e9)
        assert isinstance(hub.out[1].take_rows(), list)
    if sound_answer(row):
        room = RemoteRoom(0, Seats(lambda _, __: True, lambda _: True, lambda _: None, lambda _, __: None))
        room.told([row], 10.0)
        orjson.dumps(room.rows)


@pytest.mark.parametrize("row", [*UP, *DOWN], ids=lambda row: row[0])
def test_a_row_with_a_wrong_field_does_not_pass_or_does_no_harm(row: list[Any]) -> None:
    for place in range(len(row)):
        for wrong in WRONG:
            harmless([*row[:place], wrong, *row[place + 1 :]])
    for length in range(len(row)):
        harmless(row[:length])
    harmless([*row, 1])


@given(anything)
def test_anything_at_all_does_no_harm(row: Any) -> None:
    harmless(row)


@given(st.sampled_from([*UP, *DOWN]), st.data())
def test_a_row_with_anything_in_a_place_does_no_harm(row: list[Any], data: st.DataObject) -> None:
    place = data.draw(st.integers(1, max(1, len(row) - 1)))
    harmless([*row[:place], data.draw(anything), *row[place + 1 :]])


def test_what_is_no_row_at_all_does_not_pass() -> None:
    for wrong in (None, 1, "ticket", {}, [], [None], [1], [["ticket"]]):
        assert not sound(wrong)
        assert not sound_answer(wrong)
    assert sound(["later", 1])  # of a newer release, which is skipped and counted
