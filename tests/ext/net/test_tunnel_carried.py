"""Test that a tunnel keeps its state in another reactor, and is counted there; an invalid state is refused and leaves nothing."""

import contextlib
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.wire.protocol import TUNNEL_ENDED, TUNNEL_LEFT
from ext.accept.address_limits import Addresses
from ext.migrate.tunnel_transfer import record_frame
from tests.ext.net.rig import CLOSE, TEXT, Peer, Rig, descriptors, frame, head
from tests.ext.net.tunnels import (
    EVENTS,
    STREAM,
    carried,
    ended,
    heard,
    piped,
    piped_from,
    records,
    said,
    settled,
    sockets,
    unpiped,
    whole,
)
from tests.support.groups import examples

pytestmark = pytest.mark.usefixtures("no_descriptor_stays")

SMALL = 4096


@pytest.mark.parametrize("times", [1, 2])
def test_a_tunnel_that_is_carried_at_any_byte_loses_nothing(rig: Rig, other: Rig, times: int) -> None:
    down = said(b"", b"x" * 3, b"y" * 126) + record_frame(b"a record") + said(b"z")
    for at in range(max(len(STREAM), len(down)) + 1):
        client, home = piped(rig)
        client.send(STREAM[:at])
        home.send(down[:at])
        rig.run()
        for turn in range(times):
            assert carried(client, home, (other, rig)[turn])
        client.send(STREAM[at:])
        home.send(down[at:])
        rig.run()
        other.run()
        assert home.read() == STREAM
        assert client.read() == whole(down)[0]
        assert records(rig) + records(other) == [b"a record"]
        home.sock.close()
        client.rig.run()
        assert ended(client.rig) == [TUNNEL_ENDED]
        client.sock.close()
        client.rig.run()
        assert ended(client.rig) == [TUNNEL_LEFT]


def test_who_was_carried_can_be_said_again(rig: Rig, other: Rig) -> None:
    for at in range(len(STREAM) + 1):
        client, home = piped(rig)
        client.send(STREAM[:at])
        rig.run()
        assert carried(client, home, other)
        home.read()
        home.sock.close()
        other.run()
        assert ended(other) == [TUNNEL_ENDED]
        assert unpiped(client, rig)
        client.send(STREAM[at:])
        assert settled(rig) == EVENTS[len(heard(STREAM[:at])) :], at
        client.sock.close()
        rig.run()
        rig.lost()


def test_a_tunnel_of_which_neither_end_takes_anything_is_carried_whole(rig: Rig, other: Rig) -> None:
    client, home = piped(rig, SMALL)
    up, down = frame(b"u" * 1000) * 90, said(*[b"d" * 1000] * 90)
    views = {client: memoryview(up), home: memoryview(down)}
    got = {client: b"", home: b""}
    at = 0
    while len(got[client]) < len(down) or len(got[home]) < len(up):
        for peer in (client, home):
            with contextlib.suppress(BlockingIOError):
                views[peer] = views[peer][peer.sock.send(views[peer]) :] if views[peer] else views[peer]
            client.rig.run()
            if at > 60:
                with contextlib.suppress(BlockingIOError):
                    got[peer] += peer.sock.recv(777)
        if at % 7 == 0:
            assert carried(client, home, other if client.rig is rig else rig)
        at += 1
    assert got == {client: down, home: up}


def test_what_was_closed_or_halved_stays_so(rig: Rig, other: Rig) -> None:
    client, home = piped(rig)
    client.send(frame((1000).to_bytes(2), CLOSE))
    rig.run()
    assert rig.reactor.half_close(client.number)
    assert carried(client, home, other)
    assert not other.reactor.half_close(client.number)
    home.sock.close()
    other.run()
    assert ended(other) == [TUNNEL_LEFT]


def test_who_took_nothing_here_has_no_forty_seconds_more_there(rig: Rig, other: Rig) -> None:
    client, home = piped(rig, SMALL)
    home.send(said(*[b"x" * 1000] * 40))
    rig.run()
    rig.later(35)
    assert carried(client, home, other)
    other.run()
    other.later(4)
    assert ended(other) == []
    other.later(2)
    assert ended(other) == [TUNNEL_LEFT]


def test_a_tunnel_whose_home_is_gone_stays_for_its_owner(rig: Rig, other: Rig) -> None:
    client, home = piped(rig)
    home.sock.close()
    rig.run()
    assert rig.reactor.release_tunnel(client.number) is None
    assert unpiped(client, other)


@pytest.mark.parametrize(
    ("state", "data"),
    [
        ({}, b"x"),
        ({"to_home": 2}, b"x"),
        ({"to_home": 1, "sent": 2}, b"x"),
        ({"to_home": -1, "from_home": 2}, b"x"),
        ({"closed": 2}, b""),
        ({"halved": 2}, b""),
        ({"heard": -1}, b""),
        ({"moved": "1"}, b""),
        ({"within": None}, b""),
        ({"to_client": 1 << 31}, b""),
        ({"visitor": 2}, b""),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_both_descriptors_closed(
    rig: Rig, state: dict[str, Any], data: bytes
) -> None:
    before = descriptors()
    (one, far), (two, away) = sockets(), sockets()
    with pytest.raises(ValueError):
        rig.reactor.take_tunnel(one.detach(), "127.0.0.1", two.detach(), state, data, "owner")
    far.close()
    away.close()
    assert descriptors() == before
    assert (rig.reactor.tunnels, rig.reactor.connections) == (0, 0)
    rig.run()
    assert rig.events == []


def test_what_epoll_refuses_is_closed_with_the_other(rig: Rig) -> None:
    before = descriptors()
    for file_first in (True, False):
        file = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        near, far = sockets()
        ends = (file, near.detach()) if file_first else (near.detach(), file)
        with pytest.raises(OSError, match="epoll_ctl"):
            rig.reactor.pipe(ends[0], "127.0.0.1", ends[1], b"", b"", "owner")
        with pytest.raises(OSError):
            os.fstat(file)
        assert far.recv(1) == b""
        far.close()
    assert descriptors() == before
    assert rig.reactor.connections == 0


def test_an_address_that_is_none_is_refused(rig: Rig) -> None:
    before = descriptors()
    (one, far), (two, away) = sockets(), sockets()
    with pytest.raises(ValueError):
        rig.reactor.pipe(one.detach(), "x:y", two.detach(), b"", b"", "owner")
    far.close()
    away.close()
    assert descriptors() == before


@settings(max_examples=examples(80), deadline=None)
@given(
    steps=st.lists(st.tuples(st.sampled_from(("up", "down", "carry")), st.integers(1, 90)), max_size=30),
    gone=st.booleans(),
)
def test_whatever_happens_in_whatever_order_each_frame_is_told_once(steps: list[tuple[str, int]], gone: bool) -> None:
    """Both ends speak in random pieces, the tunnel is carried, then its home goes, or the client is taken out with what came back."""
    rig, other = Rig(), Rig()
    client, home = piped_from(rig)
    up, down = STREAM * 2, said(*[b"%d" % at for at in range(150)])
    at, below, there = 0, 0, b""
    for verb, size in steps:
        if verb == "up":
            client.send(up[at : at + size])
            at = min(at + size, len(up))
        elif verb == "down":
            home.send(down[below : below + size])
            below = min(below + size, len(down))
        else:
            assert carried(client, home, other if client.rig is rig else rig)
        client.rig.run()
        there += home.read()
    assert there == up[:at]
    if gone:
        home.sock.close()
        client.rig.run()
        told = heard(up[:at])
        assert unpiped(client, rig)
    else:
        told = []
        assert unpiped(client, rig, there)
    client.send(up[at:])
    assert told + settled(rig) == EVENTS * 2
    frames = [payload for opcode, payload in client.frames() if opcode == TEXT]
    assert frames == [b"%d" % at for at in range(len(frames))]
    assert said(*frames) == whole(down[:below])[0]
    rig.close()
    other.close()


# ---- who counts where


def test_a_tunnels_client_counts_at_its_address_until_the_tunnel_ends(rig: Rig) -> None:
    addresses = Addresses(open_max=2, burst=100, rate=100, limits=True)
    made = Rig(addresses=addresses)
    first, home = piped_from(made)
    made.dial()
    third = made.begin()
    third.send(head())
    made.run()
    assert third.read().startswith(b"HTTP/1.1 429 ")
    first.sock.close()
    made.run()
    home.sock.close()  # it may be sending the session back: it is read to its end
    made.run()
    made.dial()
    made.close()


def test_a_visitor_is_not_counted_anywhere_it_goes(rig: Rig) -> None:
    made = Rig(addresses=Addresses(open_max=1, burst=100, rate=100, limits=True))
    near, far = sockets()
    number = made.reactor.take(near.detach(), "127.0.0.1", {"visitor": 1}, b"", "owner")
    visitor = Peer(made, number, far)
    made.peers.append(visitor)
    made.run()
    assert "[visitor]" in made.reactor.describe(number)
    found = made.reactor.release(number)
    assert found is not None
    assert found[2] == {"visitor": 1}
    visitor.number = made.reactor.take(*found, "owner")
    made.run()
    piped(made, visitor=True)
    counted = made.dial()
    made.reactor.close(counted.number, 1000, None)
    made.reactor.close(visitor.number, 1000, None)
    made.run()
    made.close()


def test_tunnels_count_for_how_full_the_server_is() -> None:
    made = Rig(connections_max=2)
    piped_from(made)
    made.dial()
    full = made.begin()
    full.send(head())
    made.run()
    assert b'"busy"' in full.read()
    made.close()
