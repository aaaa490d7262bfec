"""Test the ends of a connection: codes and counters of every row that a client can cause."""

import json

import pytest

from engine.wire.protocol import BROKEN, FAULTS, FLOOD_RETRY_AFTER, FLOODED
from ext.net.chat_ring import Rings
from tests.ext.net.rig import CLOSE, FIND, TEXT, Rig, frame, pair

CAUSES = [
    ("protocol", b"\xc1\x80\0\0\0\0", BROKEN),
    ("binary", frame(b"x", 2), BROKEN),
    ("encoding", frame(b"\xff"), BROKEN),
    ("too_big", frame(b"x" * 65537), BROKEN),
    ("flood", frame(FIND) * 3, FLOODED),
]


@pytest.mark.parametrize(("code", "data", "how"), CAUSES)
def test_a_failing_connection_is_told_what_the_protocol_says(code: str, data: bytes, how: int) -> None:
    rig = Rig(limits=True, frames=(1, 0.001), refusals=(2, 0.001)) if code == "flood" else Rig()
    peer = rig.dial()
    peer.send(data)
    rig.run()
    *_, (kind, text), close = peer.frames()
    fault = FAULTS[code]
    told = {"type": "error", "code": code, "message": fault.message}
    assert kind == TEXT
    assert json.loads(text) == (told | {"retry_after": FLOOD_RETRY_AFTER} if code == "flood" else told)
    assert close == (CLOSE, fault.close.to_bytes(2))
    assert rig.reactor.counters()[f"close_{code}"] == 1
    assert rig.lost() == [how]
    rig.close()


@pytest.mark.parametrize("code", ["internal", "restart", "busy", "banned", "flood", "replaced"])
def test_a_close_by_the_engine_counts_by_its_code_and_tells_nobody(rig: Rig, code: str) -> None:
    peer = rig.dial()
    rig.reactor.close(peer.number, FAULTS[code].close, None)
    rig.run()
    assert peer.frames() == [(CLOSE, FAULTS[code].close.to_bytes(2))]
    assert rig.reactor.counters()[f"close_{code}"] == 1
    assert rig.lost() == []


@pytest.mark.parametrize(
    ("data", "counter"),
    [
        (frame(b"", CLOSE), "client_normal"),
        (frame((1001).to_bytes(2), CLOSE), "client_away"),
        (frame((3000).to_bytes(2), CLOSE), "client_other"),
        (b"", "client_none"),
    ],
)
def test_a_clients_end_counts_by_the_code_that_came(rig: Rig, data: bytes, counter: str) -> None:
    peer = rig.dial()
    peer.send(data)
    peer.sock.close()
    rig.run()
    assert rig.reactor.counters()[counter] == 1
    assert len(rig.lost()) == 1


def test_a_long_id_is_told_with_its_refusal_and_with_its_number(rig: Rig, rings: Rings) -> None:
    one, two = pair(rig, rings)
    id = b"\\u0001" * 64
    rig.reactor.say(one.number, b"hi", id)
    rig.run()
    assert one.texts() == [b'{"type":"sent","id":"%s","seq":1}' % id]
    two.sock.close()
    rig.run()
    for _ in range(201):
        rig.reactor.say(one.number, b"hi", id)
    rig.run()
    assert b'"code":"slow"' in (last := one.texts()[-1])
    assert b'"id":"%s"' % id in last
