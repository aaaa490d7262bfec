"""Test virtual connections: a client without a socket takes part like any other, and its output is bounded."""

from collections.abc import Iterator
from typing import Any

import pytest

from engine.wire.protocol import CONFIRMED, DROPPED, FLOODED, FRAME, FRAMES, LOST
from ext.net.chat_ring import Rings
from tests.ext.net.rig import Peer, Rig, move

FIND = b'{"type":"find"}'
_opened: list[int] = []  # of the present test


@pytest.fixture
def rig(rig: Rig) -> Iterator[Rig]:
    """The shared rig; what is virtual in it has no socket that could hang up."""
    _opened.clear()
    yield rig
    for number in _opened:
        rig.reactor.drop(number)


def line(text: str) -> bytes:
    """A canonical message."""
    return b'{"type":"message","text":"%s"}' % text.encode()


def mail(rig: Rig, number: int) -> list[Any]:
    """What the virtual connection was sent, in order, since the last call; other events stay."""
    found = [data for kind, conn, _, data in rig.events if kind == FRAMES and conn == number]
    rig.events = [event for event in rig.events if event[:2] != (FRAMES, number)]
    return [payload for payloads in found for payload in payloads]


def virtual(rig: Rig) -> int:
    """An open virtual connection whose owner is its own number."""
    number = rig.reactor.open_virtual("192.0.2.1")
    rig.reactor.adopt(number, number)
    _opened.append(number)
    return number


def mixed(rig: Rig, rings: Rings) -> tuple[int, Peer]:
    """A virtual connection and one with a socket, linked."""
    number, peer = virtual(rig), rig.dial()
    ring = rings.new()
    rig.reactor.link(number, ring, 0)
    rig.reactor.link(peer.number, ring, 1)
    return number, peer


def say(rig: Rig, number: int, *payloads: bytes) -> None:
    for payload in payloads:
        assert rig.reactor.inject(number, payload)
    rig.run()


def test_lines_pass_both_ways_between_a_socket_and_a_virtual_connection(rig: Rig, rings: Rings) -> None:
    number, peer = mixed(rig, rings)
    say(rig, number, line("hi"), b'{"type":"typing","typing":true}')
    assert peer.texts() == [b'{"type":"message","seq":1,"text":"hi"}', b'{"type":"typing","typing":true}']
    peer.say(line("there"), line("x" * 1000))
    rig.run()
    assert mail(rig, number) == [
        b'{"type":"message","seq":2,"text":"there"}',
        b'{"type":"message","seq":3,"text":"%s"}' % (b"x" * 1000),
    ]


def test_frames_of_every_length_come_whole(rig: Rig) -> None:
    number = virtual(rig)
    sizes = [0, 1, 125, 126, 127, 65_535, 65_536, 100_000]
    for size in sizes:
        rig.reactor.send(number, b"a" * size)
    rig.run()
    assert [len(payload) for payload in mail(rig, number)] == sizes


def test_what_needs_a_decision_shuts_the_gate(rig: Rig) -> None:
    number = virtual(rig)
    assert rig.reactor.inject(number, FIND)
    assert not rig.reactor.inject(number, line("behind"))
    rig.run()
    assert [(kind, conn, owner, data) for kind, conn, owner, data in rig.events if kind == FRAME] == [
        (FRAME, number, number, FIND)
    ]
    assert rig.reactor.inject(number, line("after"))


def test_who_takes_no_mail_makes_the_partner_slow_and_is_lost_after_a_while(rig: Rig, rings: Rings) -> None:
    number, peer = mixed(rig, rings)
    rig.reactor.hold(number, True)
    for _ in range(201):
        peer.say(line("x"))
        rig.run()
    assert b'"slow"' in peer.texts()[-1]
    assert mail(rig, number) == []
    rig.reactor.hold(number, False)
    rig.run()
    assert len(mail(rig, number)) == 200
    rig.reactor.hold(number, True)
    rig.later(30)
    assert [event[:2] for event in rig.events if event[0] == LOST] == [(LOST, number)]


def test_an_idle_one_is_neither_pinged_nor_lost(rig: Rig) -> None:
    number = virtual(rig)
    rig.later(120)
    assert rig.events == []
    assert rig.reactor.inject(number, FIND)


def test_a_close_comes_as_its_code_behind_the_last_frame(rig: Rig) -> None:
    number = virtual(rig)
    rig.reactor.hold(number, True)
    rig.reactor.close(number, 1012, b"bye")
    rig.run()
    assert mail(rig, number) == [b"bye", 1012]
    assert rig.reactor.connections == 0
    assert not rig.reactor.inject(number, FIND)


def test_a_flood_ends_it_like_every_other() -> None:
    rig = Rig(limits=True, frames=(1e9, 1e9), refusals=(3, 1))
    number = virtual(rig)
    for _ in range(2000):
        if not rig.reactor.inject(number, b'{"type":"find","mode":1}'):
            rig.run()
    rig.reactor.drop(number)
    rig.run()
    number = virtual(rig)
    ring = Rings(1 << 20).new()
    rig.reactor.link(number, ring, 0)
    for _ in range(500):
        rig.reactor.inject(number, line("x"))
    rig.run()
    assert (LOST, number, number, FLOODED) in rig.events
    assert mail(rig, number)[-1] == 4008


def test_a_payload_over_the_limit_ends_it(rig: Rig) -> None:
    number = virtual(rig)
    assert rig.reactor.inject(number, b" " * 70_000)
    rig.run()
    assert mail(rig, number)[-1] == 1009


def test_a_dropped_one_is_gone_from_its_chat_and_says_nothing(rig: Rig, rings: Rings) -> None:
    number, peer = mixed(rig, rings)
    rig.reactor.drop(number)
    peer.say(line("anybody?"))
    rig.run()
    assert rig.events == []
    assert rig.reactor.online == 1
    assert rig.reactor.connections == 1


def test_a_socket_is_no_virtual_connection(rig: Rig) -> None:
    peer = rig.dial()
    rig.reactor.hold(peer.number, True)
    rig.reactor.drop(peer.number)
    assert not rig.reactor.inject(peer.number, FIND)
    assert rig.reactor.online == 1


# ---- one that moves


@pytest.mark.parametrize("held", [False, True])
def test_a_virtual_connection_goes_with_its_mail(rig: Rig, other: Rig, held: bool) -> None:
    number = rig.reactor.open_virtual("192.0.2.1")
    rig.reactor.adopt(number, "owner")
    rig.reactor.hold(number, held)
    told = [b"a", b"b" * 200, b"c" * 70_000]
    for text in told:
        rig.reactor.send(number, text)
    found = rig.reactor.release(number)
    assert found is not None
    assert found[:2] == (-1, "192.0.2.1")
    assert found[2] == {"virtual": 1, "out": len(found[3]), **({"blocked": 1} if held else {})}
    rig.run()
    assert mail(rig, number) == []
    assert (rig.reactor.online, rig.reactor.connections) == (0, 0)
    number = other.reactor.take(*found, "owner")
    other.run()
    assert mail(other, number) == ([] if held else told)
    if held:
        other.reactor.hold(number, False)
        other.run()
        assert mail(other, number) == told
    assert other.reactor.inject(number, FIND)
    other.run()
    assert [event for event in other.events if event[0] == FRAME] == [(FRAME, number, "owner", FIND)]
    other.reactor.drop(number)


def test_a_held_one_is_lost_when_it_was_held_for_twenty_seconds_in_both_places(rig: Rig, other: Rig) -> None:
    number = rig.reactor.open_virtual("192.0.2.1")
    rig.reactor.hold(number, True)
    rig.later(15)
    found = rig.reactor.release(number)
    assert found is not None
    number = other.reactor.take(*found, "owner")
    other.later(4)
    assert other.lost() == []
    other.later(1)
    assert other.lost() == [DROPPED]


def test_a_virtual_one_of_which_an_event_was_not_collected_waits_for_that(rig: Rig, other: Rig) -> None:
    number = rig.reactor.open_virtual("192.0.2.1")
    rig.reactor.adopt(number, "owner", True)
    assert rig.reactor.inject(number, b'{"type":"ping"}')
    assert rig.reactor.release(number) is None
    rig.run()
    found = rig.reactor.release(number)
    assert found is not None
    rig.run()
    assert [event[0] for event in rig.events] == [CONFIRMED, FRAMES]
    other.reactor.drop(other.reactor.take(*found, "owner"))


def test_a_socket_and_a_virtual_one_in_one_chat(rig: Rig, other: Rig, rings: Rings) -> None:
    peer, number, ring = rig.dial(), rig.reactor.open_virtual("192.0.2.1"), rings.new()
    rig.reactor.link(peer.number, ring, 0)
    rig.reactor.link(number, ring, 1)
    peer.say(line("a"))
    rig.run()
    found = rig.reactor.release(number)
    assert found is not None
    assert move(peer, other)
    there = rings.fill(*ring.dump())
    number = other.reactor.take(*found, "owner")
    other.reactor.link(number, there, 1)
    other.reactor.link(peer.number, there, 0)
    peer.say(line("b"))
    other.run()
    assert other.reactor.inject(number, line("c"))
    other.run()
    assert mail(other, number) == [b'{"type":"message","seq":2,"text":"b"}']
    assert peer.texts() == [b'{"type":"message","seq":3,"text":"c"}']
    other.reactor.drop(number)
    del ring, there
