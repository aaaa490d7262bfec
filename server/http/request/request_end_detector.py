"""Detect whether the last byte read from an aiohttp connection ended a request.

Only at such a point can another process continue the connection, because its parser must begin with the first byte of a request.
"""

# aiohttp's parser does not report its position, but reports when a request is complete: one that was incomplete before the last byte, and is complete
# with it, ends there.

import asyncio
import os
from collections.abc import Callable
from typing import Any, cast

from aiohttp import web

# Takes a descriptor, where its connection is counted (`Door.arrive`), and the bytes read and not answered; False: not now.
Send = Callable[[int, str, bytes], bool]


class BoundaryHandler(web.RequestHandler):
    """A connection with known ends of requests."""

    __slots__ = ("_between", "_latest", "passed")

    def __init__(self, *args: Any, **kw: Any) -> None:
        super().__init__(*args, **kw)
        self.passed = False  # whether it is from another host of this service (`server.http.request.host_forwarding`)
        self._between = True  # every request that was begun is complete, as far as is known
        self._latest: Any = None  # the body of the latest request, until it is complete

    def data_received(self, data: bytes) -> None:
        """Parse bytes: all but the last one, then the last."""
        if not data:  # aiohttp calls this to continue with bytes that its parser holds
            super().data_received(data)
            self._whole()
            return
        if len(data) > 1:
            super().data_received(data[:-1])
        whole, requests = self._whole(), self._request_count
        self._between = False
        if self._broken():
            return
        held = self._buffer_paused or self._reading_paused  # the parser holds an unknown number of bytes back
        super().data_received(data[-1:])
        self._between = not held and self._whole() and (not whole or self._request_count > requests)

    def _whole(self) -> bool:
        """Whether the body of the latest request is complete."""
        if self._messages:
            self._latest = self._messages[-1][1]
        if self._latest is not None and self._latest.is_eof():
            self._latest = None  # it refers to this object
        return self._latest is None

    def _broken(self) -> bool:
        """Whether the input is malformed: the parser is not used again."""
        return bool(self._messages) and getattr(self._messages[-1][0], "exc", None) is not None

    def connection_lost(self, exc: BaseException | None) -> None:
        """End the connection, and a request that arrived in the same moment."""
        woken = self._task_handler if self._waiter is not None and self._waiter.done() else None
        self._latest = None
        super().connection_lost(exc)
        if woken is not None:
            woken.cancel()  # its task would process a request without a connection

    @property
    def ahead(self) -> bool:
        """Whether more bytes were received behind the present request."""
        return bool(self._messages or self._message_tail)

    @property
    def idle(self) -> bool:
        """Whether it waits for a request of which nothing was read, and the last response was sent completely."""
        waiter = self._waiter
        return waiter is not None and not waiter.done() and self._between and not self.ahead and self._free()

    @property
    def alone(self) -> bool:
        """Whether nothing was parsed behind the present request."""
        return not self._messages and (self._between or self._upgraded) and self._free()

    @property
    def behind(self) -> bytes:
        """The bytes behind a request for an upgrade."""
        return self._message_tail

    def _free(self) -> bool:
        """Whether no response bytes wait for the socket, and it is not being closed."""
        transport = self.transport
        if transport is None or transport.is_closing() or self._close or self._force_close:
            return False
        return not self._paused and not transport.get_write_buffer_size()

    def give(self, send: Send, where: str, begun: bytes) -> bool:
        """Give the connection away, with the bytes `begun` on it; False if it stays."""
        transport = cast(asyncio.Transport, self.transport)
        try:
            descriptor = os.dup(transport.get_extra_info("socket").fileno())
        except OSError:  # no descriptor is left
            return False
        # No await from here on: further input stays in the kernel.
        if not send(descriptor, where, begun):
            os.close(descriptor)
            return False
        transport.abort()  # closes this descriptor without a shutdown: the duplicate is of the same socket
        return True
