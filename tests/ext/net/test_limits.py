"""Test the limits of the reactor and of addresses: an excess is refused by name, and costs other users nothing."""

import json

import pytest

from engine.wire.protocol import FLOODED, FULL_AFTER_LEAST, FULL_AFTER_MOST
from ext.accept.address_limits import Addresses, key_of
from ext.net.chat_ring import Rings
from tests.ext.net.rig import CLOSE, FIND, Peer, Rig, frame, head, line, pair, split


def limited() -> Rig:
    """A reactor whose limits have verdicts."""
    return Rig(limits=True, addresses=Addresses(open_max=3, burst=5, rate=1, limits=True))


def told(peer: Peer) -> list[bytes]:
    """The payloads of the frames behind the answer 101."""
    answer, _, frames = peer.read().partition(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 101 ")
    return [payload for _, payload in split(frames)]


def test_messages_beyond_the_burst_are_too_fast_and_come_again_with_time(rings: Rings) -> None:
    rig = limited()
    one, two = pair(rig, rings)
    one.say(*[line("x", f"i{index}") for index in range(101)])
    rig.run()
    assert len(two.texts()) == 100
    last = one.texts()[-1]
    assert last.startswith(b'{"type":"error","code":"too_fast"')
    assert b'"id":"i100"' in last
    assert b'"retry_after":1' in last
    rig.later(1)
    one.say(*[line("x") for _ in range(25)])
    rig.run()
    assert len(two.texts()) == 20
    rig.close()


def test_a_flood_of_control_frames_costs_no_decision_and_ends_with_4008() -> None:
    rig = limited()
    peer = rig.dial()
    for _ in range(20):
        peer.say(*[FIND for _ in range(100)])
        rig.run()
    assert len(rig.frames()) == 250
    assert rig.lost() == [FLOODED]
    assert peer.frames()[-1] == (CLOSE, (4008).to_bytes(2))
    rig.close()


def test_a_flood_beyond_the_byte_limit_pauses_reading_for_a_second() -> None:
    rig = limited()
    peer = rig.dial()
    big = frame(b"[" + b" " * 65000 + b"]")
    sent = 0
    while not rig.reactor.counters()["paused"]:
        peer.send(big)
        sent += len(big)
        rig.run()
        assert sent < 3 << 20
    assert rig.reactor.online in {0, 1}
    rig.close()


def test_an_address_has_so_many_connections_and_makes_them_so_fast() -> None:
    rig = limited()
    first = [rig.dial() for _ in range(3)]
    refused = rig.begin()
    refused.send(head())
    rig.run()
    answer = refused.read()
    assert answer.startswith(b"HTTP/1.1 429 ")
    assert b"\r\nRetry-After:" not in answer  # nobody knows when one of the three will end
    first[0].sock.close()
    rig.run()
    rig.dial()
    first[1].sock.close()
    rig.run()
    rig.dial()
    first[2].sock.close()
    rig.run()
    fast = rig.begin()
    fast.send(head())
    rig.run()
    answer = fast.read()
    assert answer.startswith(b"HTTP/1.1 429 ")
    assert b"Retry-After: 1\r\n" in answer
    rig.later(1)
    rig.dial()
    rig.close()


def test_a_full_server_says_so_by_a_close_code_that_a_page_sees() -> None:
    rig = Rig(connections_max=1)
    rig.dial()
    late = rig.begin()
    late.send(head())
    rig.run()
    error, close = told(late)
    assert b'"code":"busy"' in error
    assert FULL_AFTER_LEAST <= json.loads(error)["retry_after"] <= FULL_AFTER_MOST
    assert close == (1013).to_bytes(2)
    assert late.ended()
    rig.close()


def test_those_whom_a_full_server_turns_away_do_not_all_come_back_at_once() -> None:
    rig = Rig(connections_max=1)
    rig.dial()
    seconds = set()
    for _ in range(100):
        late = rig.begin()
        late.send(head())
        rig.run()
        seconds.add(json.loads(told(late)[0])["retry_after"])
        late.sock.close()
        rig.run()
    assert len(seconds) > 10
    rig.close()


class Known:
    """Says of cookies that they were here: a day ago where they begin with `old`, a moment ago where with `back`."""

    def lasting(self, cookie: bytes, now: float) -> bool:
        return cookie.startswith(b"old")

    def returns(self, cookie: bytes | None, address: str, now: float) -> bool:
        return cookie is not None and cookie.startswith(b"back")


def knowing(**bounds: float) -> Addresses:
    addresses = Addresses(limits=True, **{"open_max": 2, "burst": 100, "rate": 1, **bounds})  # type: ignore[arg-type]
    addresses.known = Known()
    return addresses


def refused(rig: Rig, **fields: str) -> bytes:
    """How somebody is turned away; empty: they are let in."""
    peer = rig.begin()
    peer.send(head(**fields))
    rig.run()
    answer = peer.read()
    if b'"code":"busy"' in answer:
        return b"busy"
    return b"" if answer.startswith(b"HTTP/1.1 101 ") else answer[9:12]


def test_a_campus_is_not_one_person() -> None:
    rig = Rig(limits=True, addresses=knowing())
    old = [refused(rig, cookie=f"id=old{number}") for number in range(18)]
    assert old == [b""] * 18, "sixteen of their own, then as newcomers"
    assert refused(rig, cookie="id=old18") == b"429"
    assert refused(rig) == b"429"
    fresh = Rig(limits=True, addresses=knowing())
    assert [refused(fresh, cookie=f"id=old{number}") for number in range(16)] == [b""] * 16
    assert [refused(fresh, cookie="id=new"), refused(fresh), refused(fresh)] == [b"", b"", b"429"]
    for made in (rig, fresh):
        made.close()


def test_those_of_a_campus_who_go_make_room_for_others_of_it() -> None:
    rig = Rig(limits=True, addresses=knowing(open_max=1))
    peers = [rig.dial(head(cookie=f"id=old{number}")) for number in range(9)]
    assert refused(rig, cookie="id=old9") == b"429"
    peers[0].sock.close()
    rig.run()
    assert [refused(rig, cookie="id=old9"), refused(rig, cookie="id=old10")] == [b"", b"429"]
    rig.close()


def test_a_full_server_has_room_for_who_dropped_out_a_moment_ago() -> None:
    rig = Rig(connections_max=32, addresses=knowing(open_max=100))
    for _ in range(32):
        rig.dial()
    assert [refused(rig), refused(rig, cookie="id=old1")] == [b"busy", b"busy"]
    back = [refused(rig, cookie="id=back") for _ in range(4)]
    assert back == [b"", b"", b"", b"busy"], "a little: two of thirty-two, and one"
    rig.close()


def test_addresses_are_forgotten_when_they_say_nothing_any_more() -> None:
    table = Addresses(open_max=2, burst=4, rate=2, limits=True)
    for index in range(1000):
        assert table.enter(f"10.{index >> 8}.{index & 255}.1", 0.0)
    for index in range(999):
        table.leave(f"10.{index >> 8}.{index & 255}.1", 1.0)
    table.forget(2.0)
    assert len(table) == 2000
    table.forget(3.1)
    assert len(table) == 2, "it, and the network around it"


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:c000:201", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_an_ipv6_address_counts_by_its_64(address: str, key: str) -> None:
    assert key_of(address) == key


def test_five_hundred_connections_that_never_speak_cost_little_and_go() -> None:
    rig = Rig()
    for _ in range(500):
        rig.begin()
    rig.run()
    assert rig.reactor.connections == 500
    rig.later(11)
    rig.later(5)
    assert rig.reactor.connections == 0
    rig.close()


def test_limits_of_an_address_change_for_what_comes_and_leave_what_is_open() -> None:
    addresses = Addresses(open_max=1, burst=10, rate=1, limits=True)
    assert [addresses.enter("a", 0.0), addresses.enter("a", 0.0)] == [True, False]
    addresses.change(3, 10, 1)
    assert [addresses.enter("a", 0.0) for _ in range(3)] == [True, True, False]
    addresses.change(1, 10, 1)
    assert not addresses.enter("a", 0.0)
    with pytest.raises(ValueError, match="at least one connection"):
        addresses.change(0, 10, 1)
