"""A held poll without aiohttp: the connection's transport, and nothing of the request that came over it.

Rule: one poll at most is parked on a connection, and the connection goes back to aiohttp with its answer. aiohttp's task,
parser and request are 12 KiB that would say nothing for half a minute.
"""

import asyncio
from email.utils import formatdate
from typing import Protocol

from aiohttp import web

from server.http.request.connection_counts import Place
from server.http.request.reactor_handoff import Door, Handler
from server.site.omegle.omegle_answers import NULL
from server.site.omegle.omegle_client import Client
from server.site.omegle.omegle_events import joined

_HEAD = (
    b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\nDate: %s\r\n\r\n%s"
)


class Keeper(Protocol):
    """Whoever keeps the clients, and hears what became of a poll."""

    def written(self, client: Client, number: int) -> None: ...
    def cut(self, client: Client) -> None: ...


class Parked(asyncio.Protocol):
    """It is waited on like the future whose place it takes: `done`, `set_result`."""

    __slots__ = ("_answered", "_begun", "_client", "_door", "_keeper", "_over", "_place", "_transport")

    def __init__(
        self, transport: asyncio.Transport, door: Door, place: Place | None, client: Client, keeper: Keeper
    ) -> None:
        self._transport = transport
        self._door = door
        self._place = place
        self._client = client
        self._keeper = keeper
        self._over = False
        self._answered = False
        self._begun = b""  # what came while the answer was on its way

    def done(self) -> bool:
        """Whether it is answered, or gone."""
        return self._over

    def set_result(self, news: bool) -> None:
        """Answer it, when this turn of the loop is over: with what is queued if there is `news`, else with nothing."""
        self._over = True
        asyncio.get_running_loop().call_soon(self._answer, news)

    def _answer(self, news: bool) -> None:
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
        """The client went on before it was answered: the poll ends where it was not about to, what it says now is aiohttp's."""
        self._begun += data
        if not self._over:
            self._over = True
            self._forget()
            self._answer(False)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client dropped its poll; what is queued waits for the next, and so does its partner."""
        self._door.left(self._place)
        self._over = True
        self._forget()
        if not self._answered:
            self._keeper.cut(self._client)

    def _forget(self) -> None:
        if self._client.poll is self:
            self._client.poll = None


class Asking:
    """The request of a poll that is held, and the connection that it came over."""

    def __init__(self, request: web.BaseRequest, client: Client, keeper: Keeper) -> None:
        self._request = request
        self._client = client
        self._keeper = keeper

    def park(self) -> Parked | None:
        """Take the connection out of aiohttp; None where it cannot be. The handler's own answer is for nobody then."""
        request = self._request
        handler = request.protocol
        if not isinstance(handler, Handler) or not request.keep_alive or request.version < (1, 1):
            return None
        left = handler.let_go()
        if left is None:
            return None
        transport, door, place = left
        parked = Parked(transport, door, place, self._client, self._keeper)
        transport.set_protocol(parked)
        return parked

    def stands(self) -> bool:
        """Whether whoever asked is still there to be answered."""
        return standing(self._request)

    def goes_on(self) -> bool:
        """Whether more was said over it since."""
        handler = self._request.protocol
        return isinstance(handler, Handler) and handler.ahead


def standing(request: web.BaseRequest) -> bool:
    """Whether whoever asked is still there to be answered."""
    return request.transport is not None and not request.transport.is_closing()
