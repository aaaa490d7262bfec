"""Test held chats: each side that states an age below 18 answers, and a hold survives a resume and a migration."""

from engine.wire.protocol import ADULT
from tests.engine.chats.test_age_question import (
    IN_CHAT,
    LEFT,
    PARTNER_ASKED,
    PARTNER_BACK,
    SOLVED,
    answer,
    asked,
    claims,
    made,
    meet,
)
from tests.engine.moving import MovingWorld
from tests.engine.world import bare


def test_two_who_both_state_it_both_answer() -> None:
    world = made()
    a, b = meet(world)
    claims(world, a)
    claims(world, b, number=2)
    a.take(), b.take()
    assert answer(world, a, ADULT) == [SOLVED]
    assert bare(world.send(b, type="message", text="hello"))[-1]["code"] == "challenge"
    assert answer(world, b, ADULT) == [SOLVED]
    world.say(b, "good")
    assert [frame["text"] for frame in a.take() if frame["type"] == "message"] == ["good"]


def test_a_held_chat_is_held_after_a_resume_of_either_side_and_a_migration() -> None:
    world = made(MovingWorld)
    assert isinstance(world, MovingWorld)
    a, b = meet(world)
    claims(world, a)
    b.take()
    world.lose(b)
    world.lose(a)
    back_b = world.resume(b, last=2, identity=8)
    assert back_b.take()[-1] | {"within": 0} == PARTNER_ASKED | {"within": 0}
    back_a = world.resume(a, last=2, identity=7)
    assert asked(IN_CHAT, age=14) in back_a.take()
    world.move()
    assert bare(world.send(back_b, type="message", text="hello"))[-1]["code"] == "challenge"
    world.wait(1)
    assert answer(world, back_a, ADULT) == [SOLVED]
    back_b.take()
    world.say(back_a, "fine")
    assert [frame["text"] for frame in back_b.take()] == ["fine"]


def test_a_hold_ends_in_time_after_a_migration() -> None:
    world = made(MovingWorld)
    assert isinstance(world, MovingWorld)
    a, b = meet(world)
    claims(world, a)
    world.wait(60)
    world.move()
    b.take()
    world.wait(IN_CHAT - 60)
    assert b.take() == [LEFT]


def test_an_answer_in_another_connection_of_that_cookie_counts_for_the_chat() -> None:
    world = made()
    a, b = meet(world)
    other = world.open(7)
    claims(world, a)
    world.send(other, type="find")
    assert answer(world, other, ADULT) == [SOLVED]
    b.take()
    world.wait(1)
    assert b.take() == [PARTNER_BACK]
