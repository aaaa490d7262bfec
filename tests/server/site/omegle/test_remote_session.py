"""The wire of a client whose session is elsewhere: what is said and heard is whole, wherever bytes are cut and whichever process has its end."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator

import pytest

from engine.wire.protocol import CLOSE_LEFT, CLOSE_NONE
from server.site.omegle.remote_session import (
    CLOSE,
    FRAME_MAX,
    PING,
    PONG,
    TEXT,
    UNTAKEN_MAX,
    SessionWire,
    WireState,
    encode_frame,
    take_frames,
)
from tests.server.fleet.migrate.rig import until

RESTART = 1012


class Ends:
    """A wire, and who has its other end."""

    def __init__(self) -> None:
        self.heard: list[bytes | int] = []
        self.wire = SessionWire(self.heard.extend)
        self.sock = socket.socket(fileno=self.wire.open())
        self.read = bytearray()

    def says(self, opcode: int, payload: bytes) -> None:
        """As a server."""
        self.sock.send(served(opcode, payload))

    def told(self) -> list[tuple[int, bytes]]:
        """What came of the client: whole frames, without their masks, which are none."""
        found = []
        try:
            while data := self.sock.recv(1 << 20):
                self.read += data
        except BlockingIOError:
            pass
        while len(self.read) >= 6:
            size, at = self.read[1] & 127, 2
            if size >= 126:
                at = 4 if size == 126 else 10
                size = int.from_bytes(self.read[2:at])
            assert self.read[1] & 128
            assert self.read[at : at + 4] == bytes(4)
            if len(self.read) < at + 4 + size:
                break
            found.append((self.read[0] & 15, bytes(self.read[at + 4 : at + 4 + size])))
            del self.read[: at + 4 + size]
        return found


def served(opcode: int, payload: bytes) -> bytes:
    """A frame of a server."""
    size = len(payload)
    if size < 126:
        return bytes((128 | opcode, size)) + payload
    return (
        struct.pack(">BBH", 128 | opcode, 126, size) if size < 65_536 else struct.pack(">BBQ", 128 | opcode, 127, size)
    ) + payload


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    made = Ends()
    yield made
    made.wire.leave()
    made.sock.close()


SIZES = (0, 1, 125, 126, 65_535, 65_536, 100_000)


async def test_texts_of_any_size_go_both_ways(ends: Ends) -> None:
    for size in SIZES:
        ends.says(TEXT, b"x" * size)
        await until(lambda: ends.heard)
        assert ends.heard == [b"x" * size]
        ends.heard.clear()
        assert ends.wire.say(b"y" * size)
        found: list[tuple[int, bytes]] = []
        await until(lambda: found.extend(ends.told()) or found)  # noqa: B023 - awaited at once
        assert found == [(TEXT, b"y" * size)]


@pytest.mark.parametrize("size", [3, 200, 70_000])
def test_a_frame_is_taken_whole_or_not_yet(size: int) -> None:
    frame = served(TEXT, b"x" * size)
    for cut in {*range(min(12, len(frame))), size // 2, len(frame) - 1}:
        unread = bytearray(frame[:cut])
        assert list(take_frames(unread)) == []
        unread += frame[cut:] + b"\x81"
        assert list(take_frames(unread)) == [(TEXT, b"x" * size)]
        assert unread == b"\x81"


async def test_a_ping_is_answered_and_what_is_not_known_is_passed_over(ends: Ends) -> None:
    ends.says(PING, b"there?")
    ends.says(PONG, b"")
    ends.says(3, b"a record")
    ends.says(TEXT, b"{}")
    await until(lambda: ends.heard)
    assert ends.heard == [b"{}"]
    assert ends.told() == [(PONG, b"there?")]


@pytest.mark.parametrize(
    ("said", "code"),
    [(served(CLOSE, struct.pack(">H", RESTART)), RESTART), (served(CLOSE, b""), CLOSE_NONE), (b"", CLOSE_NONE)],
)
async def test_an_end_is_heard_once_behind_what_was_said_before(ends: Ends, said: bytes, code: int) -> None:
    ends.sock.send(served(TEXT, b"the last") + said + (said and served(TEXT, b"no more")))
    if not said:
        ends.sock.shutdown(socket.SHUT_WR)
    await until(lambda: not ends.wire.is_open)
    assert ends.heard == [b"the last", code]
    assert not ends.wire.say(b"{}")


async def test_a_frame_that_no_server_sends_ends_it(ends: Ends) -> None:
    ends.sock.send(struct.pack(">BBQ", 128 | TEXT, 127, FRAME_MAX + 1))
    await until(lambda: not ends.wire.is_open)
    assert ends.heard == [CLOSE_NONE]


async def test_who_leaves_says_so(ends: Ends) -> None:
    ends.says(TEXT, b"unread")
    ends.wire.leave()
    assert ends.told() == [(CLOSE, struct.pack(">H", CLOSE_LEFT))]
    assert ends.sock.recv(1) == b""
    assert ends.heard == []
    ends.wire.leave()
    assert ends.wire.release() is None


async def test_only_so_much_waits_to_be_taken_and_nothing_of_it_is_lost(ends: Ends) -> None:
    said = 0
    while ends.wire.say(b"%06d" % said + bytes(10_000)):
        said += 1
    assert said * 10_000 > UNTAKEN_MAX
    found: list[tuple[int, bytes]] = []
    await until(lambda: found.extend(ends.told()) or len(found) == said)
    assert [int(payload[:6]) for _, payload in found] == list(range(said))
    assert ends.wire.say(b"{}")


async def test_nothing_is_read_while_it_is_held(ends: Ends) -> None:
    ends.wire.hold(True)
    ends.says(TEXT, b"later")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert ends.heard == []
    ends.wire.hold(False)
    await until(lambda: ends.heard)
    assert ends.heard == [b"later"]


@pytest.mark.parametrize("cut", range(1, 7))
async def test_another_process_goes_on_in_the_middle_of_a_frame(ends: Ends, cut: int) -> None:
    frame = served(TEXT, b"hello")
    ends.sock.send(served(TEXT, b"first") + frame[:cut])
    await until(lambda: ends.heard)
    while ends.wire.say(bytes(10_000)):
        pass
    parted = ends.wire.release()
    assert parted is not None
    assert not ends.wire.is_open
    heard: list[bytes | int] = []
    other = SessionWire(heard.extend)
    other.take(WireState(*parted))
    ends.sock.send(frame[cut:])
    found: list[tuple[int, bytes]] = []
    await until(lambda: heard and not found.extend(ends.told()) and not other._untaken)
    assert other.say(b"last")
    await until(lambda: found.extend(ends.told()) or found[-1] == (TEXT, b"last"))
    assert {payload for _, payload in found[:-1]} == {bytes(10_000)}
    assert (ends.heard, heard) == ([b"first"], [b"hello"])
    other.leave()


def test_a_client_masks_what_it_says() -> None:
    assert encode_frame(TEXT, b"hi") == b"\x81\x82\x00\x00\x00\x00hi"
