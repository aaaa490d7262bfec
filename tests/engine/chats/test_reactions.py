"""Test reactions: their delivery, refusals, bounds, and resuming."""

import pytest

from engine.chats.reactions import faces_of
from engine.wire.protocol import REACT_BURST, REACTIONS_MOST
from engine.wire.rule_constants import Settings
from tests.engine.moving import MovingWorld
from tests.engine.world import World, bare, error

HEART = {"type": "react", "seq": 1, "face": "heart"}


def test_a_face_at_a_line_is_shown_to_the_partner_changed_and_taken_back() -> None:
    world = World()
    a, b = world.pair()
    world.say(a, "hello")
    b.take()
    assert world.send(b, **HEART) == [], "a reaction has no answer"
    assert a.take() == [HEART]
    world.send(b, **HEART)
    assert a.take() == [], "the same once more is nothing new"
    world.send(b, type="react", seq=1, face="sad")
    assert a.take() == [{**HEART, "face": "sad"}]
    world.send(b, type="react", seq=1)
    assert a.take() == [{"type": "react", "seq": 1}]
    assert a.session.seat is not None
    assert faces_of(a.session.seat) == []


@pytest.mark.parametrize(
    ("frame", "code", "field"),
    [
        ({"seq": 2, "face": "heart"}, "bad_field", "seq"),
        ({"seq": 0, "face": "heart"}, "bad_field", "seq"),
        ({"seq": True, "face": "heart"}, "bad_field", "seq"),
        ({"face": "heart"}, "bad_field", "seq"),
        ({"seq": 1, "face": "poop"}, "bad_field", "face"),
        ({"seq": 1, "face": ""}, "bad_field", "face"),
        ({"seq": 1, "face": None}, "bad_field", "face"),
    ],
)
def test_a_line_that_the_chat_does_not_have_and_an_unknown_face_are_refused(
    frame: dict[str, object], code: str, field: str
) -> None:
    world = World()
    a, b = world.pair()
    world.say(a, "hello")
    b.take()
    assert bare(world.send(b, type="react", **frame)) == [error(code, of="react", field=field)]
    assert a.take() == []


def test_without_a_chat_there_is_nothing_to_react_to() -> None:
    world = World()
    a, b = world.pair()
    world.say(a, "hello")
    world.send(a, type="leave")
    b.take()
    for wire in (a, b):
        assert bare(world.send(wire, **HEART)) == [error("no_chat", of="react")]


def test_a_spy_sees_whose_face_it_is_and_shows_none() -> None:
    world = World()
    spy, one, two = world.open(), world.open(), world.open()
    world.send(spy, type="find", role="spy", question="What would you do first?")
    for wire in (one, two):
        world.send(wire, type="find", role="discuss")
    world.say(one, "sleep")
    for wire in (spy, one, two):
        wire.take()
    world.send(two, **HEART)
    side = two.session.seat.side if two.session.seat is not None else 9
    assert one.take() == [HEART]
    assert spy.take() == [{**HEART, "from": side + 1}]
    assert bare(world.send(spy, **HEART)) == [error("bad_type", of="react")]


def test_who_comes_back_gets_all_reactions_of_the_chat() -> None:
    world = World()
    a, b = world.pair()
    world.say(a, "hello")
    world.send(a, type="react", seq=1, face="laugh")
    world.lose(a)
    world.send(b, **HEART)
    back = world.resume(a, 1)
    (frame,) = [frame for frame in back.got if frame["type"] == "resumed"]
    assert frame["reactions"] == [{"seq": 1, "face": "laugh", "own": True}, {"seq": 1, "face": "heart"}]


def test_too_many_at_once_are_refused_and_the_oldest_is_dropped_beyond_the_bound() -> None:
    world = World(Settings(limits=True))
    a, b = world.pair()
    for _ in range(REACTIONS_MOST + 1):
        world.say(a, "x")
    b.take()
    refused = [bare(world.send(b, type="react", seq=seq, face="wow")) for seq in range(1, REACT_BURST + 3)]
    assert refused[:REACT_BURST] == [[]] * REACT_BURST
    assert refused[-1] == [error("too_fast", of="react", retry_after=1.0)]
    for seq in range(1, REACTIONS_MOST + 2):
        world.wait(1)
        world.send(b, type="react", seq=seq, face="sad")
    assert b.session.seat is not None
    faces = b.session.seat.chat.attached.faces
    assert len(faces) == REACTIONS_MOST
    assert (1, b.session.seat.side) not in faces


def test_reactions_move_with_their_chat() -> None:
    world = MovingWorld()
    a, b = world.pair()
    world.say(a, "hello")
    world.send(b, **HEART)
    world.move()
    a.take()
    world.send(b, type="react", seq=1)
    assert a.take() == [{"type": "react", "seq": 1}], "the face was known"
