"""Test output and its timing by counting sends: the handshake reply waits for the greeting, and no waiting connection is lost."""

import pytest

from engine.wire.protocol import DROPPED, FAULTS, FRAME, LOST, OPENED
from ext.net.chat_ring import Rings
from tests.ext.net.rig import CLOSE, TEXT, Peer, Rig, frame, head, line, pair, split

HELLO = b'{"type":"hello"}'


def sends(rig: Rig) -> int:
    """How often something left so far."""
    return rig.reactor.counters()["sends"]


def arrived(rig: Rig) -> Peer:
    """Somebody whose head was judged in this turn, and whom nobody greeted yet."""
    peer = rig.begin()
    peer.send(head())
    assert [event[:2] for event in rig.turn()] == [(OPENED, peer.number)]
    return peer


def behind_the_answer(peer: Peer) -> list[tuple[int, bytes]]:
    """The frames that came with the answer to the head."""
    answer, _, frames = peer.read().partition(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 101 ")
    return split(frames)


def test_the_answer_to_a_head_and_the_greeting_leave_in_one_send(rig: Rig) -> None:
    before = sends(rig)
    peer = arrived(rig)
    assert peer.read() == b""
    rig.reactor.adopt(peer.number, peer)
    rig.reactor.send(peer.number, HELLO)
    assert peer.read() == b""
    assert rig.reactor.settle(rig.now) == []
    assert behind_the_answer(peer) == [(TEXT, HELLO)]
    assert sends(rig) == before + 1


def test_who_was_greeted_is_told_so_though_a_turn_goes_on_and_who_was_not_waits(rig: Rig) -> None:
    one = arrived(rig)
    two = arrived(rig)
    before = sends(rig)
    rig.reactor.send(one.number, HELLO)
    assert rig.turn() == []
    assert behind_the_answer(one) == [(TEXT, HELLO)]
    assert two.read() == b""
    assert sends(rig) == before + 1
    rig.reactor.settle(rig.now)
    assert behind_the_answer(two) == []


def test_who_is_not_greeted_gets_the_answer_alone(rig: Rig) -> None:
    peer = arrived(rig)
    rig.reactor.settle(rig.now)
    assert behind_the_answer(peer) == []


def test_what_stood_behind_the_head_is_answered_behind_the_greeting(rig: Rig) -> None:
    peer = rig.begin()
    peer.send(head() + frame('{"type":"ping"}') + frame("[]"))
    rig.turn()
    rig.reactor.send(peer.number, HELLO)
    before = sends(rig)
    assert [event[0] for event in rig.reactor.settle(rig.now)] == [FRAME]
    assert behind_the_answer(peer) == [(TEXT, HELLO), (TEXT, b'{"type":"pong"}')]
    assert sends(rig) == before + 1


def test_a_newcomer_who_may_not_come_in_is_told_all_in_one_send_and_let_go(rig: Rig) -> None:
    peer = arrived(rig)
    before = sends(rig)
    rig.reactor.close(peer.number, FAULTS["banned"].close, b"{}")
    assert rig.turn() == []  # a turn that goes on sends it
    assert behind_the_answer(peer) == [(TEXT, b"{}"), (CLOSE, FAULTS["banned"].close.to_bytes(2))]
    assert peer.ended()
    assert sends(rig) == before + 1


def test_who_waits_for_a_greeting_may_be_lost_and_leaves_nothing(rig: Rig) -> None:
    peer = arrived(rig)
    told = []
    for _ in range(50):  # a turn that never ends
        rig.now += 1
        told += rig.reactor.tick(rig.now)
    assert [(event[0], event[1], event[3]) for event in told] == [(LOST, peer.number, DROPPED)]
    assert rig.reactor.connections == 0
    rig.reactor.settle(rig.now)
    assert peer.read() == b""


def test_who_waits_for_a_greeting_stays(rig: Rig) -> None:
    peer = arrived(rig)
    assert rig.reactor.release(peer.number) is None
    rig.reactor.settle(rig.now)
    found = rig.reactor.release(peer.number)
    assert found is not None
    assert "out" not in found[2]
    rig.reactor.take(*found, peer)


def test_a_message_for_one_who_waits_for_a_decision_leaves_at_once(rig: Rig, rings: Rings) -> None:
    one, two = pair(rig, rings)
    two.say("[]")
    rig.turn()
    one.say(line("hi"))
    rig.turn()
    assert two.texts() == [b'{"type":"message","seq":1,"text":"hi"}']


@pytest.mark.parametrize("paused", [False, True])
def test_a_closing_connection_is_read_whether_it_was_paused_or_not(paused: bool) -> None:
    rig = Rig(limits=True, bytes_in=(1000, 1))
    peer = rig.dial()
    if paused:
        peer.say("x" * 2000)
        rig.run()
    rig.reactor.close(peer.number, 1012, None)
    rig.reactor.settle(rig.now)
    before = rig.reactor.counters()["ready"]
    peer.send(b"more")
    rig.turn()
    assert rig.reactor.counters()["ready"] == before + 1
    rig.close()
