"""How often each person may look for somebody."""

import pytest

from engine.conduct.search_rate import SearchRate
from engine.wire.engine_errors import Refusal
from engine.wire.protocol import FIND_BURST
from engine.wire.rule_constants import Settings
from tests.engine.world import Wire, World


def test_a_burst_and_then_one_an_interval() -> None:
    finds = SearchRate(3, 2.0)
    for _ in range(3):
        finds.pay(1, 0.0)
    with pytest.raises(Refusal) as refused:
        finds.pay(1, 0.0)
    assert (refused.value.code, refused.value.retry_after) == ("too_fast", 2.0)
    finds.pay(2, 0.0)
    finds.pay(1, 2.0)


def test_who_has_paid_is_forgotten() -> None:
    finds = SearchRate(3, 2.0)
    for person in range(1, 1000):
        finds.pay(person, 0.0)
    for person in range(1000, 2000):
        finds.pay(person, 1000.0)
    assert len(finds) <= 1001
    for person in range(2000, 2002):
        finds.pay(person, 2000.0)
    for _ in range(600):
        finds.pay(2002, 4000.0 + 2 * _)
    assert len(finds) <= 2


def taken(world: World, wire: Wire) -> int:
    """How many of twenty finds at once are taken."""
    return sum(world.send(wire, type="find", interests=["chess"])[-1]["type"] == "waiting" for _ in range(20))


def test_a_second_connection_of_the_same_person_brings_no_further_finds() -> None:
    world = World(Settings())
    one, two = world.open(identity=7), world.open(identity=7)
    assert taken(world, one) == FIND_BURST
    assert taken(world, two) == 0
    world.lose(one, 0)
    assert taken(world, world.open(identity=7)) == 0
    assert taken(world, world.open(identity=8)) == FIND_BURST


def test_a_resume_brings_no_further_finds() -> None:
    world = World(Settings())
    one = world.open()
    assert taken(world, one) == FIND_BURST
    world.lose(one)
    again = world.resume(one)
    again.take()
    assert taken(world, again) == 0
