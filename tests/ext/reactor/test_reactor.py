"""Test the reactor: the gate, coalesced sends, back-pressure, time-outs, and bad input, which costs other users nothing."""

import socket
import subprocess
import sys

import pytest

from engine.wire.protocol import BROKEN, CLOSED, CONFIRMED, DROPPED, LEFT, OPENED
from engine.wire.server_frames import matched, usual
from ext.net.chat_ring import Rings
from tests.ext.net.rig import CLOSE, FIND, LEAVE, PING, PONG, TEXT, Rig, frame, head, line, pair
from tests.ext.net.tunnels import piped, said

# ---- the data path


def test_a_line_reaches_the_partner_numbered_and_its_id_is_acknowledged(rig: Rig, rings: Rings) -> None:
    one, two = pair(rig, rings)
    one.say(line("hi", "a1"), line("there"))
    two.say(line('q \\"x\\" é'))
    rig.run()
    assert two.texts() == [b'{"type":"message","seq":1,"text":"hi"}', b'{"type":"message","seq":2,"text":"there"}']
    assert one.texts() == [
        b'{"type":"sent","id":"a1","seq":1}',
        '{"type":"message","seq":3,"text":"q \\"x\\" é"}'.encode(),
    ]
    assert rig.frames() == []


def test_an_id_between_type_and_text_is_acknowledged_too(rig: Rig, rings: Rings) -> None:
    one, _ = pair(rig, rings)
    one.say(b'{"type":"message","id":"z","text":"hi"}')
    rig.run()
    assert one.texts() == [b'{"type":"sent","id":"z","seq":1}']


def test_who_watches_hears_both_and_cannot_speak(rig: Rig, rings: Rings) -> None:
    one, two, spy = rig.dial(), rig.dial(), rig.dial()
    ring = rings.new()
    for side, peer in enumerate((one, two, spy)):
        rig.reactor.link(peer.number, ring, side)
    one.say(line("a"), b'{"type":"typing","typing":true}')
    rig.run()
    two.say(line("b"))
    spy.say(line("hello?"))
    rig.run()
    assert spy.texts() == [
        b'{"type":"message","seq":1,"text":"a","from":1}',
        b'{"type":"typing","typing":true,"from":1}',
        b'{"type":"message","seq":2,"text":"b","from":2}',
    ]
    assert rig.frames() == [line("hello?")]
    assert one.texts() == [b'{"type":"message","seq":2,"text":"b"}']


def test_sixteen_frames_of_one_read_leave_in_one_send(rig: Rig, rings: Rings) -> None:
    one, two = pair(rig, rings)
    before = rig.reactor.counters()["sends"]
    one.say(*[line(f"line {index}") for index in range(16)])
    rig.run()
    assert len(two.texts()) == 16
    assert rig.reactor.counters()["sends"] == before + 1


def test_many_who_are_told_much_in_one_turn_get_all_of_it(rig: Rig) -> None:
    peers = [rig.dial() for _ in range(40)]
    told = [[bytes([65 + turn]) * (size + at) for turn, size in enumerate((0, 300, 900, 17_000))] for at in range(40)]
    for turn in range(4):
        for peer, texts in zip(peers, told, strict=True):
            rig.reactor.send(peer.number, texts[turn])
    rig.run()
    assert [peer.texts() for peer in peers] == told


def test_a_ping_of_either_kind_is_answered(rig: Rig) -> None:
    peer = rig.dial()
    peer.send(frame(b"abc", PING) + frame('{"type":"ping"}'))
    rig.run()
    assert peer.frames() == [(PONG, b"abc"), (TEXT, b'{"type":"pong"}')]


# ---- the gate


@pytest.mark.parametrize(
    ("why", "behind"),
    [
        ("leave", frame(LEAVE)),
        ("find", frame(FIND)),
        ("a close", frame(b"", CLOSE)),
        ("a broken frame", b"\xc1\x80\0\0\0\0"),
        ("a frame that is not UTF-8", frame(b"\xff")),
        ("a binary frame", frame(b"x", 2)),
    ],
)
@pytest.mark.parametrize("packets", [0, 1])
def test_what_stands_before_is_done_and_nothing_behind_reaches_the_old_partner(
    rig: Rig, rings: Rings, why: str, behind: bytes, packets: int
) -> None:
    one, two = pair(rig, rings)
    data = frame(line("before")) + behind + frame(line("behind"))
    for at in range(0, len(data), packets or len(data)):
        one.send(data[at : at + (packets or len(data))])
        for kind, number, _, _ in rig.turn():
            if kind != OPENED:
                rig.reactor.unlink(number)
        rig.events += rig.reactor.settle(rig.now)
    rig.run()
    assert two.texts() == [b'{"type":"message","seq":1,"text":"before"}'], why


def test_a_gate_is_shut_until_the_effects_were_applied(rig: Rig) -> None:
    peer = rig.dial()
    peer.say(LEAVE, FIND, LEAVE)
    assert [event[3] for event in rig.turn()] == [LEAVE]
    assert rig.turn() == []
    assert [event[3] for event in rig.reactor.settle(rig.now)] == [FIND]
    assert [event[3] for event in rig.reactor.settle(rig.now)] == [LEAVE]
    assert rig.reactor.settle(rig.now) == []


def test_a_new_connections_first_frame_waits_for_its_owner(rig: Rig) -> None:
    peer = rig.begin()
    peer.send(head() + frame(FIND))
    assert [event[0] for event in rig.turn()] == [OPENED]
    rig.reactor.adopt(peer.number, "owner")
    (event,) = rig.reactor.settle(rig.now)
    assert event[2:] == ("owner", FIND)


def test_the_first_text_frame_after_a_resume_is_told(rig: Rig, rings: Rings) -> None:
    one, _ = pair(rig, rings)
    rig.reactor.adopt(one.number, "old session", True)
    one.say(line("a"), line("b"))
    rig.run()
    assert [event[2] for event in rig.events if event[0] == CONFIRMED] == ["old session"]


# ---- the ends


@pytest.mark.parametrize(
    ("why", "data", "how"),
    [
        ("close 1000", frame((1000).to_bytes(2), CLOSE), LEFT),
        ("close without a code", frame(b"", CLOSE), LEFT),
        ("close 1001", frame((1001).to_bytes(2), CLOSE), CLOSED),
        ("close 4000", frame((4000).to_bytes(2), CLOSE), DROPPED),
        ("a broken frame", b"\x83\x80\0\0\0\0", BROKEN),
        ("binary", frame(b"x", 2), BROKEN),
        ("not UTF-8", frame(b"\xff"), BROKEN),
        ("too big", frame(b"x" * 65537), BROKEN),
    ],
)
def test_each_end_is_told_once_and_by_its_name(rig: Rig, why: str, data: bytes, how: int) -> None:
    peer = rig.dial()
    peer.send(data + frame(FIND))
    rig.run()
    peer.sock.close()
    rig.run()
    rig.later(5)
    assert rig.lost() == [how], why
    assert rig.frames() == []


def test_a_connection_that_goes_away_is_dropped(rig: Rig) -> None:
    peer = rig.dial()
    peer.sock.close()
    rig.run()
    assert rig.lost() == [DROPPED]


@pytest.mark.parametrize(
    ("data", "code", "name"),
    [
        (b"\xc1\x80\0\0\0\0", 1002, b"protocol"),
        (frame(b"x", 2), 1003, b"binary"),
        (frame(b"\xff"), 1007, b"encoding"),
        (frame(b"x" * 65537), 1009, b"too_big"),
    ],
)
def test_a_closing_error_is_said_before_the_close(rig: Rig, data: bytes, code: int, name: bytes) -> None:
    peer = rig.dial()
    peer.send(data)
    rig.run()
    error, close = peer.frames()
    assert error[1].startswith(b'{"type":"error","code":"' + name + b'"')
    assert close == (CLOSE, code.to_bytes(2))
    assert peer.ended()


def test_the_server_closes_with_a_last_frame_and_a_code(rig: Rig) -> None:
    peer = rig.dial()
    rig.reactor.close(peer.number, 1012, b'{"type":"error","code":"restart"}')
    rig.run()
    assert peer.frames() == [(TEXT, b'{"type":"error","code":"restart"}'), (CLOSE, (1012).to_bytes(2))]
    assert peer.ended()
    assert rig.lost() == []
    rig.later(5)
    assert rig.reactor.connections == 0


def test_effects_for_a_connection_that_is_gone_do_nothing(rig: Rig, rings: Rings) -> None:
    peer = rig.dial()
    number = peer.number
    peer.sock.close()
    rig.run()
    again = rig.dial()
    rig.reactor.send(number, b"x")
    rig.reactor.link(number, rings.new(), 0)
    rig.reactor.close(number, 1000, None)
    rig.reactor.say(number, b"x", None)
    rig.run()
    assert again.number != number
    assert again.read() == b""


# ---- a partner who takes nothing, or is away


def test_a_partner_who_takes_nothing_bounds_what_waits_and_leave_is_still_heard(rig: Rig, rings: Rings) -> None:
    one, two = pair(rig, rings, buffer=4096)
    said = 0
    for _ in range(300):
        one.say(*[line("x" * 1000, f"i{said + index}") for index in range(4)])
        said += 4
        rig.run()
        one.read()
    rig.later(1)
    assert rig.reactor.counters()["slow"] > 1000
    one.say(LEAVE)
    rig.run()
    assert rig.frames() == [LEAVE]
    taken = two.read()
    rig.run()
    while more := two.read():
        taken += more
        rig.run()
    assert len(taken) < 64 * 1024 + 32 * 1024


def test_a_refused_message_is_told_with_its_id_and_its_ordinal_kept(rig: Rig, rings: Rings) -> None:
    one, two = pair(rig, rings)
    ring = rings.new()
    rig.reactor.link(one.number, ring, 0)
    rig.reactor.link(two.number, ring, 1)
    two.sock.close()
    rig.run()
    one.say(*[line("x", f"i{index}") for index in range(205)])
    rig.run()
    answers = one.texts()
    assert answers[199] == b'{"type":"sent","id":"i199","seq":200}'
    assert answers[200].startswith(b'{"type":"error","code":"slow"')
    assert b'"of":"message","id":"i200"' in answers[200]
    assert (ring.taken(0), ring.refused(0), ring.last) == (205, [201, 202, 203, 204, 205], 200)
    del ring


def test_what_an_away_person_missed_is_replayed_with_its_numbers(rig: Rig, rings: Rings) -> None:
    one, two = rig.dial(), rig.dial()
    ring = rings.new()
    rig.reactor.link(one.number, ring, 0)
    rig.reactor.link(two.number, ring, 1)
    one.say(line("a"))
    rig.run()
    two.sock.close()
    rig.run()
    one.say(line("b"), line("c"))
    rig.run()
    again = rig.dial()
    rig.reactor.link(again.number, ring, 1)
    rig.reactor.replay(again.number, ring, 1, 1)
    rig.run()
    assert again.texts() == [b'{"type":"message","seq":2,"text":"b"}', b'{"type":"message","seq":3,"text":"c"}']
    one.say(line("d"))
    rig.run()
    assert again.texts() == [b'{"type":"message","seq":4,"text":"d"}']
    del ring


def test_who_was_away_cannot_have_what_was_said_since_and_has_what_was_replayed(rig: Rig, rings: Rings) -> None:
    one, two = rig.dial(), rig.dial()
    ring = rings.new()
    rig.reactor.link(one.number, ring, 0)
    rig.reactor.link(two.number, ring, 1)
    one.say(line("a"))
    rig.run()
    two.sock.close()
    rig.run()
    one.say(line("b"), line("c"))
    rig.run()
    assert [ring.missed(1, after) for after in (0, 1, 2, 3)] == [3, 2, -1, -1]
    rig.reactor.replay(rig.dial().number, ring, 1, 1)
    assert [ring.missed(1, after) for after in (0, 1, 2, 3)] == [3, 2, 1, 0]
    del ring


def test_another_spelling_is_relayed_alike(rig: Rig, rings: Rings) -> None:
    one, two = pair(rig, rings)
    one.say(b'{"text":"hi","type":"message"}')
    assert len(rig.turn()) == 1
    rig.reactor.say(one.number, b"hi", b"k")
    rig.reactor.typing(one.number, False)
    assert rig.reactor.signal(one.number, b'{"type":"signal","candidate":null}') == ""
    rig.run()
    assert two.texts() == [
        b'{"type":"message","seq":1,"text":"hi"}',
        b'{"type":"typing","typing":false}',
        b'{"type":"signal","candidate":null}',
    ]
    assert one.texts() == [b'{"type":"sent","id":"k","seq":1}']


def test_who_takes_nothing_for_twenty_seconds_is_dropped(rig: Rig, rings: Rings) -> None:
    one, _two = pair(rig, rings, buffer=4096)
    for _ in range(60):
        one.say(line("x" * 1500))
        rig.run()
    for _ in range(19):
        rig.later(1)
        one.say(line("y"))  # who talks is heard, so that only the silent one can be meant
        rig.run()
        one.read()
    assert rig.lost() == []
    rig.later(2)
    assert rig.lost() == [DROPPED]
    assert rig.reactor.counters()["untaken"] == 1


# ---- time


def test_silence_is_pinged_and_no_answer_is_a_drop(rig: Rig) -> None:
    dead, alive = rig.dial(), rig.dial()
    rig.later(26)
    assert dead.frames() == [(PING, b"")]
    assert alive.frames() == [(PING, b"")]
    alive.send(frame(b"", PONG))
    rig.run()
    rig.later(21)
    assert rig.lost() == [DROPPED]
    assert rig.reactor.online == 1


def test_a_clock_that_steps_back_or_sleeps_harms_nobody(rig: Rig, rings: Rings) -> None:
    one, two = pair(rig, rings)
    rig.now -= 500
    one.say(line("a"))
    rig.later(1)
    rig.run()
    assert two.texts() == [b'{"type":"message","seq":1,"text":"a"}']
    rig.now += 500 + 3600
    rig.events += rig.reactor.tick(rig.now)
    assert rig.lost() == []
    assert rig.reactor.online == 2


# ---- options


def test_options_that_make_no_sense_are_a_named_error_and_close_nothing() -> None:
    # a process of its own: what other tests left to the collector closes its descriptors when it likes
    code = """
import gc, os
from tests.ext.net.rig import Rig

def standing():
    paths = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
    return {(path, os.readlink(path)) for path in paths if os.path.islink(path)}

before = standing()
for wrong in ({"message_max": 10}, {"connections_max": 0}, {"idle": 0}, {"patience": 0}):
    try:
        Rig(**wrong)
    except ValueError as error:
        print(type(error).__name__, *wrong)
    gc.collect()
print("same" if standing() == before else sorted(standing() ^ before))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )
    wrong = ["message_max", "connections_max", "idle", "patience"]
    assert done.stdout.splitlines() == [*(f"ValueError {name}" for name in wrong), "same"], done.stderr


# ---- a bounded turn: who chats comes first, and nobody is left out

NO_TIME = 1e-9  # seconds: one of those who do not chat is read, whatever it takes


def test_a_bounded_batch_reads_who_chats_first_and_the_others_in_turn(rig: Rig, rings: Rings) -> None:
    others = [rig.dial() for _ in range(40)]
    one, two = pair(rig, rings)
    for peer in others:
        peer.say(FIND)
    one.say(line("hi"))
    begun = {event[1] for event in rig.reactor.drain(rig.now, NO_TIME)}
    assert two.texts() == [b'{"type":"message","seq":1,"text":"hi"}']
    assert len(begun) == 1
    for _ in range(2 * len(others)):
        begun |= {event[1] for event in rig.reactor.drain(rig.now, NO_TIME)}
    assert begun == {peer.number for peer in others}
    rig.reactor.settle(rig.now)


def test_who_always_sends_keeps_no_other_from_being_read(rig: Rig) -> None:
    peers = [rig.dial() for _ in range(5)]
    for _ in range(50):
        for peer in peers:
            peer.sock.send(frame(b"x", PING))
        rig.reactor.drain(rig.now, NO_TIME)
    assert all(len(peer.frames()) >= 5 for peer in peers)


def test_a_newcomer_is_accepted_in_a_bounded_batch(rig: Rig) -> None:
    peers = [rig.dial() for _ in range(5)]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        rig.reactor.listen(listener.fileno())
        with socket.create_connection(listener.getsockname()):
            for _ in range(50):
                for peer in peers:
                    peer.sock.send(frame(b"x", PING))
                rig.reactor.drain(rig.now, NO_TIME)
            assert rig.reactor.newcomers == 1
        rig.run()
        rig.reactor.refuse_newcomers()


def test_who_is_refused_all_the_time_is_read_like_one_who_does_not_chat(rings: Rings) -> None:
    rig = Rig(limits=True, messages=(1, 0.001), refusals=(100, 1))
    loud, heard = pair(rig, rings)
    calm, friend = pair(rig, rings)
    others = [rig.dial() for _ in range(4)]
    loud.say(*[line("again")] * 10)
    rig.run()
    assert len(heard.texts()) == 1
    assert len(loud.texts()) == 9  # refusals
    for peer in others:
        peer.say(FIND)
    loud.sock.send(frame(b"x", PING))
    calm.say(line("hi"))
    assert len(rig.reactor.drain(rig.now, NO_TIME)) == 1
    assert friend.texts() == [b'{"type":"message","seq":1,"text":"hi"}']
    assert loud.frames() == []
    rig.run()
    assert loud.frames() == [(PONG, b"x")]
    rig.close()


def test_who_was_refused_long_ago_is_read_like_one_who_never_was(rings: Rings) -> None:
    rig = Rig(limits=True, messages=(1, 0.001), refusals=(100, 1))
    loud, _ = pair(rig, rings)
    others = [rig.dial() for _ in range(4)]
    loud.say(*[line("again")] * 10)
    rig.run()
    assert len(loud.texts()) == 9
    rig.now += 60.0
    for peer in others:
        peer.say(FIND)
    loud.sock.send(frame(b"x", PING))
    assert len(rig.reactor.drain(rig.now, NO_TIME)) == 1
    assert loud.frames() == [(PONG, b"x")]
    rig.reactor.settle(rig.now)
    rig.close()


def test_a_chat_through_a_tunnel_is_read_before_those_who_do_not_chat(rig: Rig) -> None:
    client, home = piped(rig)
    home.send(said(matched(usual("c1", (), "en", 0))))
    rig.run()
    assert client.texts()
    others = [rig.dial() for _ in range(4)]
    for peer in others:
        peer.say(FIND)
    client.say(line("hi"))
    home.send(said(line("hi yourself")))
    assert len(rig.reactor.drain(rig.now, NO_TIME)) == 1
    assert home.read() == frame(line("hi"))
    assert client.texts() == [line("hi yourself")]
    rig.reactor.settle(rig.now)


def test_gates_are_opened_some_at_a_time_in_their_order(rig: Rig) -> None:
    peers = [rig.dial() for _ in range(5)]
    for peer in peers:
        peer.say(FIND, LEAVE)
    assert [event[3] for event in rig.turn()] == [FIND] * 5
    assert rig.reactor.gates == 5
    first = rig.reactor.settle(rig.now, 2)
    assert [event[1] for event in first] == [peer.number for peer in peers[:2]]
    assert rig.reactor.gates == 5, "theirs are shut again, behind the others"
    second = rig.reactor.settle(rig.now, 4)
    assert [event[1] for event in second] == [peer.number for peer in peers[2:]]
    assert rig.reactor.gates == 4
    peers[0].sock.close()  # its gate is opened for nobody
    rig.run()
    assert rig.reactor.gates == 0
