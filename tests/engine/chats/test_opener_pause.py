"""Test the pause of a user who began many chats alike: their lines wait for the partner's first one, ten seconds at most."""

from typing import Any

from engine.chats.opener_pause import PAUSE
from engine.conduct.friction_points import DAY
from engine.conduct.opener_counts import MANY
from engine.wire.rule_constants import Settings
from ext.accept.address_limits import key_of
from tests.engine.moving import MovingWorld
from tests.engine.world import Wire, World, bare, error

PAUSED = {"type": "partner", "state": "paused", "within": PAUSE}
BACK = {"type": "partner", "state": "back"}


def spreads(world: World, wire: Wire) -> None:
    """Make the user one whose chats begin like many others."""
    for _ in range(MANY):
        world.engine._core.openers.add(wire.session.person, key_of(wire.session.address), world.now)


def meet(world: World, **find: Any) -> tuple[Wire, Wire]:
    """Return an advertiser and a partner, in a chat; the advertiser's frames after `matched` are not taken."""
    a, b = world.open(7, "203.0.113.9"), world.open(8, "198.51.100.1")
    spreads(world, a)
    for wire in (a, b):
        world.send(wire, type="find", **find)
    return a, b


def types(frames: list[dict[str, Any]]) -> list[Any]:
    return [frame.get("state") or frame.get("text") or frame["type"] for frame in frames]


def test_lines_wait_for_the_partner_s_first_one_which_arrives() -> None:
    world = World()
    a, b = meet(world)
    assert bare(a.take())[-1] == PAUSED
    assert b.take() == [], "the partner hears nothing of it"
    assert bare(world.send(a, type="message", text="visit me", id="m")) == [
        error("too_fast", of="message", id="m", retry_after=10)
    ]
    assert b.take() == []
    assert types(world.send(b, type="message", text="hello")) == []
    world.settle()
    assert types(a.take()) == ["hello", "back"]
    world.say(a, "visit me")
    assert types(b.take()) == ["visit me"]
    world.say(b, "no")
    assert types(a.take()) == ["no"]
    assert len(world.engine._openers) == 0
    assert world.engine.tally["tip paused"] == 1


def test_without_a_line_of_the_partner_the_pause_ends_by_itself() -> None:
    world = World()
    a, b = meet(world)
    a.take(), b.take()
    world.wait(PAUSE - 1)
    assert a.take() == []
    world.wait(1)
    assert bare(a.take()) == [BACK]
    world.say(a, "visit me")
    assert types(b.take()) == ["visit me"]
    world.say(b, "no")
    assert types(a.take()) == ["no"]


def test_the_end_of_a_pause_does_not_say_that_an_absent_partner_is_back() -> None:
    world = World()
    a, b = meet(world)
    world.lose(b)
    a.take()
    world.wait(PAUSE)
    assert types(a.take()) == ["back", "away"]


def test_two_who_spread_lines_wait_both_and_no_pause_outlives_its_chat() -> None:
    world = World()
    a, b = world.open(7, "203.0.113.9"), world.open(8, "198.51.100.1")
    for wire in (a, b):
        spreads(world, wire)
    world.send(a, type="find")
    assert bare(world.send(b, type="find"))[-1] == PAUSED
    assert bare(a.take())[-1] == PAUSED
    assert bare(world.send(b, type="message", text="x"))[0]["code"] == "too_fast"
    world.wait(PAUSE)
    assert [bare(wire.take()) for wire in (a, b)] == [[BACK], [BACK]]
    world.say(a, "one")
    assert types(b.take()) == ["one"]
    c, _ = meet(world, language="fr")
    world.send(c, type="leave")
    world.wait(PAUSE)
    assert len(world.engine._openers) == 0


def test_video_and_ordinary_users_are_not_paused() -> None:
    world = World(Settings())
    a, _ = meet(world, mode="video")
    assert types(a.take()) == ["matched"]
    a, b = world.pair()
    world.say(a, "hello")
    assert types(b.take())[-1] == "hello"


def test_of_a_network_that_spreads_a_line_newcomers_wait_and_users_of_yesterday_do_not() -> None:
    world = World()
    world.engine.friction.opened(8, "203.0.113.9", world.now - DAY)
    for number in range(MANY):
        world.engine._core.openers.add(100 + number, "203.0.113.9", world.now)
    for identity, states in ((9, ["matched", "paused"]), (8, ["matched"])):
        wire, other = world.open(identity, "203.0.113.9"), world.open(20 + identity, "198.51.100.1")
        for one in (wire, other):
            world.send(one, type="find", interests=[f"network {identity}"], strict=True)
        assert types(wire.take()) == states


def test_a_refused_line_is_counted_and_a_resume_says_that_lines_wait() -> None:
    world = World()
    a, b = meet(world)
    a.take(), b.take()
    world.send(a, type="message", text="visit me", id="m")
    seat = a.session.seat
    assert seat is not None
    assert (seat.chat.ring.taken(seat.side), seat.chat.ring.refused(seat.side)) == (1, [1])
    world.lose(a)
    world.now += 4
    back = world.resume(a, identity=7)
    assert bare(back.take())[-1] == PAUSED | {"within": PAUSE - 4}
    world.wait(PAUSE - 4)
    assert bare(back.take()) == [BACK]
    world.say(back, "visit me")
    assert types(b.take())[-1] == "visit me"


def test_a_partner_who_was_away_gets_what_was_said_and_a_chat_that_migrates_is_not_paused() -> None:
    world = MovingWorld()
    a, b = meet(world)
    a.take(), b.take()
    world.move()
    world.say(a, "visit me")
    assert types(b.take()) == ["visit me"]
    world.say(b, "no")
    assert types(a.take()) == ["no"]
