"""Test that a tunnel begins, returns its client at any byte, and moves to another reactor; nothing is lost, repeated or leaked."""

import json
import os
import socket
from typing import Any

import pytest

from engine.wire.protocol import FRAME, TUNNEL_BROKE, TUNNEL_ENDED, TUNNEL_LEFT
from ext.migrate.tunnel_transfer import RECORD_MAX, prepare, record_frame
from tests.ext.net.rig import FIND, LEAVE, PING, PONG, Peer, Rig, frame
from tests.ext.net.tunnels import (
    CONTINUATION,
    EVENTS,
    STREAM,
    ended,
    heard,
    piped,
    records,
    said,
    settled,
    sockets,
    unpiped,
    whole,
)

pytestmark = pytest.mark.usefixtures("no_descriptor_stays")

SMALL = 4096


# ---- the client comes out


def test_a_client_whose_home_is_gone_goes_on_at_any_byte(rig: Rig, other: Rig) -> None:
    """What had left whole is lost with the home; what had not is said again."""
    for at in range(len(STREAM) + 1):
        client, home = piped(rig)
        client.send(STREAM[:at])
        rig.run()
        assert home.read() == STREAM[:at]
        home.sock.close()
        rig.run()
        assert ended(rig) == [TUNNEL_ENDED]
        assert unpiped(client, other)
        client.send(STREAM[at:])
        lost = heard(STREAM[:at])
        assert settled(other) == EVENTS[len(lost) :], at
        assert other.lost() == []
        assert (rig.reactor.connections, rig.reactor.tunnels) == (0, 0)
        client.sock.close()
        other.run()
        other.lost()


def test_a_client_goes_home_and_back_at_any_byte(rig: Rig, other: Rig) -> None:
    """What the home had read and not parsed comes back before what has not left: every frame is told once, by one of the two."""
    for at in range(len(STREAM) + 1):
        client, home = piped(rig)
        home.sock.setblocking(False)
        there = other.reactor.take(os.dup(home.sock.fileno()), "127.0.0.1", {"visitor": 1}, b"", home)
        client.send(STREAM[:at])
        rig.run()
        told = settled(other)
        assert rig.reactor.half_close(client.number)
        client.send(STREAM[at:])
        rig.run()
        found = other.reactor.release(there)
        assert found is not None
        fd, _, state, data = found
        assert state.pop("visitor") == 1
        os.close(fd)
        home.send(record_frame(json.dumps(state).encode()) + record_frame(data))
        home.sock.close()
        rig.run()
        assert ended(rig) == [TUNNEL_ENDED]
        (noted, back) = records(rig)
        client_fd, address, mine, more = goes(client, back[: json.loads(noted).get("input", 0)])
        part = back[json.loads(noted).get("input", 0) :]
        for key in ("opcode", "part"):
            if key in json.loads(noted):
                mine[key] = json.loads(noted)[key]
        size = mine.get("input", 0)
        client.rig, client.number = (
            rig,
            rig.reactor.take(client_fd, address, mine, more[:size] + part + more[size:], client),
        )
        rig.peers.append(client)
        assert told + settled(rig) == EVENTS, at
        assert rig.lost() == []
        answers = [payload for opcode, payload in client.frames() if opcode == PONG]
        assert len(answers) <= 2
        client.sock.close()
        rig.run()
        rig.lost()


def goes(client: Peer, returned: bytes) -> tuple[int, str, dict[str, Any], bytes]:
    """The client of a tunnel, taken out."""
    found = client.rig.reactor.unpipe(client.number, returned)
    assert found is not None
    client.rig.peers.remove(client)
    return found


def test_output_that_was_cut_anywhere_is_whole_behind_the_tunnel(rig: Rig, other: Rig) -> None:
    client, home = piped(rig, SMALL)
    texts = [b"%06d" % at + b"x" * 1000 for at in range(60)]
    home.send(said(*texts) + said(b"never whole")[:5])
    home.sock.close()
    rig.run()
    assert ended(rig) == [TUNNEL_BROKE]
    assert unpiped(client, other)
    got = client.read()
    other.reactor.send(client.number, b"left")
    while True:
        other.run()
        if not (more := client.read()):
            break
        got += more
    assert got == said(*texts, b"left")


def test_the_home_sees_the_end_of_a_client_that_was_taken_out(rig: Rig, other: Rig) -> None:
    client, home = piped(rig)
    client.send(frame(FIND)[:4])
    rig.run()
    assert unpiped(client, other, b"")
    client.send(frame(FIND))
    other.run()
    home.read()
    assert home.ended()
    assert other.take(FRAME) == [FIND]
    rig.run()
    assert rig.events == []


def test_what_waited_for_a_home_that_takes_nothing_is_not_lost(rig: Rig, other: Rig) -> None:
    client, home = piped(rig, SMALL)
    data = b"".join(frame(b'{"at":%d,"pad":"%s"}' % (at, b"x" * 1000)) for at in range(40))
    client.send(data)
    rig.run()
    home.sock.recv(3000)
    rig.run()
    assert unpiped(client, other)
    told = settled(other)
    assert told == heard(data)[-len(told) :]
    assert 20 < len(told) < 40


def test_a_message_that_was_begun_elsewhere_cannot_be_said_again(rig: Rig, other: Rig) -> None:
    client, home = piped(rig, within=True)
    client.send(frame(b"2", CONTINUATION, fin=False))
    home.sock.close()
    rig.run()
    assert ended(rig) == [TUNNEL_ENDED]
    assert not unpiped(client, other)
    rig.run()
    assert client.ended()
    assert rig.events == []


def test_behind_a_message_that_was_begun_elsewhere_all_can(rig: Rig, other: Rig) -> None:
    client, home = piped(rig, within=True)
    client.send(frame(b"!", PING) + frame(b"2]", CONTINUATION) + frame(FIND)[:3])
    rig.run()
    home.read()
    home.sock.close()
    rig.run()
    assert unpiped(client, other)
    client.send(frame(FIND)[3:])
    assert settled(other) == [FIND]


@pytest.mark.parametrize("wrong", [b"\x81\x05hello", b"\x81\xff\0\0\0\0\0\1\0\1\0\0\0\0", b"\xf1\x80\0\0\0\0"])
def test_a_client_that_says_what_is_no_frame_is_the_homes_and_not_said_again(
    rig: Rig, other: Rig, wrong: bytes
) -> None:
    client, home = piped(rig)
    client.send(frame(FIND) + wrong + b"more")
    rig.run()
    assert home.read() == frame(FIND) + wrong + b"more"
    assert not unpiped(client, other)
    rig.run()
    assert client.ended()


def test_a_message_of_endless_pieces_is_not_kept_for_ever(rig: Rig, other: Rig) -> None:
    client, home = piped(rig)
    client.send(frame(b"", fin=False))
    size = 0
    for _ in range(200):
        client.send(frame(b"", CONTINUATION, fin=False) * 100)
        rig.run()
        size += len(home.read())
    assert size == 6 * 20_001
    assert rig.reactor.unpipe(client.number) is None
    rig.run()
    assert client.ended()


def test_flags_and_ages_come_out(rig: Rig) -> None:
    client, home = piped(rig, visitor=True)
    client.send(b"x")
    rig.run()
    rig.later(5)
    found = rig.reactor.unpipe(client.number, b"yz")
    assert found is not None
    fd, address, state, data = found
    os.close(fd)
    assert (address, state, data) == ("127.0.0.1", {"heard": 5, "moved": 5, "visitor": 1, "input": 2}, b"yz")
    assert home.read() == b"x"
    assert home.ended()


# ---- the way back


def test_a_half_closed_tunnel_still_brings_what_the_home_says(rig: Rig) -> None:
    client, home = piped(rig)
    client.send(frame(FIND))
    rig.run()
    assert rig.reactor.half_close(client.number)
    assert not rig.reactor.half_close(client.number)
    client.send(frame(LEAVE))
    home.send(said(b"a last word"))
    rig.run()
    assert home.read() == frame(FIND)
    assert home.ended()
    assert client.texts() == [b"a last word"]
    rig.later(2)
    assert ended(rig) == []
    rig.later(2)
    assert ended(rig) == [TUNNEL_BROKE]
    assert not rig.reactor.half_close(client.number)


def test_a_home_that_ends_behind_a_half_close_waits_for_a_slow_client(rig: Rig) -> None:
    client, home = piped(rig, SMALL)
    rig.reactor.half_close(client.number)
    texts = [b"x" * 1000] * 100
    view = memoryview(said(*texts) + record_frame(b"back"))
    got = b""
    while view:
        try:
            view = view[home.sock.send(view) :]
        except BlockingIOError:
            got += client.sock.recv(500)
        rig.run()
    home.sock.close()
    rig.run()
    rig.later(5)
    while not (found := ended(rig)):
        got += client.read()
        rig.run()
    assert found == [TUNNEL_ENDED]
    assert records(rig) == [b"back"]
    while more := client.read():
        got += more
        rig.run()
    assert got == said(*texts)


def test_a_client_that_breaks_off_meanwhile_is_gone(rig: Rig) -> None:
    client, home = piped(rig)
    rig.reactor.half_close(client.number)
    client.sock.close()
    rig.run()
    assert ended(rig) == [TUNNEL_LEFT]
    home.read()
    assert home.ended()


# ---- beside it


def test_a_socket_between_hosts_notices_an_end_that_is_gone() -> None:
    near, far = sockets(inet=True)
    near.setblocking(True)
    prepare(near)
    assert not near.getblocking()
    options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
    told = [near.getsockopt(socket.IPPROTO_TCP, option) for option in options]
    assert told == [1, 1, 2, 0], "an end that is there and takes nothing is not gone"
    assert near.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert near.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    near.close()
    far.close()
    one, two = sockets()
    with one, two, pytest.raises(OSError):
        prepare(one)


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536, RECORD_MAX])
def test_a_record_is_one_frame(size: int) -> None:
    made = record_frame(b"r" * size)
    assert made[0] == 0x83
    assert whole(made) == (b"", [b"r" * size], True)


def test_a_record_that_is_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="256 KiB"):
        record_frame(bytes(RECORD_MAX + 1))
