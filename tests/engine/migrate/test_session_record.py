"""A record is whole and fits, or nothing of it is taken."""

import copy
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
import pytest

from engine.conduct.camera_verdicts import CameraState, CheckResult
from engine.engine import BadRecord, SessionRecord, agreed
from engine.migrate.session_record import OLDEST, VERSION
from tests.engine.moving import MovingWorld
from tests.engine.world import Wire


def people(world: MovingWorld) -> list[Wire]:
    """Two who talk, one who waits, one who is idle."""
    a, b = world.pair()
    world.say(a, "one")
    assert a.session.seat is not None
    looks = a.session.seat.chat.looks = CameraState()  # nothing there goes by whether it is a video chat
    looks.due, looks.cameras[1].hits, looks.cameras[1].veiled = (
        world.now + 9,
        [CheckResult(world.now, "hit", "agrees")],
        True,
    )
    c, d = world.open(), world.open(identity=7)
    world.send(c, type="find", interests=["chess"], strict=True)
    return [a, b, c, d]


def written() -> tuple[MovingWorld, SessionRecord]:
    """A world that they left, and their session_record."""
    world = MovingWorld(keeps=True)
    wires = people(world)
    return world, world.release(*[wire.session.id for wire in wires])


def untouched(world: MovingWorld) -> bool:
    """Whether nothing is in any table, and nobody was told anything."""
    core = world.engine._core
    empty = not (core.sessions or core.aliases or core.here or core.words._held or world.engine.room.clients())
    return empty and not world.bus.inbox and not list(world.engine.moves.rest(world.now))


@pytest.mark.parametrize(
    ("theirs", "version"),
    [((OLDEST, VERSION), VERSION), ((1, 9), VERSION), ((VERSION + 1, 9), None), ((-3, OLDEST - 1), None), ((0, 1), 1)],
)
def test_the_version_written_is_the_newest_that_both_read(theirs: tuple[int, int], version: int | None) -> None:
    assert agreed(theirs) == version


def test_everything_that_leaves_is_of_the_version_agreed_on_until_the_hand_over_ends() -> None:
    world, session_record = written()
    moves = world.engine.moves
    assert session_record.record["v"] == moves.pace(world.now)["v"] == VERSION
    moves.writes = VERSION - 1
    assert moves.release([], {}, world.now).record["v"] == moves.pace(world.now)["v"] == VERSION - 1
    assert {piece["v"] for piece in moves.rest(world.now)} <= {VERSION - 1}
    moves.forget()
    assert moves.release([], {}, world.now).record["v"] == VERSION


def test_a_record_cut_at_any_byte_is_refused_whole() -> None:
    world, session_record = written()
    text = orjson.dumps(session_record.record)
    world.restart()
    for cut in range(len(text)):
        with pytest.raises(ValueError):
            world.engine.moves.take(
                SessionRecord(orjson.loads(text[:cut]), session_record.blobs), world.connect, world.now
            )
    for place, data in enumerate(session_record.blobs):
        for cut in range(len(data)):
            blobs = [*session_record.blobs[:place], data[:cut], *session_record.blobs[place + 1 :]]
            with pytest.raises(BadRecord):
                world.engine.moves.take(SessionRecord(session_record.record, blobs), world.connect, world.now)
        with pytest.raises(BadRecord):
            world.engine.moves.take(
                SessionRecord(session_record.record, session_record.blobs[:place]), world.connect, world.now
            )
    assert untouched(world)
    assert len(world.take(session_record)) == 4


def test_another_value_anywhere_is_read_or_refused_and_never_breaks_what_reads() -> None:
    world, session_record = written()
    world.restart()

    def places(record: Any) -> list[tuple[Any, ...]]:
        items = record.items() if isinstance(record, dict) else enumerate(record) if isinstance(record, list) else ()
        return [path for key, value in items for path in [(key,), *((key, *rest) for rest in places(value))]]

    others: tuple[Any, ...] = ({}, [], "x" * 10, -5, None, 1 << 70, [[[]]])
    for path in places(session_record.record):
        for other in others:
            record = copy.deepcopy(session_record.record)
            owner = record
            for key in path[:-1]:
                owner = owner[key]
            owner[path[-1]] = other
            with suppress(BadRecord):
                world.engine.moves._read(SessionRecord(record, session_record.blobs), world.now)
    assert untouched(world)


def change(where: Callable[[dict[str, Any]], dict[str, Any]], **fields: Any) -> Callable[[dict[str, Any]], None]:
    """A change of some fields; None: it is taken out."""

    def made(record: dict[str, Any]) -> None:
        for name, value in fields.items():
            if value is None:
                where(record).pop(name, None)
            else:
                where(record)[name] = value

    return made


def person(place: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda record: record["people"][place]


def seat(place: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda record: record["people"][place]["seat"]


@pytest.mark.parametrize(
    "wrong",
    [
        change(lambda record: record, v=VERSION + 1),
        change(lambda record: record, v=OLDEST - 1),
        change(lambda record: record, v=None),
        change(lambda record: record, chats=[]),
        change(person(0), id=0),
        change(person(0), id=1 << 63),
        change(person(0), state="gone"),
        change(person(0), state=None),
        change(person(0), seat=None),
        change(person(0), away=5.0),
        change(person(2), state=None),
        change(person(2), state="parted"),
        change(person(2), query={}),
        change(lambda record: record["people"][2]["query"], fallen=1 << 40),
        change(lambda record: record["people"][2]["query"], fallen=1 << 16),
        change(person(0), identity=-5, met=[[1, 1.0]]),
        change(person(0), alias=-5, met=[[1, 1.0]]),
        change(seat(0), persons=[-5]),
        change(person(3), key=500_001),
        change(person(3), id=500_001),
        change(person(3), wire={"bytes": 99}),
        change(person(3), wire={"bytes": 0, "input": -1, "out": 3}),
        change(person(3), wire={"input": 3}),
        change(seat(0), over=["lost", 1]),
        change(seat(0), side=0),
        change(seat(0), others=[]),
        change(seat(0), others=[[1, 500_003]]),
        change(seat(0), chat="another"),
        lambda record: record["people"].pop(1),
    ],
)
def test_what_does_not_fit_together_is_refused_whole(wrong: Callable[[dict[str, Any]], None]) -> None:
    world, session_record = written()
    world.restart()
    record = copy.deepcopy(session_record.record)
    wrong(record)
    with pytest.raises(BadRecord):
        world.engine.moves.take(SessionRecord(record, session_record.blobs), world.connect, world.now)
    assert untouched(world)
    assert len(world.take(session_record)) == 4


def test_somebody_who_is_here_already_is_not_taken_again() -> None:
    world, session_record = written()
    world.take(session_record)
    before = list(world.engine.sessions)
    with pytest.raises(BadRecord, match="already"):
        world.engine.moves.take(session_record, world.connect, world.now)
    assert list(world.engine.sessions) == before


def test_fields_of_a_later_release_are_skipped_and_counted() -> None:
    world, session_record = written()
    world.restart()
    session_record.record["weather"] = "fine"
    session_record.record["people"][0]["mood"] = 3
    session_record.record["people"][2]["query"]["luck"] = {}
    session_record.record["chats"][0]["colour"] = []
    session_record.record["people"][3]["client"] = {"another": "face's"}
    assert len(world.take(session_record)) == 4
    assert world.engine.moves.skipped == 4
