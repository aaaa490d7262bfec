"""What is remembered of who is gone is bounded, and is the same in the process that follows."""

from typing import Any

import orjson
import pytest

from engine.wire.protocol import PAST_FOR
from server.data.records.transcript import Unreadable
from server.site.omegle import ended_clients
from server.site.omegle.ended_clients import EndedClients, RecentChats, UnreportedEnds
from tests.engine.world import World


def over(world: World, text: str) -> Any:
    """A seat of a chat that is over."""
    one, two = world.open(), world.open()
    for wire in (one, two):
        world.send(wire, type="find", language="en", interests=[text], strict=True)
    world.say(one, text)
    world.send(one, type="leave")
    seat = one.session.past
    assert seat is not None
    return seat


@pytest.fixture
def world() -> World:
    return World(keeps=True)


def moved(one: EndedClients, now: float, there: float) -> EndedClients:
    """It goes, as through a link."""
    into = EndedClients()
    for piece, blobs in one.pack(now):
        into.unpack(orjson.loads(orjson.dumps(piece)), blobs, there)
    return into


def test_a_chat_is_found_by_person_and_network_until_it_is_too_old(world: World) -> None:
    lately = RecentChats()
    lately.put(7, "192.0.2.1", over(world, "hello"))
    assert lately.of(7, "192.0.2.2") is None
    found = lately.of(7, "192.0.2.1")
    assert found is not None
    assert (found.ended, len(found.people)) == (world.now, 2)
    lately.expire(world.now + PAST_FOR)
    assert len(lately) == 1
    lately.expire(world.now + PAST_FOR + 1)
    assert len(lately) == 0


def test_a_chat_is_forgotten_in_its_time_whoever_ended_before(world: World) -> None:
    lately = RecentChats()
    early = over(world, "early")
    world.now += 60
    lately.put(8, "net", over(world, "late"))
    lately.put(7, "net", early)  # the client stayed after its chat
    one, two = world.pair()
    assert one.session.seat is not None
    lately.put(9, "net", one.session.seat)  # it has not ended yet
    lately.expire(early.ended + PAST_FOR + 1)
    assert [lately.of(person, "net") is None for person in (7, 8, 9)] == [True, False, False]
    world.send(two, type="leave")
    lately.expire(world.now + PAST_FOR + 1)
    assert len(lately) == 0


def test_chats_and_ids_are_the_same_there_and_the_later_chat_of_a_person_counts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ended_clients, "PIECE", 2)
    here = EndedClients()
    for number in range(5):
        here.owed.put(str(number))
    here.lately.put(1, "net", over(world, "first"))
    world.now += 5
    here.lately.put(2, "net", over(world, "second"))
    there = moved(here, world.now, 50.0)
    assert (len(here.lately), "0" in here.owed) == (0, False)
    assert all(there.owed.settle(str(number)) for number in range(5))
    ages, texts = [], []
    for person in (1, 2):
        past = there.lately.of(person, "net")
        assert past is not None
        said = past.transcript()
        assert said is not None
        ages.append(50.0 - past.ended)
        texts.append([line.text for line in said.lines])
    assert (ages, texts) == ([5.0, 0.0], [["first"], ["second"]])
    third = EndedClients()
    world.now += 5
    third.lately.put(1, "net", over(world, "third"))
    for piece, blobs in there.pack(50.0):
        third.unpack(piece, blobs, world.now)
    latest = third.lately.of(1, "net")
    assert latest is not None
    assert latest.ended == world.now


async def test_the_chat_of_who_wants_a_log_comes_before_all_others_and_the_later_one_counts(world: World) -> None:
    there, here = EndedClients(), EndedClients()
    for person in (1, 2):
        there.lately.put(person, "net", over(world, f"of {person}"))
    asked: list[str] = []

    async def want(name: str) -> bool:
        asked.append(name)
        piece = there.give(name, world.now)
        if piece is not None:
            here.unpack(orjson.loads(orjson.dumps(piece[0])), piece[1], world.now)
        return False

    here.wanted.begin(want)
    found = await here.latest(1, "net")
    assert found is not None
    said = found.transcript()
    assert said is not None
    assert [line.text for line in said.lines] == ["of 1"]
    assert await here.latest(1, "other") is None
    assert (len(there.lately), len(here.lately), asked) == (1, 1, ["1 net", "1 other"])
    world.now += 5
    later = over(world, "later")
    here.lately.put(2, "net", later)
    found = await here.latest(2, "net")
    assert found is not None
    assert found.ended == later.ended, "what comes is older"


def test_both_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ended_clients, "LATELY", 2)
    owed, lately = UnreportedEnds(), RecentChats()
    for number in range(3):
        owed.put(str(number))
        lately.put(number, "net", over(world, "x"))
    assert [owed.settle(str(number)) for number in range(3)] == [False, True, True]
    assert [lately.of(number, "net") is None for number in range(3)] == [True, False, False]


def test_what_is_no_chat_is_refused() -> None:
    facts = {"person": 1, "key": "net", "age": 1.0, "people": []}
    with pytest.raises(Unreadable):
        EndedClients().unpack({"lately": facts}, [b"no transcript"], 0.0)
