"""Seats of chats that are over: theirs for some seconds, and not too many of them."""

import pytest

from engine.core import ended_seats
from engine.core.ended_seats import SECONDS
from tests.engine.world import Wire, World


def ended(world: World) -> tuple[Wire, str]:
    """Somebody whose chat of that id is over."""
    one, _ = world.pair()
    seat = one.session.seat
    assert seat is not None
    world.send(one, type="leave")
    return one, seat.chat.id


def test_who_sat_there_is_known_for_some_seconds() -> None:
    world = World()
    one, chat = ended(world)
    past = one.session.past
    assert past is not None
    known = world.engine._core.lately
    assert known.of(chat, past.side) == (one.session, past)
    assert known.of(chat, 2) is None
    assert known.of("0", 0) is None
    known.expire(world.now + SECONDS - 0.1)
    assert len(known) == 2
    known.expire(world.now + SECONDS)
    assert len(known) == 0
    assert known.of(chat, past.side) is None


def test_who_came_first_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ended_seats, "MOST", 4)
    world = World()
    chats = [ended(world)[1] for _ in range(3)]
    known = world.engine._core.lately
    assert len(known) == 4
    assert [known.of(chat, 0) is not None for chat in chats] == [False, True, True]
