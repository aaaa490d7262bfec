"""Test the check of request heads: which are accepted, the answers to others, and the client's address."""

import base64
import hashlib

import h11
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ext.accept.handshake import Judge
from ext.reactor.debug_hooks import examine
from tests.ext.net.rig import KEY, Rig, head
from tests.support.groups import examples

JUDGE = Judge(
    hosts=["localhost", "127.0.0.1", "[::1]", "chat.example"],
    origins=["https://page.example"],
    proxies=["10.0.0.0/8", "::1/128"],
)


def status(request: bytes, peer: str = "127.0.0.1") -> int:
    """The verdict on a head."""
    return examine(JUDGE, request, peer)[0]


def test_a_good_head_is_accepted_with_the_key_of_rfc_6455() -> None:
    verdict, _, answer, address, identity = examine(JUDGE, head(), "127.0.0.1")
    accept = base64.b64encode(
        hashlib.sha1(KEY.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False).digest()
    )
    assert verdict == 101
    assert b"\r\nSec-WebSocket-Accept: " + accept + b"\r\n" in answer
    assert b"Sec-WebSocket-Protocol" not in answer
    assert (
        b"Sec-WebSocket-Extensions" not in examine(JUDGE, head(sec_websocket_extensions="permessage-deflate"), "::1")[2]
    )
    assert (address, identity) == ("127.0.0.1", None)


def test_the_subprotocol_is_echoed_where_offered() -> None:
    assert (
        b"\r\nSec-WebSocket-Protocol: serendip.v1\r\n"
        in examine(JUDGE, head(sec_websocket_protocol="x, serendip.v1"), "::1")[2]
    )
    assert b"Sec-WebSocket-Protocol" not in examine(JUDGE, head(sec_websocket_protocol="x"), "::1")[2]


@pytest.mark.parametrize(
    ("why", "request_head", "expected"),
    [
        ("no key", head(sec_websocket_key=""), 400),
        ("a key of 15 bytes", head(sec_websocket_key=base64.b64encode(b"x" * 15).decode()), 400),
        ("no version", head(sec_websocket_version=""), 426),
        ("version 8", head(sec_websocket_version="8"), 426),
        ("no upgrade", head(upgrade=""), 426),
        ("no connection", head(connection=""), 426),
        ("connection: close", head(connection="close"), 426),
        ("connection with more", head(connection="keep-alive, Upgrade"), 101),
        ("no host", head(host=""), 400),
        ("an unknown host", head(host="evil.example"), 421),
        ("a known host with a port", head(host="chat.example:8443"), 101),
        ("a known IPv6 host", head(host="[::1]:8080"), 101),
        ("a foreign origin", head(origin="https://evil.example"), 403),
        ("a listed origin", head(origin="https://page.example"), 101),
        ("its own origin", head(host="localhost:8080", origin="http://localhost:8080"), 101),
        ("its own origin by https", head(host="chat.example", origin="https://chat.example"), 101),
        ("another port's origin", head(host="localhost:8080", origin="http://localhost:9090"), 403),
        ("an opaque origin", head(origin="null"), 403),
        ("a body", head(content_length="5"), 400),
        ("POST", head().replace(b"GET", b"POST"), 405),
        ("HTTP/1.0", head().replace(b"HTTP/1.1", b"HTTP/1.0"), 400),
        ("a line without a colon", head().replace(b"\r\n\r\n", b"\r\nrubbish\r\n\r\n"), 400),
        ("a space before the colon", head().replace(b"upgrade:", b"upgrade :"), 400),
        ("two hosts", head().replace(b"\r\n\r\n", b"\r\nhost: localhost\r\n\r\n"), 400),
        ("a bare line feed", head().replace(b"\r\nupgrade", b"\nupgrade"), 400),
        ("a zero byte", head(x="a\0b"), 400),
        ("a control character", head(x="a\x01b"), 400),
        ("a bare carriage return", head(x="a\rb"), 400),
        ("a tab in a name", head().replace(b"\r\n\r\n", b"\r\nx\ty: z\r\n\r\n"), 400),
        ("a name that is no token", head().replace(b"\r\n\r\n", b"\r\nx(y: z\r\n\r\n"), 400),
        ("a name outside of ASCII", head().replace(b"\r\n\r\n", b"\r\n\xe9: z\r\n\r\n"), 400),
        ("a value outside of ASCII", head(x="é"), 101),
        ("HTTP/1.e", head().replace(b"HTTP/1.1", b"HTTP/1.e"), 400),
        ("no request at all", b"hello\r\n\r\n", 400),
        ("another path", head("/"), 0),
        ("a path that only begins so", head("/wsx"), 0),
        ("a query", head("/ws?a=b"), 101),
        ("an absolute target", head("http://chat.example:8080/ws?a=b"), 101),
        ("an absolute target of an unknown host", head("HTTP://evil.example/ws"), 421),
        ("an absolute target with a user", head("http://chat.example@evil.example/ws"), 421),
        ("an absolute target without a path", head("http://chat.example"), 0),
        ("an absolute target without a Host beside it", head("http://chat.example/ws", host=""), 400),
        ("an upgrade to one of two", head(upgrade="h2c, WebSocket"), 101),
        ("an upgrade to something else", head(upgrade="h2c, websocket/2"), 426),
        ("a version that is no number", head().replace(b"HTTP/1.1", b"HTTP/1.e"), 400),
        ("a version with more behind it", head().replace(b"HTTP/1.1", b"HTTP/1.10"), 400),
        ("a method that is no token", head().replace(b"GET ", b"G(T "), 400),
        ("a target beyond ASCII", head("/ws?\xe9"), 400),
        ("a header's name that is no token", head().replace(b"\r\n\r\n", b"\r\nx(y): 1\r\n\r\n"), 400),
        ("a header's name beyond ASCII", head().replace(b"\r\n\r\n", b"\r\nx\xe9: 1\r\n\r\n"), 400),
        ("a header's value beyond ASCII", head().replace(b"\r\n\r\n", b"\r\nx: \xe9\r\n\r\n"), 101),
        ("a tab in a header's value", head(x="a\tb"), 101),
        ("an escape in a header's value", head(x="a\x1bb"), 400),
        ("a line that goes on", head().replace(b"\r\n\r\n", b"\r\nx: 1\r\n 2\r\n\r\n"), 400),
    ],
)
def test_each_head_has_its_verdict(why: str, request_head: bytes, expected: int) -> None:
    assert status(request_head) == expected, why


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),  # not a proxy of ours: what it claims is nothing
        ("10.1.2.3", "198.51.100.7", "198.51.100.7"),
        ("10.1.2.3", "1.1.1.1, 198.51.100.7", "198.51.100.7"),  # the left part is the client's own claim
        ("10.1.2.3", "198.51.100.7, 10.9.9.9", "198.51.100.7"),
        ("10.1.2.3", "10.0.0.1, 10.9.9.9", "10.0.0.1"),
        ("10.1.2.3", "rubbish", "10.1.2.3"),
        ("10.1.2.3", "198.51.100.7, rubbish", "10.1.2.3"),
        ("::1", "2001:db8::1", "2001:db8::1"),
        ("::ffff:10.1.2.3", "198.51.100.7", "198.51.100.7"),
        ("::ffff:192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("10.1.2.3", "::ffff:198.51.100.7", "198.51.100.7"),
        ("10.1.2.3", ",".join(["10.0.0.1"] * 100), "10.0.0.1"),
        ("10.1.2.3", "fe80::1%" + "x" * 16_000, "fe80::1"),
        ("10.1.2.3", "1" * 16_000, "10.1.2.3"),
    ],
)
def test_a_forwarded_address_counts_only_as_far_as_our_proxies_say_so(peer: str, forwarded: str, expected: str) -> None:
    assert JUDGE.address(peer, forwarded) == expected


@pytest.mark.parametrize(
    ("cookie", "plainly", "by_https"),
    [
        ("id=abc", b"abc", None),
        ("x=1; id=abc; y=2", b"abc", None),
        ("id=abc; __Host-id=def", b"def", b"def"),
        ("__Host-id=def; id=abc", b"def", b"def"),
        ("__Host-id=def; __Host-id=abc", b"def", b"def"),
        ("x=1 __Host-id=abc", None, None),  # what another name of the domain can set begins no cookie of ours
        ('x="; __Host-id=def; y="', b"def", b"def"),
        ("\xe2\x80\x80__Host-id=abc", None, None),
        ("\xa0__Host-id=abc", None, None),
        ("__host-id=abc", None, None),
        ("id=", None, None),
        ("id=" + "x" * 65, None, None),
        ("nothing", None, None),
    ],
)
def test_by_https_the_identity_is_the_cookie_that_no_other_name_can_set(
    cookie: str, plainly: bytes | None, by_https: bytes | None
) -> None:
    proxy, stranger = "10.1.2.3", "192.0.2.1"
    assert examine(JUDGE, head(cookie=cookie), proxy)[4] == plainly
    assert examine(JUDGE, head(cookie=cookie, x_forwarded_proto="http"), proxy)[4] == plainly
    assert examine(JUDGE, head(cookie=cookie, x_forwarded_proto="HTTPS"), proxy)[4] == by_https
    assert examine(JUDGE, head(cookie=cookie, x_forwarded_proto="https"), stranger)[4] == plainly


@settings(
    max_examples=examples(300),
    suppress_health_check=[*settings().suppress_health_check, HealthCheck.function_scoped_fixture],
)
@given(st.binary(max_size=300), st.integers(0, 400))
def test_any_damage_to_a_head_ends_in_a_verdict(junk: bytes, at: int) -> None:
    good = head(cookie="id=x", origin="http://localhost", x_forwarded_for="1.2.3.4")
    damaged = good[: at % len(good)] + junk.replace(b"\r\n\r\n", b"") + good[at % len(good) :]
    assert status(damaged, "10.0.0.1") in {0, 101, 400, 403, 405, 421, 426}


def read_by_h11(request: bytes) -> bool:
    """Whether h11 takes the head for a request."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 16)
    connection.receive_data(request)
    try:
        return isinstance(connection.next_event(), h11.Request)
    except h11.RemoteProtocolError:
        return False


PLACES = ("GET", "/ws", "HTTP/1.1", "host", "localhost", "upgrade", ": ", "x-more", "y", "\r\nx-more")


@pytest.mark.parametrize("place", PLACES)
def test_no_byte_at_any_place_of_a_head_is_taken_that_h11_refuses(place: str) -> None:
    good = head().replace(b"\r\n\r\n", b"\r\nx-more: y\r\n\r\n")
    mark = place.encode()
    assert status(good) == 101
    assert read_by_h11(good)
    for byte in range(256):
        for changed in (mark + bytes([byte]), bytes([byte]) + mark, mark[:-1] + bytes([byte])):
            damaged = good.replace(mark, changed, 1)
            assert status(damaged) != 101 or read_by_h11(damaged), damaged


def test_a_head_may_come_byte_by_byte(rig: Rig) -> None:
    peer = rig.begin()
    for byte in head():
        peer.send(bytes([byte]))
        rig.run()
    assert peer.read().startswith(b"HTTP/1.1 101 ")


def test_a_head_over_16_kib_is_refused(rig: Rig) -> None:
    for request in (head(x="y" * 17000), b"GET /ws HTTP/1.1\r\nx: " + b"y" * 17000):
        peer = rig.begin()
        peer.send(request)
        rig.run()
        assert peer.read().startswith(b"HTTP/1.1 431 ")
        assert peer.ended()


@pytest.mark.parametrize("end", [b"\n\n", b"\n\r\n", b"\r\n\n", b"\nHost: localhost\r\n"])
def test_a_head_with_a_line_feed_alone_is_refused_at_once(rig: Rig, end: bytes) -> None:
    peer = rig.begin()
    peer.send(b"GET / HTTP/1.1\r\nx: y" + end)
    rig.run()
    assert peer.read().startswith(b"HTTP/1.1 400 ")
    assert peer.ended()


def test_half_a_head_and_silence_ends_after_ten_seconds(rig: Rig) -> None:
    silent, half = rig.begin(), rig.begin()
    half.send(head()[:50])
    rig.run()
    rig.later(9)
    assert half.read() == b""
    rig.later(2)
    assert half.read().startswith(b"HTTP/1.1 408 ")
    assert silent.read().startswith(b"HTTP/1.1 408 ")


def test_what_is_not_ws_is_handed_over_with_all_that_was_read(rig: Rig) -> None:
    import os

    from engine.wire.protocol import HTTP

    peer = rig.begin()
    request = b"POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
    peer.send(request)
    events = rig.turn()
    assert [(kind, data) for kind, _, _, data in events] == [(HTTP, request)]
    fd = events[0][1]
    assert rig.reactor.connections == 0
    os.write(fd, b"still open")
    os.close(fd)
    assert peer.read() == b"still open"
