"""What sessions tell each other."""

import pytest

from engine.core.bus_messages import Ended, Moved
from engine.core.states import CHATTING, WAITING
from tests.engine.world import World


@pytest.mark.parametrize("message", [Ended("another", 1, "lost"), Moved("another", 1, 9e9)], ids=["ended", "moved"])
def test_a_message_about_a_chat_that_the_receiver_is_not_in_is_ignored(message: Ended | Moved) -> None:
    world = World()
    a, _ = world.pair()
    world.engine.deliver(a.session.id, message, world.now)
    world.settle()
    assert a.take() == []
    assert a.session.state == CHATTING


def test_a_seat_for_a_search_that_was_replaced_is_declined_and_the_other_hears_left() -> None:
    world = World()
    a, b = world.open(), world.open()
    world.send(a, type="find")
    world.engine.frame(b.session, b'{"type":"find"}', world.now)  # both are sent a seat
    world.engine.frame(b.session, b'{"type":"find","interests":["go"],"strict":true}', world.now)
    world.settle()
    assert [frame["type"] for frame in a.take()] == ["matched", "left"]
    assert b.session.state == WAITING
    assert b.session.seat is None


def test_a_seat_for_a_session_that_is_gone_is_declined() -> None:
    world = World()
    a, b = world.open(), world.open()
    world.send(a, type="find")
    world.engine.frame(b.session, b'{"type":"find"}', world.now)  # both are sent a seat
    gone = a.session.id
    del world.engine.sessions[gone]
    world.settle()
    assert b.take()[-1] == {"type": "left", "by": "stranger"}
