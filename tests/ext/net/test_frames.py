"""Test frames against wsproto: what RFC 6455 section 5 allows passes, what it forbids has a close code."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Message, Ping, Pong, Request, TextMessage
from wsproto.frame_protocol import FrameProtocol

from ext.reactor.debug_hooks import build, read_header
from tests.ext.net.rig import BINARY, CLOSE, PING, PONG, TEXT, Rig, frame
from tests.support.groups import examples

LIMIT = 1 << 20


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 70000])
def test_a_header_in_its_shortest_form_is_read(size: int) -> None:
    data = frame(b"x" * size)
    verdict, opcode, fin, length, mask = read_header(data, LIMIT)
    assert (verdict + length, opcode, fin, length, mask) == (len(data), TEXT, True, size, b"\x01\x02\x03\x04")


@pytest.mark.parametrize(
    ("why", "data", "code"),
    [
        ("a reserved bit", b"\xc1\x80\0\0\0\0", 1002),
        ("a reserved bit, second", b"\xa1\x80\0\0\0\0", 1002),
        ("a reserved bit, third", b"\x91\x80\0\0\0\0", 1002),
        ("an unknown data opcode", b"\x83\x80\0\0\0\0", 1002),
        ("an unknown control opcode", b"\x8b\x80\0\0\0\0", 1002),
        ("no mask", b"\x81\x05hello", 1002),
        ("a control frame in pieces", b"\x09\x80\0\0\0\0", 1002),
        ("a control frame of 126 bytes", b"\x89\xfe\x00\x7e\0\0\0\0", 1002),
        ("126 as two bytes for 125", b"\x81\xfe\x00\x7d\0\0\0\0", 1002),
        ("eight bytes for 65,535", b"\x81\xff" + (65535).to_bytes(8) + b"\0\0\0\0", 1002),
        ("the highest bit of a length", b"\x81\xff" + (1 << 63).to_bytes(8) + b"\0\0\0\0", 1002),
        ("more than the limit", b"\x81\xff" + (LIMIT + 1).to_bytes(8) + b"\0\0\0\0", 1009),
    ],
)
def test_a_header_that_the_protocol_forbids_has_a_close_code(why: str, data: bytes, code: int) -> None:
    assert read_header(data, LIMIT)[0] == -code, why


def test_a_header_that_is_not_whole_waits_for_more() -> None:
    for size in (5, 200, 70000):
        whole = frame(b"x" * size)
        needed = len(whole) - size
        for cut in range(needed):
            assert read_header(whole[:cut], LIMIT)[0] == 0
        assert read_header(whole[:needed], LIMIT)[0] == needed


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536, 200000])
def test_what_the_server_builds_an_independent_client_reads(size: int) -> None:
    protocol = FrameProtocol(client=True, extensions=[])
    payload = bytes(index % 251 for index in range(size))
    protocol.receive_bytes(build(BINARY, payload))
    found = b"".join(bytes(part.payload) for part in protocol.received_frames())
    assert found == payload


def converse(rig: Rig, packets: int, send: list[Message | Ping]) -> list[object]:
    """What an independent client hears from the echo after it sent `send`, in packets of `packets` bytes (0: all at once)."""
    peer = rig.begin()
    client = WSConnection(ConnectionType.CLIENT)

    def pour(data: bytes) -> None:
        step = packets or max(1, len(data))
        for at in range(0, len(data), step):
            peer.send(data[at : at + step])
            if packets:
                rig.run()
        rig.run()

    pour(client.send(Request(host="localhost", target="/ws")))
    client.receive_data(peer.read())
    assert isinstance(next(client.events()), AcceptConnection)
    pour(b"".join(client.send(event) for event in send) + client.send(CloseConnection(code=1000, reason="bye")))
    client.receive_data(peer.read())
    heard: list[object] = []
    for event in client.events():
        if isinstance(event, Message) and heard and isinstance(heard[-1], Message) and not heard[-1].message_finished:
            heard[-1] = type(event)(data=heard[-1].data + event.data, message_finished=event.message_finished)
        else:
            heard.append(event)
    return heard


@pytest.mark.parametrize("packets", [1, 7, 0])
def test_an_independent_client_converses(echo: Rig, packets: int) -> None:
    sent: list[Message | Ping] = [
        TextMessage(data="hello"),
        BytesMessage(data=bytes(range(256)) * 2),
        TextMessage(data="pie", message_finished=False),
        Ping(payload=b"in between"),
        TextMessage(data="ces …", message_finished=True),
        TextMessage(data=""),
    ]
    heard = converse(echo, packets, sent)
    assert [type(event) for event in heard] == [
        TextMessage,
        BytesMessage,
        Pong,
        TextMessage,
        TextMessage,
        CloseConnection,
    ]
    assert heard[0].data == "hello"  # type: ignore[attr-defined]
    assert bytes(heard[1].data) == bytes(range(256)) * 2  # type: ignore[attr-defined]
    assert bytes(heard[2].payload) == b"in between"  # type: ignore[attr-defined]
    assert heard[3].data == "pieces …"  # type: ignore[attr-defined]
    assert heard[5].code == 1000  # type: ignore[attr-defined]


@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[*settings().suppress_health_check, HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.one_of(st.text(max_size=300), st.binary(max_size=300)), max_size=6), st.integers(0, 9))
def test_whatever_an_independent_client_says_comes_back(echo: Rig, said: list[str | bytes], packets: int) -> None:
    sent: list[Message | Ping] = [
        TextMessage(data=part) if isinstance(part, str) else BytesMessage(data=part) for part in said
    ]
    heard = converse(echo, packets, sent)
    assert [part.data if isinstance(part, TextMessage) else bytes(part.data) for part in heard[:-1]] == said  # type: ignore[attr-defined]


@settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[*settings().suppress_health_check, HealthCheck.function_scoped_fixture],
)
@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_close_code_or_wait_for_more(echo: Rig, junk: bytes) -> None:
    peer = echo.dial()
    peer.send(junk)
    echo.run()
    closes = [int.from_bytes(payload[:2]) for opcode, payload in peer.frames() if opcode == CLOSE and len(payload) >= 2]
    assert set(closes) <= {1002, 1007, 1009} | set(range(1000, 5000))
    peer.sock.close()
    echo.run()


def close_of(rig: Rig, data: bytes) -> int:
    """The close code that `data` earns."""
    peer = rig.dial()
    peer.send(data)
    rig.run()
    opcode, payload = peer.frames()[-1]
    assert opcode == CLOSE
    assert peer.ended()
    return int.from_bytes(payload[:2])


@pytest.mark.parametrize(
    ("why", "data", "code"),
    [
        ("a continuation of nothing", frame(b"x", opcode=0), 1002),
        ("a message within a message", frame(b"a", fin=False) + frame(b"b"), 1002),
        ("text that is not UTF-8", frame(b"\xff"), 1007),
        ("a surrogate", frame(b"\xed\xa0\x80"), 1007),
        ("an overlong form", frame(b"\xc0\xaf"), 1007),
        ("a character cut at the end", frame("é".encode()[:1]), 1007),
        ("a close of one byte", frame(b"\x03", CLOSE), 1002),
        ("a close with 1005", frame((1005).to_bytes(2), CLOSE), 1002),
        ("a close with 999", frame((999).to_bytes(2), CLOSE), 1002),
        ("a close whose reason is not UTF-8", frame((1000).to_bytes(2) + b"\xff", CLOSE), 1007),
        ("a frame over the limit", frame(b"x" * ((1 << 20) + 1), BINARY), 1009),
        ("pieces over the limit", frame(b"x" * (1 << 19), BINARY, fin=False) + frame(b"x" * ((1 << 19) + 1), 0), 1009),
    ],
)
def test_a_broken_message_closes_its_connection(echo: Rig, why: str, data: bytes, code: int) -> None:
    assert close_of(echo, data) == code, why


def test_text_that_is_not_utf_8_is_refused_at_the_end_of_its_message(echo: Rig) -> None:
    peer = echo.dial()
    peer.send(frame(b"\xff", fin=False) + frame(b"!", PING))
    echo.run()
    assert peer.frames() == [(PONG, b"!")]
    assert not peer.ended()
    peer.send(frame(b"a", opcode=0))
    echo.run()
    opcode, payload = peer.frames()[-1]
    assert (opcode, int.from_bytes(payload[:2])) == (CLOSE, 1007)


def test_a_character_may_be_cut_between_pieces(echo: Rig) -> None:
    peer = echo.dial()
    e = "é".encode()
    peer.send(frame(e[:1], fin=False) + frame(b"!", PING) + frame(e[1:], opcode=0))
    echo.run()
    assert peer.frames() == [(PONG, b"!"), (TEXT, e)]


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1011, 1012, 1014, 3000, 4999])
def test_an_allowed_close_is_answered_with_its_own_code(echo: Rig, code: int) -> None:
    assert close_of(echo, frame(code.to_bytes(2) + "tschüß".encode(), CLOSE)) == code
