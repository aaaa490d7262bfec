"""Test that a connection keeps its state when it moves to another reactor; nothing is lost, repeated or leaked."""

from typing import Any

import pytest

from engine.wire.protocol import CONFIRMED, DROPPED, LOST
from ext.net.chat_ring import Rings
from ext.reactor.reactor import Reactor
from tests.ext.net.rig import (
    CLOSE,
    FIND,
    LEAVE,
    PING,
    PONG,
    TEXT,
    Peer,
    Rig,
    frame,
    line,
    move,
    move_chat,
    pair,
    split,
)

pytestmark = pytest.mark.usefixtures("no_descriptor_stays")

SMALL = 4096


def state_of(peer: Peer) -> dict[str, Any]:
    """What goes along of a connection, which stays where it is."""
    found = peer.rig.reactor.release(peer.number)
    assert found is not None
    peer.number = peer.rig.reactor.take(*found, peer)
    peer.rig.reactor.settle(peer.rig.now)
    return found[2]


# ---- who can go


def test_an_idle_connection_goes_with_nothing_and_its_owner_is_told_nothing(rig: Rig, other: Rig) -> None:
    peer = rig.dial()
    number = peer.number
    found = rig.reactor.release(number)
    assert found is not None
    fd, address, state, data = found
    assert (address, state, data) == ("127.0.0.1", {}, b"")
    assert (rig.reactor.online, rig.reactor.connections) == (0, 0)
    peer.say(FIND)
    rig.run()
    assert rig.events == []
    assert rig.reactor.release(number) is None
    peer.number = other.reactor.take(fd, address, state, data, peer)
    assert other.turn() == []
    assert other.reactor.settle(other.now) == []
    assert [event[2:] for event in other.turn()] == [(peer, FIND)]
    assert (other.reactor.online, other.reactor.connections) == (1, 1)
    assert rig.reactor.counters()["dropped"] == rig.reactor.counters()["left"] == 0


def test_effects_for_one_that_went_do_nothing(rig: Rig, other: Rig, rings: Rings) -> None:
    peer = rig.dial()
    number = peer.number
    assert move(peer, other)
    rig.reactor.send(number, b"x")
    rig.reactor.link(number, rings.new(), 0)
    rig.reactor.close(number, 1000, None)
    rig.run()
    other.run()
    assert peer.read() == b""
    assert "gone" in rig.reactor.describe(number)


def test_who_is_not_open_cannot_go(rig: Rig, other: Rig) -> None:
    begun, closing = rig.begin(), rig.dial()
    begun.send(b"GET /ws HTTP/1.1\r\n")
    rig.run()
    rig.reactor.close(closing.number, 1000, None)
    assert not move(begun, other)
    assert not move(closing, other)
    rig.run()
    assert closing.frames() == [(CLOSE, (1000).to_bytes(2))]


def test_a_shut_gate_holds_a_connection_until_what_it_asked_for_was_decided(rig: Rig, other: Rig) -> None:
    peer = rig.dial()
    peer.say(FIND, LEAVE)
    assert [event[3] for event in rig.turn()] == [FIND]
    assert not move(peer, other)
    assert [event[3] for event in rig.reactor.settle(rig.now)] == [LEAVE]
    assert not move(peer, other)
    assert rig.reactor.settle(rig.now) == []
    assert move(peer, other)


def test_a_broken_socket_stays_and_its_loss_is_told_here(rig: Rig, other: Rig) -> None:
    peer = rig.dial()
    rig.reactor.send(peer.number, b"x")
    peer.sock.close()
    assert not move(peer, other)
    rig.run()
    assert rig.lost() == [DROPPED]


def test_who_hung_up_on_the_way_is_lost_there(rig: Rig, other: Rig) -> None:
    peer = rig.dial()
    peer.sock.close()
    assert move(peer, other)
    other.run()
    rig.run()
    assert [event for event in other.events if event[0] == LOST] == [(LOST, peer.number, peer, DROPPED)]
    assert rig.lost() == []


def test_one_that_was_taken_back_goes_on_here(rig: Rig, rings: Rings) -> None:
    one, two = pair(rig, rings)
    one.send(frame(line("half"))[:9])
    rig.run()
    ring = rings.new()
    for side, peer in enumerate((one, two)):
        rig.reactor.link(peer.number, ring, side)
        assert move(peer, rig)
        rig.reactor.link(peer.number, ring, side)
    one.send(frame(line("half"))[9:])
    rig.run()
    assert two.texts() == [b'{"type":"message","seq":1,"text":"half"}']
    del ring


def test_what_was_queued_leaves_before_the_connection_does(rig: Rig, other: Rig) -> None:
    peer = rig.dial()
    rig.reactor.send(peer.number, b"before")
    assert state_of(peer) == {}
    assert peer.texts() == [b"before"]
    assert move(peer, other)


def test_who_stays_behind_is_linked_to_the_ring_and_who_went_is_not(rig: Rig, other: Rig, rings: Rings) -> None:
    one, two = pair(rig, rings)
    ring = rings.new()
    rig.reactor.link(one.number, ring, 0)
    rig.reactor.link(two.number, ring, 1)
    assert move(one, other)
    assert "here 1>" in repr(ring)
    assert move(two, other)
    assert "unsent 0/0, here nobody>" in repr(ring)
    one.say(line("x"))
    other.run()
    assert other.frames() == [line("x")]
    del ring


# ---- what goes along


def test_flags_and_ages_go_along(rig: Rig, other: Rig) -> None:
    peer = rig.dial()
    rig.reactor.adopt(peer.number, peer, True)
    rig.later(26)
    assert peer.frames() == [(PING, b"")]
    rig.later(10)
    assert state_of(peer) == {"heard": 36, "moved": 11, "confirm": 1, "pinged": 1}
    assert move(peer, other)
    other.later(8)
    assert other.lost() == []
    other.later(1)
    assert other.lost() == [DROPPED]
    assert other.reactor.counters()["unanswered"] == 1


def test_an_answer_to_a_ping_from_here_is_heard_there(rig: Rig, other: Rig) -> None:
    peer = rig.dial()
    rig.later(26)
    assert peer.frames() == [(PING, b"")]
    peer.send(frame(b"", PONG))
    assert move(peer, other)
    other.run()
    other.later(24)
    assert peer.frames() == []
    other.later(2)
    assert peer.frames() == [(PING, b"")]


def test_who_was_silent_here_is_pinged_there_when_it_is_due(rig: Rig, other: Rig) -> None:
    peer = rig.dial()
    rig.later(20)
    assert move(peer, other)
    other.later(4)
    assert peer.frames() == []
    other.later(1)
    assert peer.frames() == [(PING, b"")]


def test_the_first_text_frame_after_a_resume_is_told_there(rig: Rig, other: Rig) -> None:
    peer = rig.dial()
    rig.reactor.adopt(peer.number, peer, True)
    peer.say(b'{"type":"ping"}')
    assert move(peer, other)
    other.run()
    assert [event[2] for event in other.events if event[0] == CONFIRMED] == [peer]
    assert peer.texts() == [b'{"type":"pong"}']


def test_who_is_paused_is_not_read_before_the_pause_is_over() -> None:
    limits = {"limits": True, "bytes_in": (3000, 3000), "frames": (1e9, 1e9), "refusals": (1e9, 1e9)}
    rig, other = Rig(**limits), Rig(**limits)
    peer = rig.dial()
    half = frame(b'{"type":"find","x":"%s"}' % (b"x" * 5000))
    peer.send(half[:4000])
    rig.run()
    assert rig.reactor.counters()["paused"] == 1
    state = state_of(peer)
    assert (state["paused"], state["input"]) == (1, 4000)
    assert state["tokens"][2] < 0
    assert move(peer, other)
    peer.send(half[4000:] + frame(LEAVE))
    other.run()
    assert other.frames() == []
    other.later(1)
    other.run()
    assert other.frames()[-1] == LEAVE
    rig.close()
    other.close()


def test_whole_frames_behind_a_pause_are_parsed_when_it_is_over() -> None:
    limits = {"limits": True, "bytes_in": (1000, 1000), "frames": (1e9, 1e9), "refusals": (1e9, 1e9)}
    rig, other = Rig(**limits), Rig(**limits)
    peer = rig.dial()
    peer.say(FIND, LEAVE, FIND, b" " * 2000)
    assert len(rig.turn()) == 1
    assert rig.reactor.settle(rig.now) == []
    assert state_of(peer)["paused"] == 1
    assert move(peer, other)
    other.run()
    assert other.events == []
    other.later(3)
    other.run()
    assert other.frames() == [LEAVE, FIND, b" " * 2000]
    rig.close()
    other.close()


def test_no_burst_is_given_anew(rings: Rings) -> None:
    rig, other = Rig(limits=True), Rig(limits=True)
    one, two = pair(rig, rings)
    ring = rings.new()
    rig.reactor.link(one.number, ring, 0)
    rig.reactor.link(two.number, ring, 1)
    one.say(*[line("x")] * 90)
    rig.run()
    there = move_chat(one, two, ring, other, rings)
    one.say(*[line("x")] * 30)
    other.run()
    assert (there.last, other.reactor.counters()["too_fast"]) == (100, 20)
    other.later(1)
    one.say(*[line("x")] * 30)
    other.run()
    assert there.last == 120
    del ring, there
    rig.close()
    other.close()


def test_what_a_smaller_burst_allows_is_the_most() -> None:
    rig, other = Rig(limits=True), Rig(limits=True, frames=(20, 1))
    peer = rig.dial()
    peer.say(*[b'{"type":"ping"}'] * 10)
    rig.run()
    assert peer.texts() == [b'{"type":"pong"}'] * 10
    assert move(peer, other)
    peer.say(*[b'{"type":"ping"}'] * 40)
    other.run()
    assert peer.texts().count(b'{"type":"pong"}') == 20
    rig.close()
    other.close()


# ---- output that was not taken


def test_untaken_output_goes_along_and_bounds_what_waits_there(rig: Rig, other: Rig, rings: Rings) -> None:
    one, two = pair(rig, rings, SMALL)
    ring = rings.new()
    rig.reactor.link(one.number, ring, 0)
    rig.reactor.link(two.number, ring, 1)
    while rig.reactor.counters()["slow"] == 0:
        one.say(line("x" * 1000))
        rig.run()
    one.read()
    state = state_of(two)
    assert state["blocked"] == 1
    assert 64 * 1024 <= state["out"] < 66 * 1024
    assert 60 <= state["held"] <= state["out"] // 1040
    rig.reactor.link(two.number, ring, 1)
    there = move_chat(one, two, ring, other, rings)
    one.say(line("one more"))
    other.run()
    assert other.reactor.counters()["slow"] == 1
    assert there.refused(0)[-1] == there.taken(0)
    taken = two.read()
    while True:
        other.run()
        if not (more := two.read()):
            break
        taken += more
    assert other.reactor.counters()["blocked"] == 0
    one.say(line("after"))
    other.run()
    assert two.texts() == [b'{"type":"message","seq":%d,"text":"after"}' % there.last]
    assert taken.count(b'"seq"') == there.last - 1
    del ring, there


def test_who_took_nothing_here_has_no_twenty_seconds_more_there(rig: Rig, other: Rig) -> None:
    peer = rig.dial(buffer=SMALL)
    rig.reactor.send(peer.number, b"x" * 100_000)
    rig.run()
    rig.later(15)
    assert move(peer, other)
    other.later(4)
    assert other.lost() == []
    other.later(1)
    assert other.lost() == [DROPPED]
    assert other.reactor.counters()["untaken"] == 1


@pytest.mark.parametrize("size", [1, 125, 126, 5000, 70_000])
def test_output_that_was_cut_anywhere_is_whole_there(rig: Rig, other: Rig, size: int) -> None:
    peer = rig.dial(buffer=SMALL)
    told = [b"%06d" % at + b"x" * size for at in range(40)]
    got = b""
    for at, text in enumerate(told):
        peer.rig.reactor.send(peer.number, text)
        if at % 3 == 0:
            assert move(peer, other if peer.rig is rig else rig)
            peer.rig.reactor.settle(peer.rig.now)
        got += peer.sock.recv(1000 + at) if at % 5 == 0 and at else b""
    while True:
        peer.rig.run()
        if not (more := peer.read()):
            break
        got += more
    assert split(got) == [(TEXT, text) for text in told]


def test_whoever_took_a_connection_ends_it_when_it_goes(rig: Rig) -> None:
    made = Rig()
    peer = rig.dial()
    assert move(peer, made)
    held: Reactor | None = made.reactor
    assert held is not None
    del made.reactor, held
    assert peer.ended()
    made.peers.clear()
    peer.sock.close()
