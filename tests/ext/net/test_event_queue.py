"""Test the queue of events: its order, its memory, and that no event is lost without memory."""

import pytest

from engine.wire.protocol import CONFIRMED, DROPPED, FRAME, LOST, OPENED
from ext.net.chat_ring import Rings
from ext.reactor.debug_hooks import starve
from tests.ext.net.rig import CLOSE, FIND, Rig, frame, head, line, pair


def test_events_keep_the_order_in_which_it_happened(rig: Rig) -> None:
    peer = rig.dial()
    rig.reactor.adopt(peer.number, "owner", True)
    peer.say(FIND)
    assert [event[0] for event in rig.turn()] == [CONFIRMED, FRAME]
    rig.reactor.settle(rig.now)
    peer.sock.close()
    assert rig.turn() == [(LOST, peer.number, "owner", DROPPED)]


def test_an_empty_frame_may_be_the_first_of_all(rig: Rig) -> None:
    """There is no place to copy to yet, and nothing to copy: the sanitizers say whether that was left alone."""
    rig.dial().say(b"")
    rig.run()
    assert rig.frames() == [b""]


def test_a_storm_of_events_is_told_whole(rig: Rig) -> None:
    peers = [rig.dial() for _ in range(200)]
    told = [b'{"type":"find","at":%d,"pad":"%s"}' % (at, b"x" * 6000) for at in range(200)]
    for peer, text in zip(peers, told, strict=True):
        peer.say(text)
    rig.run()
    assert sorted(rig.frames()) == sorted(told)


def test_a_head_waits_for_its_judge_and_all_behind_it_for_the_greeting(rig: Rig) -> None:
    peer = rig.begin()
    peer.send(head() + frame(line("x")) + frame(FIND) + frame(b"half")[:4])
    (event,) = rig.turn()
    assert event[0] == OPENED
    rig.reactor.adopt(peer.number, "owner")
    first = rig.reactor.settle(rig.now)
    rig.events += first
    rig.run()
    peer.send(frame(b"half")[4:])
    rig.run()
    assert rig.frames() == [line("x"), FIND, b"half"]


@pytest.mark.parametrize("data", [frame(FIND), frame(b"\xff"), frame((1000).to_bytes(2), CLOSE)])
def test_a_loss_for_which_there_is_no_memory_is_told_all_the_same(rig: Rig, rings: Rings, data: bytes) -> None:
    one, two = pair(rig, rings)
    owners = {one.number: one, two.number: two}
    starve(rig.reactor, 0)
    one.send(data)
    two.sock.close()
    lost = {number: owner for kind, number, owner, _ in rig.turn() if kind == LOST}
    assert lost == owners
    assert rig.reactor.online == 0
    starve(rig.reactor, 1000)
    rig.run()
    assert rig.lost() == []


def test_a_head_for_which_there_is_no_memory_ends_its_connection(rig: Rig) -> None:
    peer, slow = rig.begin(), rig.begin()
    starve(rig.reactor, 0)
    peer.send(head())
    rig.run()
    assert peer.ended()
    rig.later(11)
    assert slow.ended()
    assert rig.events == []


def test_a_confirmation_for_which_there_is_no_memory_ends_its_connection(rig: Rig) -> None:
    peer = rig.dial()
    rig.reactor.adopt(peer.number, "owner", True)
    starve(rig.reactor, 0)
    peer.say(line("x"))
    rig.run()
    assert rig.events == [(LOST, peer.number, "owner", DROPPED)]
