"""Connect an HTTP client to its session at another host by a socket pair: one end sends and receives WebSocket frames here like a browser, the other
end is tunnelled to that host.

**Invariant:** both directions are bounded and no call blocks. The texts in the frames are not interpreted.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from engine.wire.protocol import CLOSE_LEFT, CLOSE_NONE

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
OURS: Final = 0x80  # of a frame's second byte: a client's frames have a mask
MASK: Final = bytes(4)  # no intermediary that could misinterpret the bytes is on the route (RFC 6455, 10.3)
FRAME_MAX: Final = 1 << 20  # bytes of a received frame; the largest that is sent to a client is far smaller
UNTAKEN_MAX: Final = 256 * 1024  # bytes that may wait to be sent; beyond, frames are refused
READ: Final = 64 * 1024

Hear = Callable[[list[bytes | int]], None]


class WireState(NamedTuple):
    """An end for another process. `unread`: received and not parsed; `untaken`: not sent yet."""

    descriptor: int
    unread: bytes
    untaken: bytes


def encode_frame(opcode: int, payload: bytes) -> bytes:
    """Return a complete frame of a client."""
    size = len(payload)
    if size < 126:
        head = bytes((OURS | opcode, OURS | size))
    elif size < 1 << 16:
        head = struct.pack(">BBH", OURS | opcode, OURS | 126, size)
    else:
        head = struct.pack(">BBQ", OURS | opcode, OURS | 127, size)
    return head + MASK + payload


def take_frames(unread: bytearray) -> Iterator[tuple[int, bytes]]:
    """Yield opcode and payload of each complete frame of a server, and remove it from `unread`. Raises ValueError for one that is too large."""
    while len(unread) >= 2:
        size, at = unread[1], 2
        if size >= 126:
            at = 4 if size == 126 else 10
            if len(unread) < at:
                return
            size = int.from_bytes(unread[2:at])
        if size > FRAME_MAX:
            raise ValueError("a frame that no server of ours sends")
        if len(unread) < at + size:
            return
        opcode, payload = unread[0] & 15, bytes(unread[at : at + size])
        del unread[: at + size]
        yield opcode, payload


def ignore(_: list[bytes | int]) -> None:
    """Do nothing with received items."""


class SessionWire:
    """One client's connection to its remote session. `hear`: called with received items, in order: payloads of texts, and once a number, the close
    code.

    open ──► the other end is given away ──► say, hear … ──► closed by this end or by the other host
      └── release ──► another process has this end, with unparsed and unsent bytes
    """

    __slots__ = ("_loop", "_sock", "_unread", "_untaken", "cut", "hear", "widened")

    def __init__(self, hear: Hear) -> None:
        self.hear = hear
        self.cut = 0.0  # monotonic seconds since when its client is disconnected; 0.0: it is connected
        self.widened = False  # the client accepts any partner, which its session does not know yet
        self._loop = asyncio.get_running_loop()
        self._sock: socket.socket | None = None
        self._unread = bytearray()
        self._untaken = bytearray()

    def mute(self) -> None:
        """Ignore received items from now on."""
        self.hear = ignore

    @property
    def is_open(self) -> bool:
        """Whether frames can be sent."""
        return self._sock is not None

    def open(self) -> int:
        """Return the descriptor of the other end, which the caller owns. Raises OSError."""
        here, there = socket.socketpair()
        there.setblocking(False)
        self._begin(here)
        return there.detach()

    def take(self, parted: WireState) -> None:
        """Continue an end that another process had; this object owns its descriptor from now on."""
        self._unread += parted.unread
        self._untaken += parted.untaken
        self._begin(socket.socket(fileno=parted.descriptor))
        if self._untaken:
            self._loop.add_writer(parted.descriptor, self._flush)

    def _begin(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._loop.add_reader(sock.fileno(), self._ready)

    def say(self, payload: bytes) -> bool:
        """Send a text of the client; return whether it was accepted."""
        if self._sock is None or len(self._untaken) > UNTAKEN_MAX:
            return False
        self._send(encode_frame(TEXT, payload))
        return True

    def hold(self, on: bool) -> None:
        """Stop or resume reading; while it is stopped the sender gets `slow`."""
        if self._sock is not None:
            if on:
                self._loop.remove_reader(self._sock.fileno())
            else:
                self._loop.add_reader(self._sock.fileno(), self._ready)

    def leave(self, code: int = CLOSE_LEFT) -> None:
        """Close as a client does with `code`, if the close frame can be sent at once."""
        sock = self._sock
        if sock is None:
            return
        self._send(encode_frame(CLOSE, struct.pack(">H", code)))
        with contextlib.suppress(OSError):  # unread bytes would turn the close into an error
            while sock.recv(READ):
                pass
        self._close()

    def release(self) -> WireState | None:
        """Release this end for another process, and close it here; None: it was closed."""
        sock, self._sock = self._sock, None
        if sock is None:
            return None
        self._forget(sock)
        return WireState(sock.detach(), bytes(self._unread), bytes(self._untaken))

    def _ready(self) -> None:
        if self._sock is None:
            return
        try:
            data = self._sock.recv(READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        heard: list[bytes | int] = []
        try:
            self._unread += data
            for opcode, payload in take_frames(self._unread):
                if opcode == TEXT:
                    heard.append(payload)
                elif opcode == PING:
                    self._send(encode_frame(PONG, payload))
                elif opcode == CLOSE:
                    heard.append(int.from_bytes(payload[:2]) or CLOSE_NONE)
                    break
        except ValueError:
            heard.append(CLOSE_NONE)
        if not data and not (heard and isinstance(heard[-1], int)):
            heard.append(CLOSE_NONE)
        if heard and isinstance(heard[-1], int):
            self._close()
        if heard:
            self.hear(heard)

    def _send(self, frame: bytes) -> None:
        self._untaken += frame
        if len(self._untaken) == len(frame):
            self._flush()

    def _flush(self) -> None:
        sock = self._sock
        if sock is None:
            return
        try:
            del self._untaken[: sock.send(self._untaken)]
        except BlockingIOError:
            pass
        except OSError:  # the other end is closed, which reading will find
            self._untaken.clear()
        if self._untaken:
            self._loop.add_writer(sock.fileno(), self._flush)
        else:
            self._loop.remove_writer(sock.fileno())

    def _close(self) -> None:
        if self._sock is not None:
            self._forget(self._sock)
            self._sock.close()
            self._sock = None

    def _forget(self, sock: socket.socket) -> None:
        self._loop.remove_reader(sock.fileno())
        self._loop.remove_writer(sock.fileno())
