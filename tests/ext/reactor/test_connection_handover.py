"""Test moves of descriptors: a received one belongs to the reactor or is closed, and a connection that is gone is not found."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from engine.wire.protocol import LOST, UNTUNNELLED
from tests.ext.net.rig import TEXT, Rig, descriptors, split
from tests.ext.net.tunnels import sockets


def test_more_than_a_head_and_a_frame_is_not_taken_over_and_its_descriptor_closed(rig: Rig) -> None:
    before = descriptors()
    near, far = sockets()
    with pytest.raises(ValueError, match="more was read"):
        rig.reactor.adopt_socket(near.detach(), "127.0.0.1", bytes(256 * 1024 + 1))
    assert far.recv(1) == b""
    far.close()
    assert descriptors() == before
    assert rig.reactor.connections == 0


def test_a_number_of_nobody_is_refused_everywhere(rig: Rig) -> None:
    peer = rig.dial()
    rig.reactor.close(peer.number, 1000, None)
    rig.run()
    for number in (peer.number, 0, 1 << 63):
        assert rig.reactor.release(number) is None
        assert rig.reactor.release_tunnel(number) is None
        assert rig.reactor.unpipe(number) is None
        assert not rig.reactor.half_close(number)
        rig.reactor.record(number, b"nobody")
    assert rig.reactor.newcomers_out() == []


def test_a_word_for_the_host_of_a_visitors_connection_is_one_frame_between_the_clients(rig: Rig) -> None:
    peer = rig.dial()
    peer.read()
    rig.reactor.send(peer.number, b"before")
    rig.reactor.record(peer.number, b"a word")
    rig.reactor.send(peer.number, b"after")
    rig.run()
    assert split(peer.read()) == [(TEXT, b"before"), (3, b"a word"), (TEXT, b"after")]


@contextmanager
def held(fd: int) -> Iterator[None]:
    """Another process has this socket too."""
    other = os.dup(fd)
    try:
        yield
    finally:
        os.close(other)


def test_a_socket_that_another_process_has_too_is_watched_no_more_once_its_connection_ended(rig: Rig) -> None:
    """The next connection has the memory of the one that ended, and would be read for it: a virtual one would end."""
    peer = rig.dial()
    found = rig.reactor.release(peer.number)
    assert found is not None
    fd, address, state, data = found
    with held(fd):
        peer.number = rig.reactor.take(fd, address, state, data, peer)
        rig.reactor.settle(rig.now)
        peer.sock.close()
        assert [event[:2] for event in rig.turn()] == [(LOST, peer.number)]
        number = rig.reactor.open_virtual("192.0.2.1")
        rig.reactor.adopt(number, number)
        rig.reactor.settle(rig.now)
        assert rig.turn() == []
        assert not rig.idle_bytes()
        rig.reactor.drop(number)


def test_the_sockets_of_a_tunnel_that_another_process_has_too_are_watched_no_more_once_it_ended(rig: Rig) -> None:
    (client, far), (home, there) = sockets(), sockets()
    with held(client.fileno()), held(home.fileno()):
        number = rig.reactor.pipe(client.detach(), "192.0.2.1", home.detach(), b"", b"", far)
        there.close()
        assert [event[:2] for event in rig.turn()] == [(UNTUNNELLED, number)]
        far.close()
        rig.turn()
        assert rig.reactor.connections == 0
        assert not rig.idle_bytes()
