"""Test the seat of a user who moves on: a return in time leads into the chat again, without one the user has left."""

from typing import Any

import pytest

from engine.wire.protocol import KEPT_FOR, LEFT, PAST_FOR
from engine.wire.rule_constants import Settings
from tests.engine.moving import MovingWorld
from tests.engine.world import Wire, World


def types(frames: list[dict[str, Any]]) -> list[Any]:
    return [frame.get("state") or frame.get("by") or frame.get("text") or frame["type"] for frame in frames]


def moved_on(world: World, wire: Wire) -> str:
    """Let a user move on; return the token that leads back."""
    kept, *rest = world.send(wire, type="find", keep=True)
    assert (kept["type"], kept["within"]) == ("kept", KEPT_FOR)
    assert types(rest) == ["waiting"]
    return str(kept["token"])


def returned(world: World, wire: Wire, token: str, last: int, chat: str) -> Wire:
    """Come back as the page does: the old connection is closed by the client, a new one resumes."""
    world.lose(wire, LEFT)
    return world.resume(wire, last, token, chat=chat)


@pytest.mark.parametrize("who", [0, 1])
def test_who_comes_back_in_time_is_in_the_chat_again_and_misses_nothing(who: int) -> None:
    world = World()
    pair = world.pair()
    a, b = pair[who], pair[1 - who]
    assert a.session.seat is not None
    chat = a.session.seat.chat.id
    world.say(a, "one")
    b.take()
    token = moved_on(world, a)
    assert types(b.take()) == ["away"]
    world.say(b, "two")
    assert a.take() == [], "they are not in the chat"
    world.wait(KEPT_FOR - 1)
    back = returned(world, a, token, 1, chat)
    assert types(b.take()) == ["back"]
    resumed, missed = [frame for frame in back.take() if frame["type"] in ("resumed", "message")]
    assert (resumed["chat"], resumed["missed"], missed["text"]) == (chat, 1, "two")
    world.say(back, "three")
    world.say(b, "four")
    assert (types(b.take()), types(back.take())) == (["three"], ["four"])
    world.wait(60)
    assert (b.take(), back.take()) == ([], []), "the time of the way back is over, and the chat is not"
    assert world.engine.tally["kept"] == 1


def test_who_does_not_come_back_has_left_and_still_reports_and_saves_the_chat() -> None:
    world = World(keeps=True)
    a, b = world.pair()
    assert a.session.seat is not None
    chat = a.session.seat.chat.id
    token = moved_on(world, a)
    assert types(world.send(a, type="report", reason="spam", chat=chat)) == ["reported"]
    world.wait(KEPT_FOR)
    assert types(b.take()) == ["away", "stranger"]
    assert types(world.send(a, type="report", reason="spam", chat=chat)) == ["reported"]
    late = returned(world, a, token, 0, chat)
    assert [frame["code"] for frame in late.take() if frame["type"] == "error"] == ["no_session"]
    assert [(type(what).__name__, getattr(what, "by", "")) for _, _, what in world.kept] == [
        ("Report", ""),
        ("Ended", "stranger"),
    ]


def test_a_new_chat_begins_meanwhile_and_ends_by_the_return() -> None:
    world = World()
    a, b = world.pair()
    c = world.open()
    world.send(c, type="find")
    assert a.session.seat is not None
    chat = a.session.seat.chat.id
    kept, matched = world.send(a, type="find", keep=True)
    assert (kept["type"], matched["type"]) == ("kept", "matched")
    c.take()
    back = returned(world, a, kept["token"], 0, chat)
    assert types(c.take()) == ["stranger"]
    world.say(b, "still here")
    assert types(back.take())[-1] == "still here"


def test_the_partner_may_leave_meanwhile_and_the_way_back_leads_to_the_end() -> None:
    world = World()
    a, b = world.pair()
    assert a.session.seat is not None
    chat = a.session.seat.chat.id
    token = moved_on(world, a)
    b.take()
    assert types(world.send(b, type="find")) in (["waiting"], ["matched"])
    back = returned(world, a, token, 0, chat)
    assert types(back.take())[-2:] == ["resumed", "stranger"]


def test_a_second_next_keeps_the_second_chat_too_and_each_ends_once() -> None:
    world = World()
    a, b = world.pair()
    c = world.open()
    world.send(c, type="find")
    world.send(a, type="find", keep=True)
    moved_on(world, a)
    c.take()
    world.wait(KEPT_FOR + 1)
    assert types(b.take()) == ["away", "stranger"]
    assert types(c.take()) == ["stranger"]
    assert len(world.engine.sessions) == 3


@pytest.mark.parametrize("settings", [Settings(grace=0)])
def test_a_seat_that_cannot_be_kept_is_left_at_once(settings: Settings) -> None:
    world = World(settings)
    a, b = world.pair()
    assert types(world.send(a, type="find", keep=True)) == ["waiting"]
    assert types(b.take()) == ["stranger"]


def test_a_spy_that_moves_on_keeps_no_seat() -> None:
    world = World()
    spy, one, two = world.open(), world.open(), world.open()
    world.send(spy, type="find", role="spy", question="What would you do first?")
    for wire in (one, two):
        world.send(wire, type="find", role="discuss")
    assert "kept" not in types(world.send(spy, type="find", keep=True))


def test_a_chat_whose_seat_is_kept_moves_with_it_and_the_way_back_holds() -> None:
    world = MovingWorld()
    a, b = world.pair()
    assert a.session.seat is not None
    chat = a.session.seat.chat.id
    token = moved_on(world, a)
    world.say(b, "two")
    b.take()
    world.move()
    back = returned(world, a, token, 0, chat)
    assert types(back.take())[-1] == "two"
    assert types(b.take()) == ["back"]
    token = moved_on(world, back)
    world.move()
    world.wait(KEPT_FOR)
    assert types(b.take()) == ["away", "stranger"]


def test_the_chat_before_a_kept_one_is_forgotten_in_its_time_by_who_comes_back() -> None:
    world = World()
    a, b = world.pair()
    world.say(a, "before")
    world.send(b, type="leave")
    world.wait(PAST_FOR - 1)
    c = world.open()
    for wire in (a, c):
        world.send(wire, type="find")
    for wire in (a, c):
        wire.take()
    token = moved_on(world, a)
    assert a.session.seat is None
    assert a.session.past is not None
    back = returned(world, a, token, 0, a.session.past.chat.id)
    assert back.session.past is not None, "the chat before"
    world.wait(1)
    assert (back.session.past, world.rings.counters()["rings"]) == (None, 1)
