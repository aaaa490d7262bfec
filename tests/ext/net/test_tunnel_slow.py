"""Test a tunnel with an end that reads nothing: the other stops, waiting bytes are bounded, and none is lost."""

import pytest

from engine.wire.protocol import DROPPED, TUNNEL_BROKE, TUNNEL_ENDED, TUNNEL_LEFT
from ext.migrate.tunnel_transfer import record_frame
from ext.net.chat_ring import Rings
from tests.ext.net.rig import Peer, Rig, frame, line
from tests.ext.net.tunnels import drained, ended, hangs_up, piped, poured, records, said, sockets, whole

pytestmark = pytest.mark.usefixtures("no_descriptor_stays")

SMALL = 4096


def waiting(rig: Rig, peer: Peer) -> int:
    """Bytes that wait for the client, by what is told of it."""
    return int(rig.reactor.describe(peer.number).split(" out ")[1].split()[0])


def fill(rig: Rig, source: Peer, data: bytes) -> int:
    """Says it until nothing is taken any more; how many bytes were."""
    view, full = memoryview(data), 0
    while full < 3:
        try:
            view = view[source.sock.send(view) :]
        except BlockingIOError:
            full += 1
        rig.run()
    return len(data) - len(view)


def test_a_client_that_takes_nothing_stops_the_home_and_loses_nothing(rig: Rig) -> None:
    client, home = piped(rig, SMALL)
    data = b"".join(said(b"%06d" % at + b"x" * (at % 3000)) for at in range(600))
    taken = fill(rig, home, data)
    assert 64 * 1024 < waiting(rig, client) <= 128 * 1024 + 3010
    assert taken < 160 * 1024
    assert rig.reactor.counters()["paused"] == 1
    assert poured(rig, home, client, data[taken:], len(data)) == data
    assert rig.events == []


def test_a_home_that_takes_nothing_stops_the_client_and_loses_nothing(rig: Rig) -> None:
    client, home = piped(rig, SMALL)
    data = b"".join(frame(b"%06d" % at + b"x" * (at % 3000)) for at in range(600))
    taken = fill(rig, client, data)
    assert taken < 160 * 1024
    assert rig.reactor.counters()["paused"] == 1
    assert poured(rig, client, home, data[taken:], len(data)) == data
    assert rig.events == []


def test_a_home_that_ended_behind_a_slow_client_is_told_when_that_has_taken_it(rig: Rig) -> None:
    client, home = piped(rig, SMALL)
    fill(rig, home, said(*[b"x" * 1000] * 300))
    home.sock.close()
    rig.run()
    assert ended(rig) == []
    got = drained(rig, client)
    assert ended(rig) in ([TUNNEL_ENDED], [TUNNEL_BROKE])
    assert len(got) > 60 * 1024
    assert got == whole(got)[0]


def test_a_client_that_takes_nothing_for_forty_seconds_is_gone(rig: Rig) -> None:
    client, home = piped(rig, SMALL)
    fill(rig, home, said(*[b"x" * 1000] * 300))
    rig.later(38)
    assert ended(rig) == []
    client.sock.recv(60_000)
    rig.run()
    rig.later(38)
    assert ended(rig) == []
    rig.later(4)
    assert ended(rig) == [TUNNEL_LEFT]
    assert rig.reactor.counters()["untaken"] == 1
    assert hangs_up(rig, home)


def test_a_home_that_takes_nothing_for_forty_seconds_is_broken(rig: Rig) -> None:
    client, _home = piped(rig, SMALL)
    fill(rig, client, frame(b"x" * 1000) * 300)
    rig.later(38)
    assert ended(rig) == []
    rig.later(4)
    assert ended(rig) == [TUNNEL_BROKE]
    assert not client.ended()


def test_a_client_that_breaks_off_while_it_is_not_read_is_gone(rig: Rig) -> None:
    client, home = piped(rig, SMALL)
    fill(rig, client, frame(b"x" * 1000) * 300)
    client.sock.close()
    rig.run()
    assert hangs_up(rig, home)
    home.sock.close()
    rig.run()
    assert ended(rig) == [TUNNEL_LEFT]


def test_a_home_that_waits_for_a_client_that_breaks_off_is_heard_to_its_end(rig: Rig) -> None:
    client, home = piped(rig, SMALL)
    data = said(*[b"x" * 1000] * 300) + record_frame(b"the session")
    view = memoryview(data)[fill(rig, home, data) :]
    client.sock.close()
    while view:
        rig.run()
        view = view[home.sock.send(view) :]
    home.sock.close()
    rig.run()
    assert (records(rig), ended(rig)) == ([b"the session"], [TUNNEL_LEFT])


def test_a_silent_tunnel_stays_for_pings_are_the_homes(rig: Rig) -> None:
    client, home = piped(rig)
    rig.later(200)
    assert client.read() == home.read() == b""
    assert rig.events == []


def test_two_of_two_hosts_chat_and_the_home_closes_who_takes_nothing(rig: Rig, rings: Rings) -> None:
    there = Rig()
    near, far = sockets(SMALL)
    client = rig.dial(buffer=SMALL)
    found = rig.reactor.release(client.number)
    assert found is not None
    fd, address, state, data = found
    client.number = rig.reactor.pipe(fd, address, near.detach(), b"", data, client)
    visitor = there.reactor.take(far.detach(), address, {**state, "visitor": 1}, b"", client)
    partner = there.dial()
    ring = rings.new()
    there.reactor.link(visitor, ring, 0)
    there.reactor.link(partner.number, ring, 1)

    def turns() -> None:
        for each in (rig, there, rig, there):
            each.run()

    client.say(line("hello"))
    turns()
    partner.say(line("hi"))
    turns()
    assert partner.texts() == [b'{"type":"message","seq":1,"text":"hello"}']
    assert client.texts() == [b'{"type":"message","seq":2,"text":"hi"}']
    while not there.reactor.counters()["slow"]:
        partner.say(line("x" * 1000))
        turns()
    there.later(21)
    assert there.lost() == [DROPPED]
    turns()
    assert ended(rig) == []
    assert drained(rig, client)
    assert ended(rig) in ([TUNNEL_ENDED], [TUNNEL_BROKE])
    del ring
    partner.sock.close()
    there.close()
