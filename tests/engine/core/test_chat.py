"""A chat, and a seat in it."""

import pytest

from engine.core.chat import name_of_chat, number_of_chat
from engine.core.session import Session
from tests.engine.world import World


def test_a_seat_knows_the_others_by_their_addresses_only() -> None:
    world = World()
    a, b = world.pair()
    seat = a.session.seat
    assert seat is not None
    assert seat.others == ((1 - seat.side, b.session.id),)
    parts = [getattr(thing, name) for thing in (seat, seat.chat) for name in type(thing).__slots__]
    assert not any(isinstance(part, Session) for part in parts)


def test_all_seats_of_a_chat_share_one_ring() -> None:
    world = World()
    a, b = world.pair()
    assert a.session.seat is not None
    assert b.session.seat is not None
    assert a.session.seat.chat.ring is b.session.seat.chat.ring


def test_a_chat_is_called_by_its_number() -> None:
    for number in (0, 10, 2**60 - 1, 2**63 - 1):
        assert number_of_chat(name_of_chat(number)) == number
    assert name_of_chat(2**60 - 1) == "fffffffffffffff"
    for wrong in ("", "x", "-1", f"{2**63:x}"):
        with pytest.raises(ValueError):
            number_of_chat(wrong)
