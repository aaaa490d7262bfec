"""Drive a reactor over socket pairs, with the client's side in plain Python. Invariant: the reactor is the service's, the clock is the test's."""

import base64
import json
import os
import socket
import struct
from pathlib import Path
from typing import Any

from engine.wire.protocol import FRAME, LOST, OPENED
from ext.accept.address_limits import Addresses
from ext.accept.handshake import Judge
from ext.net.chat_ring import Ring, Rings
from ext.reactor.reactor import Reactor

KEY = base64.b64encode(bytes(range(16))).decode()
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
LEAVE = b'{"type":"leave"}'
FIND = b'{"type":"find"}'


def head(path: str = "/ws", **fields: str) -> bytes:
    """Return a valid upgrade request; a field given as "" is left out, underscores become hyphens."""
    lines = {
        "host": "localhost",
        "upgrade": "websocket",
        "connection": "Upgrade",
        "sec-websocket-key": KEY,
        "sec-websocket-version": "13",
    }
    lines |= {name.replace("_", "-"): value for name, value in fields.items()}
    return (
        f"GET {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value) + "\r\n"
    ).encode()


def frame(payload: bytes | str, opcode: int = TEXT, fin: bool = True, mask: bytes = b"\x01\x02\x03\x04") -> bytes:
    """Return a masked client frame."""
    data = payload.encode() if isinstance(payload, str) else payload
    size = len(data)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 65536:
        length = bytes([0x80 | 126]) + struct.pack(">H", size)
    else:
        length = bytes([0x80 | 127]) + struct.pack(">Q", size)
    over = (mask * (size // 4 + 1))[:size]
    masked = (int.from_bytes(data) ^ int.from_bytes(over)).to_bytes(size)
    return bytes([(0x80 if fin else 0) | opcode]) + length + mask + masked


def whole_frames(data: bytes) -> tuple[bytes, bytes]:
    """Return the whole frames of a server at the beginning of `data`, and the rest."""
    at = 0
    while at + 2 <= len(data):
        size = data[at + 1] & 0x7F
        start = at + 2 + (2 if size == 126 else 8 if size == 127 else 0)
        if size >= 126:
            size = int.from_bytes(data[at + 2 : start], "big")
        if start + size > len(data):
            break
        at = start + size
    return data[:at], data[at:]


def split(data: bytes) -> list[tuple[int, bytes]]:
    """Return (opcode, payload) of each whole server frame in `data`; fails on a masked, reserved or broken one."""
    found = []
    at = 0
    while at < len(data):
        first, second = data[at], data[at + 1]
        assert first & 0x70 == 0
        assert second & 0x80 == 0
        size, at = second & 0x7F, at + 2
        if size == 126:
            size, at = struct.unpack_from(">H", data, at)[0], at + 2
        elif size == 127:
            size, at = struct.unpack_from(">Q", data, at)[0], at + 8
        assert len(data) >= at + size
        found.append((first & 0x0F, data[at : at + size]))
        at += size
    return found


class Peer:
    """The client's end of one connection."""

    def __init__(self, rig: "Rig", number: int, sock: socket.socket) -> None:
        self.rig = rig
        self.number = number
        self.sock = sock

    def send(self, data: bytes) -> None:
        """Send bytes unchanged; if the socket is full the reactor runs first."""
        view = memoryview(data)
        while view:
            try:
                view = view[self.sock.send(view) :]
            except BlockingIOError:
                self.rig.run()
            except (BrokenPipeError, ConnectionResetError):
                return  # the server closed: the test examines what it sent before

    def say(self, *payloads: bytes | str) -> None:
        """Send text frames in one packet."""
        self.send(b"".join(frame(payload) for payload in payloads))

    def read(self) -> bytes:
        """Return all bytes received since the last call, without waiting."""
        found = b""
        while True:
            try:
                part = self.sock.recv(1 << 20)
            except (BlockingIOError, ConnectionResetError):
                return found
            if not part:
                return found
            found += part

    def frames(self) -> list[tuple[int, bytes]]:
        """Return the frames received since the last call."""
        return split(self.read())

    def texts(self) -> list[bytes]:
        """Return the payloads of the text frames received since the last call."""
        return [payload for opcode, payload in self.frames() if opcode == TEXT]

    def ended(self) -> bool:
        """Whether the server closed its side, after everything before was read."""
        try:
            return self.sock.recv(1) == b""
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True


class Rig:
    """A reactor with its clock and events."""

    def __init__(self, judge: Judge | None = None, addresses: Addresses | None = None, **options: Any) -> None:
        self.now = 1000.0
        self.echoes = False
        self.reactor = Reactor(
            judge=judge or Judge(hosts=["localhost"], origins=[], proxies=[]),
            addresses=Addresses(open_max=100, burst=40, rate=4, limits=False) if addresses is None else addresses,
            **{"now": self.now, "limits": False, **options},
        )
        self.events: list[tuple[int, int, Any, Any]] = []
        self.peers: list[Peer] = []

    def begin(self, buffer: int = 0) -> Peer:
        """Return a connection that has sent nothing. `buffer`: bytes of the sockets' buffers, 0: the system's."""
        ours, theirs = socket.socketpair()
        if buffer:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        ours.setblocking(False)
        theirs.setblocking(False)
        peer = Peer(self, self.reactor.adopt_socket(ours.fileno(), "127.0.0.1"), theirs)
        ours.detach()
        self.peers.append(peer)
        return peer

    def dial(self, request: bytes | None = None, buffer: int = 0) -> Peer:
        """Return an open connection whose reply is read and whose owner is the peer."""
        peer = self.begin(buffer)
        peer.send(request or head())
        self.run()
        assert peer.read().startswith(b"HTTP/1.1 101 ")
        if not self.echoes:
            assert self.take(OPENED)
            self.reactor.adopt(peer.number, peer)
            self.run()
        return peer

    def turn(self) -> list[tuple[int, int, Any, Any]]:
        """Drain once: handle what is ready now; gates stay shut."""
        return self.reactor.drain(self.now)

    def run(self) -> None:
        """Drain and settle until nothing more happens, and keep the events; no decision is made."""
        while True:
            events = self.turn()
            more = self.reactor.settle(self.now)
            self.events += events + more
            if not events and not more and not self.idle_bytes():
                return

    def idle_bytes(self) -> bool:
        """Whether the reactor's set is still ready."""
        import select

        poll = select.poll()
        poll.register(self.reactor.fd, select.POLLIN)
        return bool(poll.poll(0))

    def take(self, kind: int) -> list[Any]:
        """Return and forget the data of the kept events of one kind."""
        found = [event[3] for event in self.events if event[0] == kind]
        self.events = [event for event in self.events if event[0] != kind]
        return found

    def frames(self) -> list[bytes]:
        """Return the payloads of the FRAME events so far."""
        return self.take(FRAME)

    def lost(self) -> list[int]:
        """Return how connections were lost so far."""
        return self.take(LOST)

    def later(self, seconds: float) -> None:
        """Advance the time, second by second like the service's timer."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + 1)
            self.events += self.reactor.tick(self.now) + self.reactor.settle(self.now)

    def close(self) -> None:
        """Close all connections; afterwards the reactor must be empty."""
        for peer in self.peers:
            peer.sock.close()
        self.run()
        self.later(5)
        assert self.reactor.connections == 0
        assert self.reactor.online == 0


def random_bytes(size: int) -> bytes:
    """Return a payload whose content does not matter but must be returned."""
    return os.urandom(size)


def line(text: str, id: str = "") -> bytes:
    """Return a canonical message."""
    return b'{"type":"message","text":"%s"%s}' % (text.encode(), b',"id":"%s"' % id.encode() if id else b"")


def pair(rig: Rig, rings: Rings, buffer: int = 0) -> tuple[Peer, Peer]:
    """Return two linked connections."""
    one, two = rig.dial(buffer=buffer), rig.dial(buffer=buffer)
    ring = rings.new()
    rig.reactor.link(one.number, ring, 0)
    rig.reactor.link(two.number, ring, 1)
    return one, two


def move(peer: Peer, to: Rig) -> bool:
    """Move a connection to another reactor as a hand-over does: another descriptor of the socket, a state in JSON. False: not now."""
    found = peer.rig.reactor.release(peer.number)
    if found is None:
        return False
    fd, address, state, data = found
    other = os.dup(fd)
    os.close(fd)
    peer.rig.peers.remove(peer)
    peer.rig, peer.number = to, to.reactor.take(other, address, json.loads(json.dumps(state)), data, peer)
    to.peers.append(peer)
    return True


def move_chat(one: Peer, two: Peer, ring: Ring, to: Rig, rings: Rings) -> Ring:
    """Move a chat of two to another reactor; return its ring there."""
    state, data = ring.dump()
    assert move(one, to)
    assert move(two, to)
    there = rings.fill(json.loads(json.dumps(state)), data)
    to.reactor.link(one.number, there, 0)
    to.reactor.link(two.number, there, 1)
    return there


def descriptors() -> int:
    """Return how many sockets this process holds; those of a reactor that awaits collection are not counted."""
    return sum(
        str(path.readlink()).startswith("socket:") for path in Path("/proc/self/fd").iterdir() if path.is_symlink()
    )
