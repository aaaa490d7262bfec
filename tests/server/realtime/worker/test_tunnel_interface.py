"""A process of one host alone has no tunnels, and nobody needs to ask; one that comes all the same ends, and its client comes back by itself."""

import socket

from server.realtime.worker.tunnel_interface import NO_TUNNELS, ReleasedTunnel


def test_where_there_are_none_none_go() -> None:
    assert len(NO_TUNNELS) == 0
    assert list(NO_TUNNELS.release(5)) == []
    NO_TUNNELS.turn_out(lambda: 1.0)


def test_of_one_that_comes_both_ends_are_closed() -> None:
    (client, person), (way, home) = socket.socketpair(), socket.socketpair()
    with person, home:
        NO_TUNNELS.take(ReleasedTunnel([], b"", client.detach(), way.detach()))
        assert (person.recv(1), home.recv(1)) == (b"", b"")
    assert len(NO_TUNNELS) == 0
