"""Test that newcomers with an incomplete request move to another reactor with their bytes, and count there."""

import socket
from collections.abc import Iterator

import pytest

from engine.wire.protocol import HTTP, OPENED
from ext.accept.address_limits import Addresses
from ext.accept.handshake import Judge
from ext.reactor.debug_hooks import arrive, settle
from tests.ext.net.rig import Peer, Rig, descriptors, head

HOME = "127.0.0.1"


def table() -> Addresses:
    """Two newcomers of an address at once."""
    return Addresses(open_max=100, burst=40, rate=4, limits=True, coming_max=2)


class Reached(Rig):
    """A rig with a listener, and the table of its addresses."""

    def __init__(self, proxies: tuple[str, ...] = ()) -> None:
        self.table = table()
        super().__init__(Judge(hosts=["localhost"], origins=[], proxies=list(proxies)), self.table)
        self.listener = socket.create_server((HOME, 0))
        self.listener.setblocking(False)
        self.reactor.listen(self.listener.fileno())

    def connect(self, said: bytes = b"") -> Peer:
        """A newcomer that the reactor has accepted."""
        client = socket.create_connection(self.listener.getsockname())
        client.setblocking(False)
        client.send(said)
        self.run()
        self.peers.append(Peer(self, 0, client))
        return self.peers[-1]

    def end(self) -> None:
        """No newcomer any more."""
        self.reactor.refuse_newcomers()
        self.listener.close()
        self.close()


@pytest.fixture
def reached() -> Iterator[Reached]:
    """Where newcomers come."""
    before = descriptors()
    made = Reached()
    yield made
    made.end()
    assert descriptors() == before


def adopt_all(rig: Rig, other: Rig) -> list[int]:
    """All newcomers of one reactor go on in the other."""
    return [other.reactor.adopt_socket(*found, coming=True) for found in rig.reactor.newcomers_out()]


def room(addresses: Addresses) -> int:
    """How many newcomers the home address may have more."""
    found = 0
    while arrive(addresses, HOME, 1000):
        found += 1
    for _ in range(found):
        settle(addresses, HOME, 1000)
    return found


def test_a_head_that_was_cut_anywhere_is_judged_there(reached: Reached) -> None:
    request = head()
    for at in range(len(request)):
        addresses = table()
        other = Rig(addresses=addresses)
        peer = reached.connect(request[:at])
        assert (reached.reactor.newcomers, room(reached.table), room(addresses)) == (1, 1, 2)
        (number,) = adopt_all(reached, other)
        assert (reached.reactor.newcomers, reached.reactor.connections, room(reached.table)) == (0, 0, 2)
        assert (other.reactor.newcomers, room(addresses)) == (1, 1)
        peer.send(request[at:])
        other.run()
        assert [event[:2] for event in other.events] == [(OPENED, number)]
        assert (other.reactor.newcomers, other.reactor.online, room(addresses)) == (0, 1, 2)
        peer.sock.close()
        reached.run()
        other.close()


def test_one_whose_head_is_being_judged_stays(reached: Reached) -> None:
    peer = reached.connect()
    peer.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    other = Rig()
    (event,) = reached.turn()
    assert event[0] == HTTP
    assert adopt_all(reached, other) == []
    socket.socket(fileno=event[1]).close()
    one, two = reached.connect(b"GET"), reached.connect()
    opened = reached.dial()
    assert len(adopt_all(reached, other)) == 2
    assert reached.reactor.online == 1
    for gone in (one, two):
        gone.sock.close()
    opened.sock.close()
    other.close()


def test_more_than_an_address_may_is_taken_all_the_same_and_counted_as_far_as_it_may(reached: Reached) -> None:
    addresses = table()
    other = Rig(addresses=addresses)
    assert arrive(addresses, HOME, 1000)
    people = [reached.connect(), reached.connect()]
    assert len(adopt_all(reached, other)) == 2
    assert (other.reactor.newcomers, room(addresses)) == (2, 0)
    for peer in people:
        peer.sock.close()
    other.run()
    assert (other.reactor.newcomers, room(addresses)) == (0, 1)
    other.close()


def test_a_proxy_of_ours_is_not_counted_at_its_address() -> None:
    reached, addresses = Reached(proxies=(HOME,)), table()
    other = Rig(Judge(hosts=["localhost"], origins=[], proxies=[HOME]), addresses)
    people = [reached.connect() for _ in range(5)]
    assert len(adopt_all(reached, other)) == 5
    assert (other.reactor.newcomers, room(addresses)) == (5, 2)
    for peer in people:
        peer.sock.close()
    other.close()
    reached.end()


def test_a_newcomer_from_no_address_is_closed(reached: Reached) -> None:
    ours, theirs = socket.socketpair()
    before = descriptors()
    with pytest.raises(ValueError):
        reached.reactor.adopt_socket(ours.detach(), "x:y", coming=True)
    assert descriptors() == before - 1
    theirs.close()
    reached.run()
    assert reached.reactor.newcomers == 0


def test_the_head_has_ten_seconds_there(reached: Reached) -> None:
    other = Rig()
    peer = reached.connect(b"GET ")
    assert len(adopt_all(reached, other)) == 1
    other.later(10)
    assert peer.read().startswith(b"HTTP/1.1 408 ")
    peer.sock.close()
    other.close()
