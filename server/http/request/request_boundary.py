"""aiohttp's protocol, which knows whether a request was read half. Rule: a connection is given away between two requests, never within one.

Another process can go on with a connection where its parser begins with the first byte of a request. The parser does not say where
it stands, but it says when a request is whole: one that was not before the last byte that was read, and is with it, ends there.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Any, cast

from aiohttp import web

# Takes a descriptor, where its connection is counted (`Door.arrive`), and what was read of it and not answered; False: not now.
Send = Callable[[int, str, bytes], bool]


class Bounded(web.RequestHandler):
    """A connection whose ends of requests are known."""

    __slots__ = ("_between", "_latest", "passed")

    def __init__(self, *args: Any, **kw: Any) -> None:
        super().__init__(*args, **kw)
        self.passed = False  # it is of another host of this service (`server.http.request.host_forwarding`)
        self._between = True  # every request that was begun is whole, as far as is known
        self._latest: Any = None  # the body of the latest request, until it is whole

    def data_received(self, data: bytes) -> None:
        """Bytes came: all but one of them, then the last."""
        if not data:  # aiohttp's own way to go on with what its parser holds
            super().data_received(data)
            self._whole()
            return
        if len(data) > 1:
            super().data_received(data[:-1])
        whole, requests = self._whole(), self._request_count
        self._between = False
        if self._broken():
            return
        held = self._buffer_paused or self._reading_paused  # the parser keeps bytes back, nobody knows how many
        super().data_received(data[-1:])
        self._between = not held and self._whole() and (not whole or self._request_count > requests)

    def _whole(self) -> bool:
        """Whether the body of the latest request is all there."""
        if self._messages:
            self._latest = self._messages[-1][1]
        if self._latest is not None and self._latest.is_eof():
            self._latest = None  # it refers to this
        return self._latest is None

    def _broken(self) -> bool:
        """Whether what came is no request: the parser is not asked again."""
        return bool(self._messages) and getattr(self._messages[-1][0], "exc", None) is not None

    def connection_lost(self, exc: BaseException | None) -> None:
        """It is over, and so is a request that came in the same moment."""
        woken = self._task_handler if self._waiter is not None and self._waiter.done() else None
        self._latest = None
        super().connection_lost(exc)
        if woken is not None:
            woken.cancel()  # it would make a request of what came, and has nothing to make one with any more

    @property
    def ahead(self) -> bool:
        """Whether more came behind the request that is answered."""
        return bool(self._messages or self._message_tail)

    @property
    def idle(self) -> bool:
        """Whether it waits for a request of which nothing was read, and all of the last answer was taken."""
        waiter = self._waiter
        return waiter is not None and not waiter.done() and self._between and not self.ahead and self._free()

    @property
    def alone(self) -> bool:
        """Whether nothing was parsed of what came behind the request that is answered."""
        return not self._messages and (self._between or self._upgraded) and self._free()

    @property
    def behind(self) -> bytes:
        """What came behind a request for an upgrade, as it came."""
        return self._message_tail

    def _free(self) -> bool:
        """Whether nothing of an answer waits for the socket, and nobody closes it."""
        transport = self.transport
        if transport is None or transport.is_closing() or self._close or self._force_close:
            return False
        return not self._paused and not transport.get_write_buffer_size()

    def give(self, send: Send, where: str, begun: bytes) -> bool:
        """Give the connection away, with what was `begun` on it; False where it stays."""
        transport = cast(asyncio.Transport, self.transport)
        try:
            descriptor = os.dup(transport.get_extra_info("socket").fileno())
        except OSError:  # not one is left
            return False
        # No await from here on: what the client sends stays in the kernel.
        if not send(descriptor, where, begun):
            os.close(descriptor)
            return False
        transport.abort()  # closes this descriptor without a shutdown: the other is of the same socket
        return True
