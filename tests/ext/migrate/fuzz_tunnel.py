"""Fuzz both directions of a tunnel, in packets of any size, against a reference that splits frames. Also a target of `make fuzz`.

**Invariant:** an input spells steps; a step is a byte that chooses, and its arguments.
"""

from collections.abc import Hashable

from ext.migrate.tunnel_transfer import record_frame
from tests.ext.net.rig import BINARY, CLOSE, FIND, LEAVE, PING, Rig, frame, split
from tests.ext.net.tunnels import ended, piped, records, said, unpiped, whole
from tests.support.fuzzing import Choices

CLIENT = (
    frame(FIND), frame(LEAVE), frame(b"?", PING), frame(b"[1,", fin=False), frame(b"2]", 0), frame(b"x" * 200), frame(b"\x03\xe8", CLOSE),
    frame(b'{"type": "leave"}'), frame(b"", BINARY), frame(b"y" * 5000),
)  # fmt: skip
HOME = (
    said(b'{"type":"matched"}'), said(b'{"type":"left"}'), said(b"?", opcode=PING), record_frame(b"a record"), record_frame(b""), said(b"z" * 126),
    said(b'{"type":"resumed","chat":"c"}'), said(b"\x03\xe8", opcode=CLOSE), said(b"w" * 70_000), said(b""),
)  # fmt: skip
WORDS = (
    b"\x00\x03",
    b"\x10\x05\x80",
    b"\x20\x00",
    b"\x30\x03\x40",
    b"\x40\0\x04\x81\x80\0\0",
    b"\x50\0\x04\x81\x7e\0\0",
    b"\x60\0",
    b"\x80\x14",
)
STEPS_MAX = 48


def seeds() -> list[bytes]:
    """Return steps in each direction: whole, cut, broken, and each way to end."""
    both = bytes(byte for which in range(10) for byte in (0x00, which, 0x20, which))
    cut = bytes(byte for which in range(10) for byte in (0x10, which, 90, 0x30, which, 90))
    ends = [
        b"\x00\x03\x20\x00\x60\0",
        b"\x20\x04\x00\x05\x70\0",
        b"\x40\0\x04\x81\x80\0\0\x80\x14",
        b"\x50\0\x04\x8f\x7e\0\0\x20\0",
    ]
    return [both, cut, *ends]


class Tried:
    """A tunnel and its two far ends; what each sent and received."""

    def __init__(self) -> None:
        self.rig = Rig()
        self.client, self.home = piped(self.rig)
        self.open = True
        self.sent, self.heard, self.told = b"", b"", list[bytes]()
        self.up, self.passed = b"", b""

    def step(self, kind: int, which: int, choices: Choices) -> None:
        """Take one step: a part of a frame, or any bytes, of an end; its end; or time."""
        if kind < 4:
            part = (CLIENT, HOME)[kind >> 1][which % 10]
            self.send(kind >> 1, part[: choices.byte() * len(part) // 255] if kind & 1 else part)
        elif kind < 6:
            self.send(kind & 1, choices.bytes(64))
        elif kind < 8:
            (self.client, self.home)[kind & 1].sock.close()
            self.open = False
        else:
            self.rig.later(which % 60)
        self.rig.run()
        if self.open:
            self.heard += self.client.read()
            self.passed += self.home.read()
            self.told += records(self.rig)

    def send(self, end: int, data: bytes) -> None:
        """Send bytes from the client (0) or the home (1)."""
        (self.client, self.home)[end].send(data)
        if end:
            self.sent += data
        else:
            self.up += data


def fuzz(data: bytes) -> Hashable:
    """Run the steps; compare what each end received with what was sent to it, as long as both stay."""
    choices, tried = Choices(data), Tried()
    for _ in range(STEPS_MAX):
        if not choices or not tried.open:
            break
        tried.step(choices.byte() >> 4, choices.byte(), choices)
    over = ended(tried.rig)
    if tried.open:
        frames, told, _ = whole(tried.sent)
        assert frames.startswith(tried.heard)
        assert told[: len(tried.told)] == tried.told
        assert tried.up.startswith(tried.passed)
        assert over or (frames, told) == (tried.heard, tried.told)
        split(tried.heard)
        other = Rig()
        if not over:
            unpiped(tried.client, other)
        other.close()
    tried.rig.close()
    return tuple(over), len(tried.heard) > 0, len(tried.told)
