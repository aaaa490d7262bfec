"""Hold a long poll outside aiohttp: only the connection's transport is kept, which saves 12 KiB of task, parser and request per poll.

**Invariant:** at most one poll is parked per connection, and its answer returns the connection to aiohttp.
"""

import asyncio
from email.utils import formatdate
from typing import Protocol

from aiohttp import web

from server.http.request.counted_connections import Place
from server.http.request.reactor_handoff import Door, Handler
from server.site.omegle.omegle_answers import NULL
from server.site.omegle.omegle_client import OmegleClient
from server.site.omegle.omegle_event_encoding import joined

_HEAD = (
    b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\nDate: %s\r\n\r\n%s"
)


class PollOwner(Protocol):
    """Owner of the clients, which is notified of a poll's outcome."""

    def written(self, client: OmegleClient, number: int) -> None: ...
    def cut(self, client: OmegleClient) -> None: ...


class ParkedPoll(asyncio.Protocol):
    """A parked poll; it has the methods of the future that it replaces: `done`, `set_result`."""

    __slots__ = ("_answered", "_begun", "_client", "_door", "_keeper", "_over", "_place", "_transport")

    def __init__(
        self, transport: asyncio.Transport, door: Door, place: Place | None, client: OmegleClient, keeper: PollOwner
    ) -> None:
        self._transport = transport
        self._door = door
        self._place = place
        self._client = client
        self._keeper = keeper
        self._over = False
        self._answered = False
        self._begun = b""  # bytes received before the answer was sent

    def done(self) -> bool:
        """Whether it is answered, or its connection is lost."""
        return self._over

    def set_result(self, news: bool) -> None:
        """Answer it after this turn of the loop: with the queued events if `news`, else with an empty list."""
        self._over = True
        asyncio.get_running_loop().call_soon(self._answer, news)

    def _answer(self, news: bool) -> None:
        self._door.on_step()  # the patience of many polls may end in the same second
        transport, client = self._transport, self._client
        if transport.is_closing():
            return
        events = client.events[:] if news and not client.carrying else []
        self._answered = True
        body = NULL if news and client.gone and not client.events else joined(events)
        transport.write(_HEAD % (len(body), formatdate(usegmt=True).encode(), body))
        self._door.again(transport, self._place, self._begun)
        if events:
            self._keeper.written(client, len(events))

    def data_received(self, data: bytes) -> None:
        """End the poll, since the client sent another request before the answer; those bytes are passed to aiohttp."""
        self._begun += data
        if not self._over:
            self._over = True
            self._forget()
            self._answer(False)

    def connection_lost(self, exc: Exception | None) -> None:
        """Handle a lost connection; queued events wait for the next poll."""
        self._door.left(self._place)
        self._over = True
        self._forget()
        if not self._answered:
            self._keeper.cut(self._client)

    def _forget(self) -> None:
        if self._client.poll is self:
            self._client.poll = None


class PollRequest:
    """The request of a held poll, and its connection."""

    def __init__(self, request: web.BaseRequest, client: OmegleClient, keeper: PollOwner) -> None:
        self._request = request
        self._client = client
        self._keeper = keeper

    def park(self) -> ParkedPoll | None:
        """Take the connection out of aiohttp; None if it cannot be. The handler's own response is then not sent."""
        request = self._request
        handler = request.protocol
        if not isinstance(handler, Handler) or not request.keep_alive or request.version < (1, 1):
            return None
        handler.door.on_step()
        left = handler.let_go()
        if left is None:
            return None
        transport, door, place = left
        parked = ParkedPoll(transport, door, place, self._client, self._keeper)
        transport.set_protocol(parked)
        return parked

    def stands(self) -> bool:
        """Whether the connection is still open."""
        return is_connected(self._request)

    def goes_on(self) -> bool:
        """Whether more was received over the connection since."""
        handler = self._request.protocol
        return isinstance(handler, Handler) and handler.ahead


def is_connected(request: web.BaseRequest) -> bool:
    """Whether a request's connection is still open."""
    return request.transport is not None and not request.transport.is_closing()
