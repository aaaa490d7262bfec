"""Test a connection: the flags allowed in each state, its description, and that the ledger finds a leaked one."""

import re
from pathlib import Path

from ext.net import byte_buffers, chat_ring, connection_table
from ext.net.chat_ring import Rings
from ext.reactor.debug_hooks import may_stand
from tests.ext.net.rig import FIND, Rig, frame, line, pair
from tests.support import ledger

HEADER = (Path(__file__).resolve().parents[3] / "ext/net/connection_table.pxd").read_text()
STATES = ("HEAD", "OPEN", "PIPED", "CLOSING", "DEAD")


def test_the_drawing_of_states_and_flags_is_what_debug_builds_check() -> None:
    numbers = {name: int(number) for name, number in re.findall(r"^    ([A-Z]+) = (\d+)", HEADER, re.M)}
    drawn = re.findall(r"^#     ([A-Z]+) +([x.]) +([x.]) +([x.]) +([x.]) +([x.])  ", HEADER, re.M)
    assert len(drawn) == 14
    for flag, *marks in drawn:
        for state, mark in zip(STATES, marks, strict=True):
            assert may_stand(numbers[state], numbers[flag]) is (mark == "x"), (flag, state)
    assert not may_stand(5, 0)
    assert not may_stand(numbers["OPEN"], 2048)


def test_a_connection_is_described_without_its_address_or_what_it_said(rig: Rig, rings: Rings) -> None:
    peer, _ = pair(rig, rings)
    begun = rig.begin()
    begun.send(b"GET /ws")
    peer.say(line("a secret"))
    peer.say(FIND, FIND)
    peer.send(frame(b"more")[:-1])
    rig.turn()
    told = rig.reactor.describe(peer.number)
    for part in (
        f"connection {peer.number}: open [gated|counted]",
        f"input {len(frame(FIND) + frame(b'more')) - 1}",
        "out 0",
        "owned",
        "side 0 of a ring at 1",
    ):
        assert part in told
    assert "secret" not in told
    assert "127.0.0.1" not in told
    assert "head [], " in rig.reactor.describe(begun.number)
    assert "no owner, no ring" in rig.reactor.describe(begun.number)
    assert rig.reactor.describe(1 << 60) == f"connection {1 << 60}: gone"


def test_a_ring_is_printed_with_its_numbers_and_who_is_here(rig: Rig, rings: Rings) -> None:
    one, _two = pair(rig, rings)
    made = rings.new()
    assert repr(made) == "<Ring at 0: 0 held, 0 of 0 bytes, taken 0/0, refused 0/0, unsent 0/0, here nobody>"
    rig.reactor.link(one.number, made, 0)
    one.say(line("hi"))
    rig.run()
    made.end()
    assert repr(made) == "<Ring at 1 ended: 1 held, 14 of 512 bytes, taken 1/0, refused 0/0, unsent 0/1, here 0>"
    rig.reactor.unlink(one.number)


def counted() -> dict[str, int]:
    """Return the live objects of the modules of ext/net."""
    return {**connection_table.alive(), **chat_ring.alive(), **byte_buffers.alive()}


def test_the_ledger_sees_a_connection_a_ring_and_a_buffer_that_stay() -> None:
    before, kept = ledger.alive(), counted()
    rig = Rig()
    peer = rig.dial()
    assert ledger.left_since(before) == {"connections": 1}
    ours = Rings(1 << 20).new()
    peer.send(frame(b"half a frame")[:-1])
    rig.run()
    assert ledger.left_since(before) == {"connections": 1, "rings": 1, "buffers": 1}
    del ours
    rig.close()
    assert counted() == kept
    assert ledger.left_since(before) == {}


def test_a_reactor_that_goes_with_all_it_holds_leaves_nothing() -> None:
    before = counted()
    rig, rings = Rig(), Rings(1 << 20)
    one, _two = pair(rig, rings, buffer=4096)
    for _ in range(60):
        one.say(line("x" * 1500))
        rig.run()
    number = rig.reactor.open_virtual("192.0.2.1")
    rig.reactor.adopt(number, rig)
    rig.reactor.send(number, b"unread")
    rig.begin().send(b"GET /ws")
    rig.turn()
    assert counted() != before
    for peer in rig.peers:
        peer.sock.close()
    del rig.reactor
    assert counted() == before
