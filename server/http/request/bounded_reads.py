"""What a socket holds, read in small pieces. Rule: what is read of a connection at once is READ bytes, however much a stranger has sent.

uvloop gives a protocol of bytes all that the kernel has, a quarter of a megabyte in one object. A protocol whose transport is paused has
that one, so a thousand connections that are busy with a first request would hold as many.
"""

import asyncio
from typing import Final

READ: Final = 16 * 1024  # bytes
_BUFFER = memoryview(bytearray(READ))  # everybody's: what is in it is taken before the next read


class Reads(asyncio.BufferedProtocol):
    """Between a transport and the protocol of bytes that it belongs to."""

    __slots__ = ("_reader",)

    def __init__(self, reader: asyncio.Protocol) -> None:
        self._reader = reader

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next bytes go."""
        return _BUFFER

    def buffer_updated(self, nbytes: int) -> None:
        """They came."""
        self._reader.data_received(bytes(_BUFFER[:nbytes]))

    def eof_received(self) -> bool | None:
        """No more will come; whether the transport stays open all the same."""
        return self._reader.eof_received()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It begins."""
        self._reader.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._reader.connection_lost(exc)

    def pause_writing(self) -> None:
        """The socket takes no more."""
        self._reader.pause_writing()

    def resume_writing(self) -> None:
        """It does again."""
        self._reader.resume_writing()
