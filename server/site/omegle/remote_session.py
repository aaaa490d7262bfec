"""The wire of a client whose session is at another host: one end of a socket pair, whose other end goes as the connection of anybody.

Rule: our own protocol as its clients speak it (RFC 6455), and nothing of what is said. It is bounded both ways, and waits for nobody.

    open ──► the other end is given away ──► say, hear … ──► closed, by one of the two
      └── release ──► another process has this end, with what was read and not understood, and what was not taken
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
MASK: Final = bytes(4)  # who could mistake what is said for something else is nowhere on the way (RFC 6455, 10.3)
FRAME_MAX: Final = 1 << 20  # bytes of one that is heard; the largest that is sent to a client is far smaller
UNTAKEN_MAX: Final = 256 * 1024  # bytes that may wait to be taken; beyond, nothing more is said
READ: Final = 64 * 1024

Hear = Callable[[list[bytes | int]], None]


class Parted(NamedTuple):
    """An end that goes to another process. `unread`: begun and not understood; `untaken`: said and not taken."""

    descriptor: int
    unread: bytes
    untaken: bytes


def framed(opcode: int, payload: bytes) -> bytes:
    """A whole frame of a client."""
    size = len(payload)
    if size < 126:
        head = bytes((OURS | opcode, OURS | size))
    elif size < 1 << 16:
        head = struct.pack(">BBH", OURS | opcode, OURS | 126, size)
    else:
        head = struct.pack(">BBQ", OURS | opcode, OURS | 127, size)
    return head + MASK + payload


def taken_from(unread: bytearray) -> Iterator[tuple[int, bytes]]:
    """Opcode and payload of each whole frame of a server, which is taken out. Raises ValueError: one that is too large."""
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


class Wire:
    """See the module. `hear`: told what came, in order: payloads of texts, and once a number, the code that it was closed with."""

    __slots__ = ("_loop", "_sock", "_unread", "_untaken", "cut", "hear", "widened")

    def __init__(self, hear: Hear) -> None:
        self.hear = hear
        self.cut = 0.0  # monotonic seconds since when its client is not there; 0.0: it is
        self.widened = False  # the client will take any partner, which its session does not know
        self._loop = asyncio.get_running_loop()
        self._sock: socket.socket | None = None
        self._unread = bytearray()
        self._untaken = bytearray()

    @property
    def is_open(self) -> bool:
        """Whether something can be said."""
        return self._sock is not None

    def open(self) -> int:
        """The descriptor of the other end, which is the caller's. Raises OSError."""
        here, there = socket.socketpair()
        there.setblocking(False)
        self._begin(here)
        return there.detach()

    def take(self, parted: Parted) -> None:
        """Go on with an end that another process had; its descriptor is this one's from here on."""
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
        """A text of the client; whether it was taken."""
        if self._sock is None or len(self._untaken) > UNTAKEN_MAX:
            return False
        self._send(framed(TEXT, payload))
        return True

    def hold(self, on: bool) -> None:
        """Nothing is read, so that whoever speaks is told `slow`; or it is again."""
        if self._sock is not None:
            if on:
                self._loop.remove_reader(self._sock.fileno())
            else:
                self._loop.add_reader(self._sock.fileno(), self._ready)

    def leave(self) -> None:
        """The client goes: said as a client does, where that is taken at once."""
        sock = self._sock
        if sock is None:
            return
        self._send(framed(CLOSE, struct.pack(">H", CLOSE_LEFT)))
        with contextlib.suppress(OSError):  # what nobody reads would make an error of the end
            while sock.recv(READ):
                pass
        self._close()

    def release(self) -> Parted | None:
        """It goes to another process, and is closed here; None: it was."""
        sock, self._sock = self._sock, None
        if sock is None:
            return None
        self._forget(sock)
        return Parted(sock.detach(), bytes(self._unread), bytes(self._untaken))

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
            for opcode, payload in taken_from(self._unread):
                if opcode == TEXT:
                    heard.append(payload)
                elif opcode == PING:
                    self._send(framed(PONG, payload))
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
        except OSError:  # its other end is gone, which is read
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
