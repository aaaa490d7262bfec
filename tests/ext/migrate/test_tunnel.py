"""Test the bytes of a tunnel: unchanged to the home, whole frames to the client, whichever end is lost; memory is bounded."""

import socket
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.wire.protocol import HALVED, TUNNEL_BROKE, TUNNEL_CLOSED, TUNNEL_ENDED, TUNNEL_LEFT, UNTUNNELLED
from ext.migrate.tunnel_transfer import RECORD_MAX, record_frame
from ext.reactor import debug_hooks
from tests.ext.net.rig import CLOSE, FIND, PING, TEXT, Peer, Rig, frame, random_bytes
from tests.ext.net.tunnels import drained, ended, hangs_up, mixed, piped, piped_from, records, said, sockets, whole
from tests.support.groups import examples

pytestmark = pytest.mark.usefixtures("no_descriptor_stays")

SMALL = 4096
# what a home may say of each kind of header, and a record: small, so that each byte is a cut
STREAM = (
    (TEXT, b""),
    (TEXT, b"x" * 3),
    (3, b"a record"),
    (PING, b"?"),
    (TEXT, b"y" * 126),
    (3, b""),
    (TEXT, b"z"),
)
BIG = ((TEXT, b"a" * 65_535), (TEXT, b"b" * 65_536), (3, b"c" * 70_000), (TEXT, b"end"))


def reset(peer: Peer) -> None:
    """This end of a TCP connection breaks off."""
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.sock.close()


# ---- both ways


def test_bytes_go_both_ways(rig: Rig) -> None:
    client, home = piped(rig)
    assert (rig.reactor.tunnels, rig.reactor.online, rig.reactor.connections) == (1, 0, 2)
    data = frame(FIND) + frame(b"x" * 200)[:50]
    client.send(data)
    rig.run()
    assert home.read() == data
    home.send(said(b"hello", b"there"))
    rig.run()
    assert client.frames() == [(TEXT, b"hello"), (TEXT, b"there")]
    assert rig.events == []
    counts = rig.reactor.counters()
    assert (counts["tunnelled"], counts["tunnel_bytes"]) == (2, len(data) + len(said(b"hello", b"there")))
    assert (counts["bytes_in"], counts["bytes_out"]) == (len(data), len(said(b"hello", b"there")))
    assert "piped [counted]" in rig.reactor.describe(client.number)


def test_an_open_connection_goes_on_as_a_tunnel(rig: Rig) -> None:
    client, home = piped_from(rig)
    client.say(FIND)
    rig.run()
    assert home.read() == frame(FIND)
    home.send(said(b"matched"))
    rig.run()
    assert client.texts() == [b"matched"]


def test_what_waited_at_the_start_comes_first(rig: Rig) -> None:
    client, home = piped(rig, to_client=said(b"first"), to_home=frame(b"before")[:4])
    client.send(frame(b"before")[4:])
    home.send(said(b"second"))
    rig.run()
    assert client.texts() == [b"first", b"second"]
    assert home.read() == frame(b"before")


def test_calls_for_an_open_connection_do_nothing_to_a_tunnel(rig: Rig) -> None:
    client, _ = piped(rig)
    rig.reactor.send(client.number, b"x")
    rig.reactor.close(client.number, 1000, None)
    rig.reactor.adopt(client.number, "another")
    assert rig.reactor.release(client.number) is None
    rig.run()
    assert client.read() == b""
    assert rig.reactor.tunnels == 1


# ---- only whole frames to the client


def cuts(data: bytes) -> list[int]:
    """Every byte of a small stream; of a large one those around headers and ends."""
    if len(data) < 2000:
        return list(range(len(data) + 1))
    found, at = set[int](), 0
    for opcode, payload in BIG:
        size = len(mixed([(opcode, payload)]))
        found |= {*range(at, at + 12), at + size // 2, *range(at + size - 2, at + size)}
        at += size
    return sorted({at for at in found if at <= len(data)} | {len(data)})


@pytest.mark.parametrize("parts", [STREAM, BIG])
def test_a_stream_that_is_cut_at_any_byte_comes_whole(rig: Rig, parts: tuple[tuple[int, bytes], ...]) -> None:
    data = mixed(parts)
    client, home = piped(rig)
    for at in cuts(data):
        for part, expected in ((data[:at], whole(data[:at])), (data[at:], None)):
            home.send(part)
            rig.run()
            if expected is not None:
                came = client.read()
                assert came == expected[0]
                assert records(rig) == expected[1]
        assert came + client.read() == whole(data)[0]
        assert records(rig) == whole(data)[1][len(expected[1] if expected else whole(data[:at])[1]) :]
    assert rig.events == []


@pytest.mark.parametrize("parts", [STREAM, BIG])
def test_a_home_that_ends_at_any_byte_leaves_the_client_whole_frames(
    rig: Rig, parts: tuple[tuple[int, bytes], ...]
) -> None:
    data = mixed(parts)
    for at in cuts(data):
        client, home = piped(rig)
        home.send(data[:at])
        home.sock.close()
        rig.run()
        out, told, clean = whole(data[:at])
        assert client.read() == out
        assert records(rig) == told
        assert ended(rig) == [TUNNEL_ENDED if clean else TUNNEL_BROKE]
        assert not client.ended()
        client.sock.close()
        rig.run()
        assert ended(rig) == [TUNNEL_LEFT]


@pytest.mark.parametrize(
    "wrong",
    [
        b"\x01\x01x", b"\x91\x01x", b"\xc1\x01x", b"\x81\x81\0\0\0\0x", b"\x81\x7f\0\0\0\0\0\4\0\1", b"\x83\x7f\0\0\0\0\0\4\0\1",
        b"\x81\x7f" + b"\xff" * 8,
    ],
)  # fmt: skip
def test_what_no_home_says_breaks_the_tunnel_behind_what_was_right(rig: Rig, wrong: bytes) -> None:
    client, home = piped(rig)
    home.send(said(b"right") + wrong)
    rig.run()
    assert ended(rig) == [TUNNEL_BROKE]
    assert client.texts() == [b"right"]
    assert hangs_up(rig, home)


def test_a_record_of_the_largest_size_comes_in_pieces_between_the_clients_frames(rig: Rig) -> None:
    client, home = piped(rig)
    record = random_bytes(RECORD_MAX)
    home.send(said(b"before") + record_frame(record) + said(b"behind"))
    rig.run()
    assert client.texts() == [b"before", b"behind"]
    assert records(rig) == [record]
    home.send(said(b"x" * RECORD_MAX))
    rig.run()
    assert drained(rig, client) == said(b"x" * RECORD_MAX)


# ---- ends


@pytest.mark.parametrize("how", ["close", "reset", "half"])
def test_a_client_that_goes_is_gone_for_the_home_at_once_which_is_heard_to_its_end(rig: Rig, how: str) -> None:
    """The home may be sending the session back."""
    client, home = piped(rig, inet=True)
    client.send(frame(b"bye"))
    rig.run()
    goes(client, how)
    rig.run()
    assert home.read() == frame(b"bye")
    assert home.ended()
    assert rig.events == [(HALVED, client.number, client, None)]
    assert (rig.reactor.release_tunnel(client.number), rig.reactor.unpipe(client.number)) == (None, None)
    home.send(said(b"too late") + record_frame(b"the session"))
    home.sock.close()
    rig.run()
    assert records(rig) == [b"the session"]
    assert rig.events[1:] == [(UNTUNNELLED, client.number, client, TUNNEL_LEFT)]
    assert "gone" in rig.reactor.describe(client.number)


def goes(client: Peer, how: str) -> None:
    """A client goes, in one of three ways."""
    if how == "reset":
        reset(client)
    elif how == "half":
        client.sock.shutdown(socket.SHUT_WR)
    else:
        client.sock.close()


@pytest.mark.parametrize("last", [b"", said((1001).to_bytes(2), opcode=CLOSE), b"\0"])
def test_a_home_whose_client_is_gone_is_heard_for_three_seconds_or_until_it_closes(rig: Rig, last: bytes) -> None:
    client, home = piped(rig)
    client.sock.close()
    rig.run()
    rig.later(2)
    assert ended(rig) == []
    if last:
        home.send(last)
        rig.run()
    else:
        rig.later(2)
    assert ended(rig) == [TUNNEL_LEFT]
    assert rig.reactor.connections == 0


def test_a_client_that_said_goodbye_and_goes_is_gone_at_once(rig: Rig) -> None:
    client, home = piped(rig)
    client.send(frame((1000).to_bytes(2), CLOSE))
    client.sock.close()
    rig.run()
    assert ended(rig) == [TUNNEL_LEFT]
    assert hangs_up(rig, home)


def test_a_home_that_breaks_off_is_told_behind_what_it_said(rig: Rig) -> None:
    client, home = piped(rig, inet=True)
    home.send(said(b"last") + said(b"cut")[:3])
    rig.run()
    reset(home)
    rig.run()
    assert ended(rig) == [TUNNEL_BROKE]
    assert client.texts() == [b"last"]


def test_a_home_that_is_gone_is_found_by_what_the_client_says(rig: Rig) -> None:
    client, home = piped(rig)
    home.send(said(b"last"))
    home.sock.close()
    client.send(frame(b"x"))
    rig.run()
    assert ended(rig) in ([TUNNEL_ENDED], [TUNNEL_BROKE])
    assert client.texts() == [b"last"]


@pytest.mark.parametrize("ends", [True, False])
def test_a_connection_that_the_home_closes_ends_as_one_of_ours(rig: Rig, ends: bool) -> None:
    client, home = piped(rig)
    home.send(said(b"banned") + said((4003).to_bytes(2), opcode=CLOSE) + b"never seen")
    if ends:
        home.sock.close()
    rig.run()
    assert ended(rig) == [TUNNEL_CLOSED]
    assert client.frames() == [(TEXT, b"banned"), (CLOSE, (4003).to_bytes(2))]
    assert client.ended()
    assert ends or home.ended()
    assert rig.reactor.unpipe(client.number) is None
    assert rig.reactor.tunnels == 0
    rig.later(4)
    assert rig.reactor.connections == 0


def test_a_close_is_sent_whole_to_a_client_that_takes_a_little_at_a_time(rig: Rig) -> None:
    client, home = piped(rig, SMALL)
    home.send(said(*[b"x" * 1000] * 40) + said((1012).to_bytes(2), opcode=CLOSE))
    rig.run()
    assert ended(rig) == [TUNNEL_CLOSED]
    assert drained(rig, client) == said(*[b"x" * 1000] * 40) + said((1012).to_bytes(2), opcode=CLOSE)
    assert client.ended()


def test_a_client_that_closed_is_not_kept_for_a_home_that_is_gone(rig: Rig) -> None:
    client, home = piped(rig)
    client.send(frame((1000).to_bytes(2), CLOSE))
    rig.run()
    home.sock.close()
    rig.run()
    assert ended(rig) == [TUNNEL_LEFT]
    assert client.ended()


def test_who_is_not_taken_out_in_three_seconds_is_closed(rig: Rig) -> None:
    client, home = piped(rig)
    home.sock.close()
    rig.run()
    assert ended(rig) == [TUNNEL_ENDED]
    rig.later(2)
    assert not client.ended()
    rig.later(2)
    assert client.ended()
    assert ended(rig) == [TUNNEL_LEFT]


def test_a_client_that_hangs_up_after_its_home_is_told_too(rig: Rig) -> None:
    client, home = piped(rig, inet=True)
    home.sock.close()
    rig.run()
    reset(client)
    rig.run()
    assert ended(rig) == [TUNNEL_ENDED, TUNNEL_LEFT]
    assert rig.reactor.connections == 0


@pytest.mark.parametrize("ending", ["home", "client", "record", "wrong"])
def test_an_end_for_which_there_is_no_memory_is_told_all_the_same(rig: Rig, ending: str) -> None:
    client, home = piped(rig)
    debug_hooks.starve(rig.reactor, 0)
    if ending in ("home", "client"):
        (home if ending == "home" else client).sock.close()
    else:
        home.send(record_frame(b"x") if ending == "record" else b"\0")
    rig.run()
    home.sock.close()  # the client's end is reported once the home has closed
    rig.run()
    assert [event[:3] for event in rig.events] == [(UNTUNNELLED, client.number, client)]
    assert ended(rig) == [TUNNEL_LEFT]
    assert rig.reactor.connections == 0
    debug_hooks.starve(rig.reactor, 1000)


def test_a_reactor_that_goes_closes_its_tunnels() -> None:
    made = Rig()
    client, home = piped(made)
    alone, gone = piped(made)
    gone.sock.close()
    client.send(frame(b"x")[:3])
    home.send(said(b"y")[:2])
    made.run()
    home.read()
    del made.reactor
    assert client.ended()
    assert home.ended()
    assert alone.ended()
    for peer in made.peers:
        peer.sock.close()


# ---- anything, anyhow


Payloads = st.one_of(
    st.binary(max_size=8),
    st.integers(120, 130).map(lambda n: b"m" * n),
    st.integers(65_530, 65_540).map(lambda n: b"l" * n),
)
Parts = st.lists(st.tuples(st.sampled_from((TEXT, TEXT, PING, 3)), Payloads), max_size=6)


@settings(max_examples=examples(120), deadline=None)
@given(
    parts=Parts,
    up=st.binary(max_size=300),
    end=st.integers(0, 1 << 20),
    cuts=st.lists(st.integers(0, 1 << 20), max_size=5),
)
def test_what_comes_is_what_a_parser_makes_of_all_that_was_sent(
    parts: list[tuple[int, bytes]], up: bytes, end: int, cuts: list[int]
) -> None:
    """Random frames, cut anyhow, both ways at once, the home gone at any byte."""
    rig = Rig()
    client, home = piped(rig, to_home=up[:7])
    stream = mixed(parts)
    stream = stream[: end % (len(stream) + 1)]
    points = sorted(at % (len(stream) + 1) for at in cuts)
    came = heard = b""
    for start, stop in zip([0, *points], [*points, len(stream)], strict=True):
        home.send(stream[start:stop])
        client.send(up[7 + start : 7 + stop])
        rig.run()
        came, heard = came + drained(rig, client), heard + home.read()
        assert came == whole(stream[:stop])[0]
    client.send(up[7 + len(stream) :])
    rig.run()
    assert heard + home.read() == up
    assert records(rig) == whole(stream)[1]
    home.sock.close()
    rig.run()
    assert ended(rig) == [TUNNEL_ENDED if whole(stream)[2] else TUNNEL_BROKE]
    assert client.read() == b""
    rig.close()


def test_a_pair_of_sockets_without_a_reactor_is_no_tunnel(rig: Rig) -> None:
    for number in (0, 1 << 60, rig.dial().number):
        assert rig.reactor.unpipe(number) is None
        assert rig.reactor.release_tunnel(number) is None
        assert not rig.reactor.half_close(number)
    one, other = sockets()
    one.close()
    other.close()
