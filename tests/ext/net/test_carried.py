"""What a person may still send goes with them from one connection to the next."""

import pytest

from ext.net.carried import Carried
from ext.net.ring import Ring, Rings
from tests.ext.net.rig import Peer, Rig, line

BURST = 100


class Person(Carried):
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
