"""Test that a user's limits follow from one connection to the next."""

import pytest

from ext.net.chat_ring import Ring, Rings
from ext.net.rate_limit_carry_over import LimitsOwner
from tests.ext.net.rig import Peer, Rig, line

BURST = 100


class Person(LimitsOwner):
    """Whoever a connection carries."""


def seat(rig: Rig, person: Person, ring: Ring, peer: Peer | None = None) -> Peer:
    """A connection, a new one where none is given, that carries the person into the chat."""
    peer = peer or rig.dial()
    rig.reactor.adopt(peer.number, person)
    rig.reactor.link(peer.number, ring, 0)
    return peer


def taken(rig: Rig, peer: Peer, count: int = 2 * BURST) -> int:
    """How many of so many lines at once the chat takes."""
    before = rig.reactor.counters()["messages"]
    peer.say(*[line("x")] * count)
    rig.run()
    peer.read()
    return rig.reactor.counters()["messages"] - before


@pytest.mark.parametrize("lost", ["hung up", "closed", "replaced"])
def test_a_connection_that_goes_on_for_another_has_no_fresh_burst(rings: Rings, lost: str) -> None:
    rig, ring, person = Rig(limits=True), rings.new(), Person()
    listener = rig.dial()
    rig.reactor.link(listener.number, ring, 1)
    first = seat(rig, person, ring)
    assert taken(rig, first) == BURST
    listener.read()
    if lost == "hung up":
        first.sock.close()
        rig.run()
    elif lost == "closed":
        first.send(b"\x88\x80\x00\x00\x00\x00")
        rig.run()
    again = rig.dial()
    if lost == "replaced":
        rig.reactor.close(first.number, 4009, None)
    seat(rig, person, ring, again)
    assert taken(rig, again) == 0
    rig.later(2)
    assert taken(rig, again) == 40
    listener.read()
    rig.close()


def test_what_time_brings_while_nobody_carries_it_is_counted(rings: Rings) -> None:
    rig, ring, person = Rig(limits=True), rings.new(), Person()
    listener = rig.dial()
    rig.reactor.link(listener.number, ring, 1)
    first = seat(rig, person, ring)
    assert taken(rig, first) == BURST
    listener.read()
    first.sock.close()
    rig.run()
    rig.later(3)
    assert taken(rig, seat(rig, person, ring)) == 60
    listener.read()
    rig.later(60)
    rig.run()
    rig.close()


def test_another_person_has_a_burst_of_their_own(rings: Rings) -> None:
    rig, ring = Rig(limits=True), rings.new()
    listener = rig.dial()
    rig.reactor.link(listener.number, ring, 1)
    first = seat(rig, Person(), ring)
    assert taken(rig, first) == BURST
    listener.read()
    first.sock.close()
    rig.run()
    assert taken(rig, seat(rig, Person(), ring)) == BURST
    listener.read()
    rig.close()


# ---- in another process


def away(rings: Rings, spent: int) -> tuple[Rig, Person]:
    """Somebody who is carried by no connection, and said so many lines just now."""
    rig, ring, person = Rig(limits=True), rings.new(), Person()
    first = seat(rig, person, ring)
    assert taken(rig, first, spent) == spent
    assert rig.reactor.allowance(person) is None
    first.sock.close()
    rig.run()
    return rig, person


def test_what_is_left_of_somebody_who_is_away_goes_along(rings: Rings) -> None:
    rig, person = away(rings, 80)
    left = rig.reactor.allowance(person)
    assert left is not None
    assert left[0] == BURST - 80
    other, there, ring = Rig(limits=True), Person(), rings.new()
    other.reactor.allow(there, left)
    assert other.reactor.allowance(there) == left
    other.later(1)
    assert taken(other, seat(other, there, ring)) == BURST - 80 + 20
    assert other.reactor.allowance(there) is None
    del ring
    rig.close()
    other.close()


def test_of_whom_time_gave_all_back_nothing_needs_to_go_along(rings: Rings) -> None:
    rig, person = away(rings, 80)
    rig.later(60)
    assert rig.reactor.allowance(person) is None
    assert rig.reactor.allowance(Person()) is None
    rig.close()


def test_whoever_is_carried_has_what_the_connection_has(rings: Rings) -> None:
    rig, person, ring = Rig(limits=True), Person(), rings.new()
    peer = seat(rig, person, ring)
    rig.reactor.allow(person, [0.0] * 5)
    assert taken(rig, peer, 50) == 50
    del ring
    rig.close()


def test_a_connection_that_moves_takes_its_allowance_from_its_owner(rings: Rings) -> None:
    rig, person, ring = Rig(limits=True), Person(), rings.new()
    peer = seat(rig, person, ring)
    assert taken(rig, peer, 80) == 80
    found = rig.reactor.release(peer.number)
    assert found is not None
    assert found[2]["tokens"][0] == BURST - 80
    left = rig.reactor.allowance(person)
    assert left is not None
    assert left[0] == BURST - 80
    peer.number = rig.reactor.take(*found, person)
    assert rig.reactor.allowance(person) is None
    rig.reactor.link(peer.number, ring, 0)
    assert taken(rig, peer) == BURST - 80
    del ring
    rig.close()


@pytest.mark.parametrize("tokens", [[], [1.0] * 4, [1.0] * 6, [1.0, 1.0, 1.0, 1.0, "1"], [float("inf")] * 5])
def test_an_allowance_is_five_numbers(tokens: list[float]) -> None:
    rig, person = Rig(limits=True), Person()
    with pytest.raises(ValueError):
        rig.reactor.allow(person, tokens)
    assert rig.reactor.allowance(person) is None


def test_nobody_is_allowed_more_than_a_burst() -> None:
    rig, person = Rig(limits=True), Person()
    rig.reactor.allow(person, [1e9, 1e9, 1e9, 1e9, 7.0])
    assert rig.reactor.allowance(person) == [100.0, 250.0, float(1 << 20), 1000.0, 7.0]


def test_who_is_kept_beside_a_connection_goes_on_with_what_it_had_left(rings: Rings) -> None:
    rig, ring, person, kept = Rig(limits=True), rings.new(), Person(), Person()
    listener = rig.dial()
    rig.reactor.link(listener.number, ring, 1)
    first = seat(rig, person, ring)
    assert taken(rig, first) == BURST
    rig.reactor.keep_limits(first.number, kept)
    rig.reactor.unlink(first.number)
    again = seat(rig, kept, ring)
    assert taken(rig, again) == 0
    rig.later(2)
    assert taken(rig, again) == 40
    listener.read()
    rig.reactor.keep_limits(again.number, person)  # whose own connection has its limits
    assert rig.reactor.allowance(person) is None
    rig.close()
