"""What is remembered of people goes with them, or after them: whom not to meet, finds paid for, how busy it is."""

from itertools import count
from typing import Any

import orjson
import pytest

from engine.conduct.search_rate import SearchRate
from engine.core.states import CHATTING, WAITING
from engine.engine import BadRecord, Engine
from engine.matching.recent_partners import RecentPartners
from engine.wire.protocol import LEFT
from engine.wire.rule_constants import REPORTS_MAX, Settings
from tests.engine.moving import MovingWorld
from tests.engine.world import Wire

QUESTION = "Is a hot dog a sandwich?"


def again(world: MovingWorld, *wires: Wire) -> list[int]:
    """They leave what they are in and look for somebody."""
    for wire in wires:
        world.send(wire, type="find")
    return [wire.session.state for wire in wires]


def told(world: MovingWorld, old: Engine) -> list[dict[str, Any]]:
    """What is left over goes to the present engine, as it travels."""
    pieces = [orjson.loads(orjson.dumps(piece)) for piece in old.moves.rest(world.now, 2)]
    for piece in pieces:
        world.engine.moves.take_rest(piece, world.now)
    return pieces


def test_two_who_just_met_do_not_meet_at_once_there_either_and_do_when_the_time_is_over() -> None:
    world = MovingWorld()
    a, b = world.pair()
    world.move()
    assert again(world, a, b) == [WAITING, WAITING]
    ids = [wire.session.id for wire in (a, b)]
    world.now += 599
    world.move()
    assert [world.engine._core.recents.recent(id, world.now) for id in ids] == [(ids[1],), (ids[0],)]
    world.now += 2
    world.move()
    assert [world.engine._core.recents.recent(id, world.now) for id in ids] == [(), ()]
    assert again(world, a, b) == [CHATTING, CHATTING]


def test_who_was_reported_is_not_met_for_a_day_wherever_both_are() -> None:
    world = MovingWorld()
    a, b = world.pair()
    world.send(a, type="report", reason="spam")
    world.send(a, type="leave")
    ids = [wire.session.id for wire in (a, b)]
    for seconds in (43_000, 43_000):
        world.now += seconds
        world.move(1)
        recents = world.engine._core.recents
        assert [recents.barred(id, world.now) for id in ids] == [(ids[1],), (ids[0],)]
    world.now += 500
    assert [world.engine._core.recents.barred(id, world.now) for id in ids] == [(), ()]


def test_finds_that_were_made_are_paid_for_there_too() -> None:
    world = MovingWorld(Settings(find_burst=3, find_interval=10.0))
    a = world.open()
    for _ in range(3):
        world.send(a, type="find", interests=["chess"], strict=True)
    world.now += 4
    world.move()
    refused = world.send(a, type="find")[-1]
    assert (refused["code"], refused["retry_after"]) == ("too_fast", 6)


def test_whose_video_is_off_has_none_there_either() -> None:
    world = MovingWorld()
    a, _ = world.open(identity=7), world.open(identity=7)
    world.engine._core.pauses.put(7, 600.0, world.now)
    world.now += 100
    world.move(1)
    refused = world.send(a, type="find", mode="video")[-1]
    assert (refused["code"], refused["retry_after"]) == ("snaps", 500)


def test_one_who_is_here_twice_is_remembered_here_until_both_are_gone() -> None:
    world = MovingWorld()
    a, other, b = world.open(identity=7), world.open(identity=7), world.open()
    again(world, a, b)
    world.send(a, type="leave")
    session_record = world.release(a.session.id)
    assert world.engine._core.recents.recent(7, world.now) == (b.session.id,)
    assert again(world, b, other) == [WAITING, WAITING]
    rest = world.release(other.session.id, b.session.id)
    old = world.restart()
    world.take(session_record)
    world.take(rest)
    told(world, old)
    assert world.engine._core.recents.recent(7, world.now) == (b.session.id,)


def test_who_is_not_here_is_remembered_by_their_identity_and_a_session_that_is_over_is_not() -> None:
    world = MovingWorld(Settings(find_burst=2, find_interval=10.0))
    a, b = world.open(identity=7), world.open()
    again(world, a, b)
    world.send(a, type="report", reason="spam")
    world.lose(a, LEFT)
    world.move()
    back = world.open(identity=7)
    assert again(world, back, b) == [WAITING, WAITING]
    assert world.send(back, type="find")[-1]["code"] == "too_fast"
    assert world.engine._core.recents.barred(7, world.now) == (b.session.id,)


def test_reports_of_one_network_are_bounded_over_both_processes() -> None:
    here, there = RecentPartners(count(1).__next__), RecentPartners(count(1_000).__next__)
    network = ("192.0.2.1",)
    for person in range(REPORTS_MAX - 1):
        here.report(person, 1_000 + person, network, 0.0)
    pieces = [orjson.loads(orjson.dumps(piece)) for piece in here.rest(10.0, 7)]
    assert max(len(rows) for piece in pieces for rows in piece.values()) <= 7
    there.take_salt(here.salt)
    for piece in pieces:
        for name, rows in piece.items():
            for who, known in rows:
                if name.startswith("reports_"):
                    there.take_reports(int(name[8:]), who, [(tuple(pair), left) for pair, left in known], 10.0)
                else:
                    there.enter(who, name, [tuple(row) for row in known], 10.0)
    there.report(5_000, 5_001, network, 11.0)
    assert there.barred(0, 11.0) == (1_000,)
    there.report(6_000, 6_001, network, 12.0)
    assert (there.barred(0, 12.0), there.barred(1_000, 12.0)) == ((), ())
    assert there.barred(1, 12.0) == (1_001,)


def test_numbers_of_networks_are_another_processs_own_without_its_salt() -> None:
    one, two = RecentPartners(count(1).__next__), RecentPartners(count(2).__next__)
    for recents in (one, two):
        recents.report(1, 2, ("192.0.2.1",), 0.0)
    numbers = [next(iter(recents._networks[1]._table)) for recents in (one, two)]
    assert numbers[0] != numbers[1]


def test_what_both_know_of_a_person_is_one_and_the_longer_holds() -> None:
    recents = RecentPartners(count(1).__next__)
    recents.met(1, 2, 0.0)
    recents.met(1, 3, 100.0)
    recents.enter(1, "met", [(2, 550.0), (3, 5.0), (4, 1.0), (5, 600.0), (6, 590.0)], 100.0)
    assert recents.recent(1, 100.0) == (2, 6, 3, 5), "four, those with the most to go"
    finds = SearchRate(2, 10.0)
    finds.pay(1, 0.0)
    finds.enter(1, 3.0, 0.0)
    finds.enter(2, 30.0, 0.0)
    assert finds.rest(0.0) == [(1, 10.0), (2, 30.0)]


def test_the_pace_goes_ahead_of_the_people() -> None:
    world = MovingWorld()
    crowd = [world.open() for _ in range(70)]
    for number, wire in enumerate(crowd):
        world.send(wire, type="find", interests=[f"word {number}"], strict=True)
        world.now += 0.5
    pool = world.engine.room.lobby.pace(world.now)[0][0]
    before = world.engine.room.lobby._rooms.of(pool, world.now).arrivals.total  # type: ignore[attr-defined]
    spies = [world.open(), world.open(), world.open()]
    world.send(spies[0], type="find", role="spy", question=QUESTION, share=True)
    for wire in spies[1:]:
        world.send(wire, type="find", role="discuss")
    world.now += 7
    waits = world.engine.room.spy_queue.waits(world.now)
    world.restart()
    arrivals = world.engine.room.lobby._rooms.of(pool, world.now).arrivals  # type: ignore[attr-defined]
    assert before == arrivals.total == 70
    arrivals.expire(world.now + 30)
    assert 0 < arrivals.total < 70
    queue = world.engine.room.spy_queue
    assert (queue.waits(world.now), queue.questions.take("en", world.now)) == (waits, QUESTION)


@pytest.mark.parametrize(
    "more",
    [{"v": 2}, {"rooms": [[["text", "en", "stranger"], [1]]]}, {"salt": "xyz"}, {"waits": [1.0]}, {"questions": [1]}],
)
def test_a_pace_that_cannot_be_changes_nothing(more: dict[str, Any]) -> None:
    world = MovingWorld()
    pace = {"v": 1, "rooms": [[["text", "en", "stranger", ""], [5]]], **more}
    with pytest.raises(BadRecord):
        world.engine.moves.take_pace(pace, world.now)
    assert world.engine.room.lobby.pace(world.now) == []


@pytest.mark.parametrize(
    "more", [{"v": 0}, {"got": [[1, [[2]]]]}, {"reports_1": [[1, [[1, 5.0]]]]}, {"finds": 3}, {"paused": [[1, "x"]]}]
)
def test_a_rest_that_cannot_be_changes_nothing_and_what_is_unknown_is_counted(more: dict[str, Any]) -> None:
    world = MovingWorld()
    moves = world.engine.moves
    with pytest.raises(BadRecord):
        moves.take_rest({"v": 1, "met": [[1, [[2, 5.0]]]], **more}, world.now)
    assert list(moves.rest(world.now)) == []
    moves.take_rest({"v": 1, "met": [[1, [[2, 5.0]]]], "news": 1}, world.now)
    assert (len(list(moves.rest(world.now))), moves.skipped) == (1, 1)
