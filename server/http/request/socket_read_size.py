"""Limit each read from an HTTP connection to READ bytes, so that a client that sends much takes neither the loop's time nor its memory."""

# uvloop gives a `Protocol` everything that the kernel has, a quarter of a megabyte in one object, and a paused transport keeps that object: a
# thousand connections that are busy with a first request would hold as many.

import asyncio
from typing import Final

READ: Final = 16 * 1024  # bytes
_BUFFER = memoryview(bytearray(READ))  # shared by all connections: its content is copied before the next read


class BoundedReads(asyncio.BufferedProtocol):
    """Adapter between a transport and its `asyncio.Protocol`."""

    __slots__ = ("_reader",)

    def __init__(self, reader: asyncio.Protocol) -> None:
        self._reader = reader

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return the buffer for the next bytes."""
        return _BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        """Pass the received bytes on."""
        self._reader.data_received(bytes(_BUFFER[:nbytes]))

    def eof_received(self) -> bool | None:
        """Pass on the end of input; return whether the transport stays open."""
        return self._reader.eof_received()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Pass on the start of the connection."""
        self._reader.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on the end of the connection."""
        self._reader.connection_lost(exc)

    def pause_writing(self) -> None:
        """Pass on that the socket's buffer is full."""
        self._reader.pause_writing()

    def resume_writing(self) -> None:
        """Pass on that the socket accepts bytes again."""
        self._reader.resume_writing()
