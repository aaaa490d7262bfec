"""Implement a minimal WebSocket client, for benches that need ten thousand. It works with this server only, text only."""

import asyncio
import struct
from collections.abc import Callable
from typing import cast

HEAD = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def framed(payload: bytes) -> bytes:
    """Return a masked text frame; the mask is zero, which is valid and costs nothing."""
    size = len(payload)
    if size < 126:
        return struct.pack(">BB4x", 0x81, 0x80 | size) + payload
    return struct.pack(">BBH4x", 0x81, 0xFE, size) + payload


class Thin(asyncio.Protocol):
    """One connection: `hear(self, frame)` is called for each text frame, `opened(self)` after the 101, `lost(self)` at the end.

    `head`: its request, where that says more than HEAD.
    """

    def __init__(
        self,
        opened: Callable[["Thin"], None],
        hear: Callable[["Thin", bytes], None],
        lost: Callable[["Thin"], None],
        head: bytes = HEAD,
    ) -> None:
        self._head = head
        self._opened = opened
        self._hear = hear
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._head)

    def send(self, payload: bytes) -> None:
        """Send a text frame."""
        if self._transport is not None:
            self._transport.write(framed(payload))

    def cut(self) -> None:
        """Reset the connection."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        data = self._rest + data if self._rest else data
        if not self._open:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._rest = data
                return
            if not data.startswith(b"HTTP/1.1 101"):
                raise ConnectionError(data[:100].decode("latin-1"))
            data = data[end + 4 :]
            self._open = True
            self._opened(self)
        at, size = 0, len(data)
        while size - at >= 2:
            length, head = data[at + 1], 2
            if length == 126:
                if size - at < 4:
                    break
                length, head = data[at + 2] << 8 | data[at + 3], 4
            if size - at < head + length:
                break
            if data[at] == 0x81:
                self._hear(self, data[at + head : at + head + length])
            at += head + length
        self._rest = data[at:]

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost(self)
