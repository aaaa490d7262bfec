"""Test that a peer that reads nothing is never lost, and an unplugged one within seconds, while data is in flight."""

import fcntl
import itertools
import os
import shutil
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from engine.wire.protocol import DROPPED, TUNNEL_BROKE
from ext.migrate.tunnel_transfer import prepare
from tests.ext.net.rig import Peer, Rig, frame, split
from tests.ext.net.tunnels import drained, ended, piped, said, sockets
from tests.support import network

SMALL = 4096
BACKOFF = 4  # byte of the kernel's TCP_INFO: how often it waited longer before it asked again
# accepts one, and holds it until its own input ends
HOLDER = (
    "import socket, sys\n"
    "listener = socket.create_server(('10.77.0.2', 7))\n"
    "print('up', flush=True)\n"
    "held = listener.accept()\n"
    "sys.stdin.read()\n"
)

TIMES = itertools.count()
SOON = 400_000  # microseconds


def waits(sock: socket.socket) -> int:
    """After how many microseconds the kernel would ask again, once all that was sent is answered; it tells nobody when that is."""
    while struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)))[0]:
        time.sleep(0.01)
    return int(struct.unpack_from("8xI", sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 12))[0])  # tcpi_rto


def between(rig: Rig, other: Rig) -> tuple[Peer, Peer, socket.socket]:
    """Somebody of one host whose session is at another: their end, their connection there, and a copy of the way's far end."""
    client, home = piped(rig, SMALL, inet=True)
    prepare(home.sock)
    copy = home.sock.dup()
    there = Peer(other, other.reactor.take(home.sock.detach(), "127.0.0.1", {"visitor": 1}, b"", "owner"), client.sock)
    other.run()
    return client, there, copy


def test_a_client_that_takes_nothing_for_long_keeps_its_home(rig: Rig, other: Rig) -> None:
    client, there, copy = between(rig, other)
    data = [b"%06d" % number + b"x" * 4000 for number in range(60)]
    for payload in data:
        other.reactor.send(there.number, payload)
    other.run()
    assert "blocked" in other.reactor.describe(there.number)
    # the kernel asks 0.2, 0.4, 0.8 and 1.6 s later: longer than it may take to find that a host is gone
    while copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[BACKOFF] < BACKOFF:
        other.run()
        rig.run()
        time.sleep(0.05)  # the kernel tells nobody
    copy.close()
    for each in (rig, other):
        each.later(5)
    assert (ended(rig), other.lost()) == ([], [])
    got = b""
    while len(got) < len(said(*data)):
        got += drained(rig, client)
        other.run()
        rig.run()
        assert (ended(rig), other.lost()) == ([], [])
    assert [payload for _, payload in split(got)] == data
    client.sock.close()
    rig.run()
    other.run()
    assert other.lost() == [DROPPED]


@pytest.fixture
def unplugged() -> Iterator[tuple[socket.socket, list[str]]]:
    """A connection to another host, and the command that pulls its plug."""
    if os.geteuid() or shutil.which("ip") is None:
        pytest.skip("needs root and ip, for a network of its own")
    mark = f"{os.getpid()}-{next(TIMES)}"  # what goes with a network goes a moment after it
    space, here, there = f"ways{mark}", f"wh{mark}", f"wt{mark}"

    def run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True)

    run("ip", "netns", "add", space)
    holder = None
    try:
        run("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", space)
        run("ip", "link", "set", here, "addrgenmode", "none")
        with network.changing():
            run("ip", "addr", "add", "10.77.0.1/24", "dev", here)
            run("ip", "link", "set", here, "up")
        run("ip", "-n", space, "addr", "add", "10.77.0.2/24", "dev", there)
        run("ip", "-n", space, "link", "set", there, "up")
        holder = subprocess.Popen(
            ["ip", "netns", "exec", space, sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"up\n"
        sock = socket.create_connection(("10.77.0.2", 7))
        prepare(sock)
        yield sock, ["ip", "-n", space, "link", "set", there, "down"]
    finally:
        if holder is not None:
            holder.communicate(b"")
        with network.changing():
            run("ip", "netns", "del", space)


@pytest.mark.blocking
@pytest.mark.timeout(600)  # its network waits for tests of browsers, of which some take minutes
@pytest.mark.parametrize("side", ["edge", "home"])
def test_an_end_that_is_unplugged_is_found_while_something_is_on_the_way(
    rig: Rig, unplugged: tuple[socket.socket, list[str]], side: str
) -> None:
    sock, unplug = unplugged
    copy = sock.dup()
    if side == "edge":
        near, far = sockets()
        client = Peer(rig, rig.reactor.pipe(near.detach(), "127.0.0.1", sock.detach(), b"", b"", "owner"), far)
        rig.peers.append(client)
    else:
        number = rig.reactor.take(sock.detach(), "127.0.0.1", {"visitor": 1}, b"", "owner")

    def send(data: bytes) -> None:
        if side == "edge":
            client.send(frame(data))
        else:
            rig.reactor.send(number, data)
        rig.run()

    with closing(copy):
        # A new network may take a second for its first packet, and the kernel then takes each to be as late: it asks again after 3, 9 and 21 s.
        send(b"x")
        while waits(copy) > SOON:
            send(b"x")
    subprocess.run(unplug, check=True)
    send(b"y")
    found: list[int] = []
    while not found and rig.now < 1030:
        rig.later(1)
        rig.run()
        found = ended(rig) if side == "edge" else rig.lost()
        time.sleep(1)  # the kernel's own clock
    assert found == [TUNNEL_BROKE if side == "edge" else DROPPED]
    assert rig.now <= 1010
