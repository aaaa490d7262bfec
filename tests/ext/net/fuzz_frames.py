"""Fuzz frames in packets of any size: an echo against wsproto, and a chat whose partner must receive exactly the correct messages.

**Invariant:** an input spells steps; a step is a byte that chooses, and its arguments. Also a target of `make fuzz`.
"""

import json
from collections.abc import Hashable

from wsproto.frame_protocol import CloseReason, FrameProtocol, Opcode, ParseFailed

from engine.wire.protocol import FRAME
from ext.accept.handshake import Judge
from ext.net.chat_ring import Rings
from ext.reactor import debug_hooks
from tests.ext.net.rig import BINARY, CLOSE, FIND, LEAVE, PING, PONG, TEXT, Peer, Rig, frame, pair, split
from tests.support.fuzzing import Choices

LIMIT = 1 << 16
OPCODES = (TEXT, TEXT, TEXT, 0, 0, BINARY, PING, PONG, CLOSE)
CANNED = (
    b'{"type":"message","text":"hi"}', b'{"type":"message","text":"hi","id":"a"}', b'{"type":"typing","typing":true}', b'{"type":"ping"}',
    FIND, LEAVE,
    b'{"type": "message", "text": "\\u00e9"}', b"\x03\xe8", b"\x03\xe8bye", b"\xff", b"", b"\xe2\x80", b"\xa6",
)  # fmt: skip
WORDS = (
    *CANNED,
    b"\0\0",
    b"\x10\1",
    b"\x20\2",
    b"\x30\3",
    b"\x41",
    b"\x52",
    b"\x63",
    b"\x70\x05hello",
    b"\x87\x80",
    b"\x88\x90",
    b"\x81\x85\0\0\0\0",
)


def wire(choices: Choices) -> list[bytes]:
    """Return packets: frames of any kind, whole, cut or broken, one or more in each."""
    packets = [b""]
    while choices and len(packets) < 60:
        choice = choices.byte()
        opcode, fin = OPCODES[choice % 9], choice < 0xC0
        kind = choices.byte()
        if kind < 128:
            data = frame(CANNED[kind % len(CANNED)], opcode, fin, bytes((choice, kind, 0, 9)))
        elif kind < 216:
            data = frame(choices.bytes(LIMIT + 1), opcode, fin, b"\0\0\0\0")
        elif kind < 232:
            data = choices.bytes(64)
        else:
            packets.append(b"")
            continue
        packets[-1] += data
    return packets


class Oracle:
    """wsproto's reading of the same bytes: messages, pings, and the close code."""

    def __init__(self) -> None:
        self._protocol = FrameProtocol(client=False, extensions=[])
        self._message = b""
        self._opcode = 0
        self.heard: list[tuple[int, bytes]] = []
        self.code = 0  # 0: the connection is open

    def take(self, data: bytes) -> None:
        """Read further bytes; those after a close are ignored."""
        self._protocol.receive_bytes(data)
        try:
            for part in self._protocol.received_frames():
                if self.code:
                    return
                self._frame(part.opcode, part.payload, part.frame_finished, part.message_finished)
        except ParseFailed as failed:
            self.code = self.code or int(failed.code)

    def _frame(self, opcode: Opcode, payload: object, whole: bool, over: bool) -> None:
        if opcode is Opcode.CLOSE:
            code, _ = payload  # type: ignore[misc]
            self.code = 1000 if code is CloseReason.NO_STATUS_RCVD else int(code)
        elif opcode is Opcode.PING:
            self.heard.append((PONG, bytes(payload)))  # type: ignore[call-overload]
        elif opcode in {Opcode.TEXT, Opcode.BINARY, Opcode.CONTINUATION}:
            self._opcode = TEXT if opcode is Opcode.TEXT else BINARY if opcode is Opcode.BINARY else self._opcode
            self._message += payload.encode() if isinstance(payload, str) else bytes(payload)  # type: ignore[call-overload]
            if len(self._message) > LIMIT:
                self.code = 1009
            elif whole and over:
                self.heard.append((self._opcode, self._message))
                self._message = b""


def echoed(packets: list[bytes]) -> Hashable:
    """Check that the echo equals wsproto's result, in order, and ends at the same place."""
    rig = Rig(Judge(hosts=["*"], origins=["*"], proxies=[]), message_max=LIMIT)
    rig.echoes = True
    debug_hooks.echo(rig.reactor)
    peer, oracle, heard = rig.dial(), Oracle(), b""
    for data in packets:
        peer.send(data)
        rig.run()
        heard += peer.read()
        oracle.take(data)
    frames = split(heard)
    said = [part for part in frames if part[0] != CLOSE]
    closes = [int.from_bytes(payload[:2]) or 1000 for opcode, payload in frames if opcode == CLOSE]
    if closes and not oracle.code:
        oracle.take(b"\0")  # an invalid first byte is refused at once; wsproto waits for the second
    # wsproto reads a text, and refuses a continuation without a message, before the frame is complete: it finds both earlier, and of two faults may
    # name the other.
    early = oracle.code == 1007 or (oracle.code == 1002 and not closes)
    assert said[: len(oracle.heard)] == oracle.heard
    assert early or len(said) == len(oracle.heard)
    assert early or len(closes) == (oracle.code != 0), (closes, oracle.code)
    assert early or not closes or closes[0] == oracle.code or {closes[0], oracle.code} <= {1002, 1007, 1009}, (
        closes,
        oracle.code,
    )
    rig.close()
    return tuple(opcode for opcode, _ in said[:4]), *closes


def chatted(packets: list[bytes], choices: Choices) -> Hashable:
    """Check that the partner receives whole, numbered messages, and can write as long as neither side ends the chat."""
    rings = Rings(1 << 20)
    rig = Rig(limits=bool(choices.byte() & 1))
    one, two = pair(rig, rings, 4096 if choices.byte() & 1 else 0)
    numbers: list[int] = []
    for at, data in enumerate(packets):
        one.send(data)
        rig.run()
        said = choices.byte()
        if said & 1:
            rig.later(said % 30)
        if said & 2:
            two.say(b'{"type":"message","text":"%d"}' % at)
            rig.run()
        if said & 12 == 4:
            rig.reactor.unlink((one, two)[said >> 4 & 1].number)
        if said & 12 == 8:
            one.read()
        if not said & 64:
            numbers += numbered(two)
    while more := numbered(two):
        numbers += more
        rig.run()
    assert numbers == sorted(set(numbers))
    kinds = {
        json.loads(event[3]).get("type")
        for event in rig.events
        if event[0] == FRAME and event[3].startswith(b'{"type"') and sane(event[3])
    }
    rig.close()
    del one, two, rig
    assert rings.counters()["rings"] == 0
    return len(numbers) > 0, *sorted(map(str, kinds))


def sane(payload: bytes) -> bool:
    """Whether the payload is JSON."""
    try:
        json.loads(payload)
    except ValueError:
        return False
    return True


_halves: dict[int, bytes] = {}


def numbered(peer: Peer) -> list[int]:
    """Return the numbers of the messages received since the last call; every text frame must be JSON of a known type."""
    data = _halves.pop(id(peer), b"") + peer.read()
    end = whole(data)
    if end < len(data):
        _halves[id(peer)] = data[end:]
    bodies = [json.loads(payload) for opcode, payload in split(data[:end]) if opcode == TEXT]
    assert {body["type"] for body in bodies} <= {"message", "typing", "sent", "error", "pong", "signal"}
    return [body["seq"] for body in bodies if body["type"] == "message"]


def whole(data: bytes) -> int:
    """Return the number of bytes of the whole frames in `data`."""
    at = 0
    while at + 2 <= len(data):
        size, begin = data[at + 1] & 0x7F, at + 2
        if size == 126:
            size, begin = int.from_bytes(data[begin : begin + 2]), begin + 2
        if begin + size > len(data):
            break
        at = begin + size
    return at


def fuzz(data: bytes) -> Hashable:
    """Make packets of the input's first half and other actions of the second; return what both sides received."""
    packets = wire(Choices(data))
    return echoed(packets), chatted(packets, Choices(data[len(data) // 2 :]))
