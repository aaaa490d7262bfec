"""A connection that goes to another reactor stands there as it stood here; nothing is lost, doubled or leaked on any way."""

import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.protocol import CONFIRMED, DROPPED, FRAME, FRAMES, LOST
from ext.net.admission import Addresses
from ext.net.reactor import Reactor
from ext.net.ring import Rings
from tests.ext.net.rig import CLOSE, FIND, LEAVE, PING, PONG, TEXT, Peer, Rig, descriptors, frame, line, move, move_chat, pair, split

SMALL = 4096


@pytest.fixture
def other(rings: Rings) -> Iterator[Rig]:
    """Another reactor, to which connections go."""
    made = Rig()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def no_descriptor_stays(rig: Rig, other: Rig) -> Iterator[None]:
    """What a test opened is closed by the end of it, by whoever had it."""
    before = descriptors()
    yield
    for each in (rig, other):
        for peer in each.peers:
            peer.sock.close()
        each.run()
        each.later(5)
    assert descriptors() == before


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


# ---- virtual connections


def mail(rig: Rig, number: int) -> list[Any]:
    """What a virtual connection was sent since the last look."""
    rig.run()
    return [
        payload for kind, conn, _, data in rig.events if (kind, conn) == (FRAMES, number) for payload in data
    ]


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
    assert mail(rig, number) == []
    assert (rig.reactor.online, rig.reactor.connections) == (0, 0)
    number = other.reactor.take(*found, "owner")
    assert mail(other, number) == ([] if held else told)
    if held:
        other.reactor.hold(number, False)
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
    assert mail(other, number) == [b'{"type":"message","seq":2,"text":"b"}']
    assert peer.texts() == [b'{"type":"message","seq":3,"text":"c"}']
    other.reactor.drop(number)
    del ring, there


# ---- what does not fit


def socket_of_ours() -> int:
    """A socket that nobody else holds."""
    ours, theirs = socket.socketpair()
    theirs.close()
    ours.setblocking(False)
    return ours.detach()


@pytest.mark.parametrize(
    ("state", "data"),
    [
        ({"virtual": 1}, b""),
        ({"input": 2}, b"x"),
        ({"input": 1}, b"xx"),
        ({}, b"x"),
        ({"input": -1, "out": 2}, b"x"),
        ({"input": 1 << 31}, b""),
        ({"part": 1}, b"x"),
        ({"part": 1, "opcode": 2}, b"x"),
        ({"part": 1, "opcode": 3}, b"x"),
        ({"blocked": 1}, b""),
        ({"blocked": 2, "out": 1}, b"x"),
        ({"paused": 2}, b""),
        ({"pinged": None}, b""),
        ({"confirm": "1"}, b""),
        ({"heard": -1}, b""),
        ({"heard": 1.5}, b""),
        ({"moved": 1 << 31}, b""),
        ({"held": -1}, b""),
        ({"tokens": [1.0] * 4}, b""),
        ({"tokens": [1.0] * 6}, b""),
        ({"tokens": [1.0, 1.0, 1.0, 1.0, "1"]}, b""),
        ({"tokens": [1.0, 1.0, 1.0, 1.0, float("nan")]}, b""),
        ({"tokens": [1.0, 1.0, 1.0, 1.0, 1e300]}, b""),
        ({"tokens": [1.0, 1.0, 1.0, 1.0, 1 << 9999]}, b""),
        ({"tokens": 5}, b""),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_its_descriptor_closed(
    rig: Rig, state: dict[str, Any], data: bytes
) -> None:
    before = descriptors()
    with pytest.raises(ValueError):
        rig.reactor.take(socket_of_ours(), "127.0.0.1", state, data, "owner")
    assert descriptors() == before
    assert (rig.reactor.online, rig.reactor.connections) == (0, 0)
    rig.run()
    assert rig.events == []


@pytest.mark.parametrize(
    ("state", "data"),
    [
        ({}, b""),
        ({"virtual": 1, "input": 1}, b"x"),
        ({"virtual": 1, "opcode": 1}, b""),
        ({"virtual": 1, "paused": 1}, b""),
        ({"virtual": 1, "pinged": 1}, b""),
        *(
            ({"virtual": 1, "out": len(data)}, data)
            for data in (b"\x81", b"\x81\x02x", b"\x81\x7e\0", b"\x81\x7f" + bytes(7), b"\x88\0", b"\x88\1x", b"\x81\x80")
        ),
        ({"virtual": 1, "out": 12}, b"\x81\x7f\0\0\0\0\xff\xff\xff\xffxx"),
    ],
)
def test_a_state_that_no_virtual_connection_has_is_refused(rig: Rig, state: dict[str, Any], data: bytes) -> None:
    with pytest.raises(ValueError):
        rig.reactor.take(-1, "192.0.2.1", state, data, "owner")
    assert (rig.reactor.online, rig.reactor.connections) == (0, 0)


def test_what_epoll_refuses_is_closed(rig: Rig) -> None:
    file = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
    with pytest.raises(OSError, match="epoll_ctl"):
        rig.reactor.take(file, "127.0.0.1", {}, b"", "owner")
    with pytest.raises(OSError):
        os.fstat(file)
    assert rig.reactor.connections == 0


def test_an_address_that_is_none_is_refused(rig: Rig) -> None:
    before = descriptors()
    with pytest.raises(ValueError):
        rig.reactor.take(socket_of_ours(), "x:y", {}, b"", "owner")
    assert descriptors() == before
    assert rig.reactor.connections == 0


def test_bytes_that_were_cut_anywhere_are_refused_whole(rig: Rig, other: Rig) -> None:
    peer = rig.dial(buffer=SMALL)
    rig.reactor.send(peer.number, b"o" * 50_000)
    peer.send(frame(b"begun", fin=False) + frame(b"half of a frame")[:7])
    rig.run()
    found = rig.reactor.release(peer.number)
    assert found is not None
    fd, address, state, data = found
    assert {"input", "part", "opcode", "out", "blocked"} <= set(state)
    before = descriptors()
    for size in [*range(40), *range(40, len(data), 997), len(data) - 1]:
        with pytest.raises(ValueError):
            other.reactor.take(os.dup(fd), address, state, data[:size], peer)
    assert descriptors() == before
    assert (other.reactor.online, other.reactor.connections) == (0, 0)
    peer.number = other.reactor.take(fd, address, {**state, "of a later version": {}}, data, peer)
    peer.rig = other
    peer.send(frame(b"half of a frame")[7:])
    other.run()
    assert peer.read()


Values = st.one_of(
    st.integers(-1, 40), st.integers(), st.none(), st.floats(), st.text(max_size=2), st.lists(st.floats(), max_size=6)
)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            "heard moved held tokens confirm paused pinged blocked virtual opcode input part out other".split()
        ),
        Values,
        max_size=6,
    ),
    st.binary(max_size=40),
    st.booleans(),
)
def test_whatever_another_process_wrote_is_taken_or_a_value_error(
    state: dict[str, Any], data: bytes, virtual: bool
) -> None:
    before = descriptors()
    rig = Rig(limits=True)
    try:
        number = rig.reactor.take(-1 if virtual else socket_of_ours(), "192.0.2.1", state, data, "owner")
    except ValueError:
        assert rig.reactor.connections == 0
    else:
        rig.reactor.send(number, b"x")
        rig.run()
        rig.later(3)
        rig.reactor.drop(number)
        rig.run()
        rig.later(50)
        assert rig.reactor.connections == 0
    del rig.reactor
    assert descriptors() == before


# ---- addresses


def addresses() -> Addresses:
    """Three open at once, six in a burst."""
    return Addresses(open_max=3, burst=6, rate=0.001, limits=True)


def test_a_moved_connection_counts_there_and_no_more_here_and_costs_no_token() -> None:
    here, there = addresses(), addresses()
    rig, other = Rig(addresses=here), Rig(addresses=there)
    peers = [rig.dial() for _ in range(3)]
    assert not here.enter("127.0.0.1", 1000)
    for peer in peers:
        assert move(peer, other)
    assert here.enter("127.0.0.1", 1000)
    assert here.enter("127.0.0.1", 1000)
    assert here.enter("127.0.0.1", 1000)
    assert not here.enter("127.0.0.1", 1000)
    assert not there.enter("127.0.0.1", 1000)
    for peer in peers:
        peer.sock.close()
    other.run()
    for _ in range(2):
        assert [there.enter("127.0.0.1", 1000) for _ in range(4)] == [True, True, True, False]
        for _ in range(3):
            there.leave("127.0.0.1", 1000)
    assert not there.enter("127.0.0.1", 1000)
    rig.close()
    other.close()


def test_the_network_around_counts_it_too(rig: Rig) -> None:
    table = addresses()
    other = Rig(addresses=table)
    people = [other.reactor.take(socket_of_ours(), f"192.0.2.{at}", {}, b"", "owner") for at in range(24)]
    assert len(set(people)) == 24
    assert not table.enter("192.0.2.99", 1000)
    assert table.enter("192.0.3.99", 1000)
    other.run()
    assert table.enter("192.0.2.99", 1000)
    table.leave("192.0.2.99", 1000)
    table.leave("192.0.3.99", 1000)
    table.forget(1e9)
    table.forget(2e9)
    assert len(table) == 0
    other.later(5)


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
