"""Serve `/api/poll`: the WebSocket protocol by HTTP requests. **Invariant:** number of clients, size and time of each request, and what is kept for a
client are bounded; a client without a request for IDLE_S is closed as a connection that was cut, so that its session can be resumed.
"""

import asyncio
import contextlib
import time
from collections import Counter
from itertools import count
from typing import Final

from aiohttp import web

from engine.wire.protocol import CLOSE_AWAY, CLOSE_LEFT
from server.http.request.client_info import CLIENT_INFO
from server.http.request.forms import BadForm, body
from server.http.request.host_forwarding import ASKS, POLL, RELEASE, Away, Gone, forwarded_header, is_forwarded
from server.http.request.reactor_handoff import Handler
from server.http.request.site_services import SERVICES, Services
from server.ops.metrics.metric_type import Reading
from server.ops.security.routable_ids import HostHints
from server.site.polling.poll_client import OutOfOrder, Overtaken, PollClient
from server.site.polling.socket_pair_handshake import Refused, open_socket

PATH: Final = "/api/poll"
HOLD_S: Final = 25.0  # that a poll waits for frames
IDLE_S: Final = (
    15.0  # without a request, after which a client is gone; as long as a reload or a change of network takes
)
FRAMES_MAX: Final = 64  # of one request
BODY_MAX: Final = 64 * 1024  # bytes of one request; the longest frame has 40 KiB
_CLOSES: Final = {str(code): code for code in (CLOSE_LEFT, CLOSE_AWAY)}  # close codes of a client; any other is a cut
_NO_STORE: Final = {"Cache-Control": "no-store"}
_GONE: Final = "There is no such connection (any more): open another, and resume.\n"


class LongPolls:
    """The long-polling clients of one process, by id."""

    def __init__(self, services: Services, most: int) -> None:
        """`most`: clients at once."""
        self._services = services
        self._most = most
        self._places = services.places or HostHints()
        self._clients: dict[str, PollClient] = {}
        self._opening = 0
        self._held: dict[int, tuple[web.Request, PollClient]] = {}  # by a number
        self._tally = Counter(dict.fromkeys(("opened", "refused", "polls", "sends", "unknown", "cut"), 0))
        self._keys = count()
        self._ticking: asyncio.Task[None] | None = None

    def reading(self) -> Reading:
        """Return the numbers of clients and requests, as a source of metrics."""
        return {
            "serendip_poll_clients": len(self._clients),
            "serendip_poll_requests": {(what,): count for what, count in self._tally.items()},
        }

    async def start(self, _: web.Application) -> None:
        """Start to look for clients that are gone."""
        self._ticking = asyncio.create_task(self._tick())

    async def stop(self, _: web.Application) -> None:
        """Cut all clients and answer their polls."""
        if self._ticking is not None:
            self._ticking.cancel()
        for client in self._clients.values():
            client.cut()
        self._clients.clear()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            now = time.monotonic()
            for request, client in self._held.values():
                if not _is_open(request):
                    client.release()
            for id, client in list(self._clients.items()):
                if not client.is_held and now - client.heard > IDLE_S:
                    self._cut(id, client)

    def _cut(self, id: str, client: PollClient) -> None:
        if self._clients.pop(id, None) is not None:
            self._tally["cut"] += 1
            client.cut()

    # requests

    async def open(self, request: web.Request) -> web.Response:
        """Handle `POST /api/poll`: open a connection, and return its id."""
        services = self._services
        try:
            if services.draining:
                raise Refused(503, "This server is stopping.\n", "5")
            if len(self._clients) + self._opening >= self._most:
                raise Refused(503, "This server is full.\n", "5")
            self._opening += 1
            try:
                port = request.app[CLIENT_INFO].port(request)
                sock = await open_socket(request, services.worker.take_socket, port)
            finally:
                self._opening -= 1
        except Refused as refused:
            self._tally["refused"] += 1
            more = {"Retry-After": refused.retry_after} if refused.retry_after else {}
            return web.Response(status=refused.status, text=refused.text, headers={**_NO_STORE, **more})
        id = self._places.token()
        self._clients[id] = PollClient(sock.detach(), time.monotonic())
        self._tally["opened"] += 1
        return web.json_response({"id": id}, headers=_NO_STORE)

    async def poll(self, request: web.Request) -> web.Response:
        """Handle `GET /api/poll/ID?after=N`: return the frames behind batch N."""
        found = await self._find(request, b"", held=True)
        if isinstance(found, web.Response):
            return found
        id, client = found
        if forwarded_header(request, ASKS) == RELEASE:  # sent by the host that has the connection of the held poll
            client.release()
            return web.Response(status=204)
        self._tally["polls"] += 1
        key, had_ended = next(self._keys), client.is_over
        self._held[key] = request, client
        try:
            answer = await client.poll(_number(request, "after"), HOLD_S)
        except Overtaken:
            return web.Response(status=409, text="A later request has come.\n", headers=_NO_STORE)
        except OutOfOrder:
            return self._lost(id, client)
        finally:
            del self._held[key]
        if _is_open(request) and not had_ended:  # it has IDLE_S from its end to ask once more why
            client.heard = time.monotonic()
        return web.Response(body=answer, content_type="application/json", headers=_NO_STORE)

    async def send(self, request: web.Request) -> web.Response:
        """Handle `POST /api/poll/ID?number=N`: send the frames of the body, one a line; with `close`, end it."""
        try:
            sent = await body(request, BODY_MAX)
        except BadForm as bad:
            refusal = web.Response(status=bad.status, headers=_NO_STORE)
            refusal.force_close()
            return refusal
        found = await self._find(request, sent)
        if isinstance(found, web.Response):
            return found
        id, client = found
        self._tally["sends"] += 1
        frames = [line for line in sent.split(b"\n") if line]
        if len(frames) > FRAMES_MAX:
            return web.Response(status=413, text=f"At most {FRAMES_MAX} frames a request.\n", headers=_NO_STORE)
        if "close" in request.query:
            return self._close(request, id, client, frames)
        try:
            if client.is_over or not client.say(_number(request, "number"), frames):
                raise OutOfOrder
        except OutOfOrder:
            if client.is_over:  # its close code waits for the next poll
                return web.Response(status=204, headers=_NO_STORE)
            return self._lost(id, client)
        return web.Response(status=204, headers=_NO_STORE)

    def _close(self, request: web.Request, id: str, client: PollClient, frames: list[bytes]) -> web.Response:
        """Close a client by its own word, behind its last frames."""
        with contextlib.suppress(
            OutOfOrder
        ):  # a request before this one was lost or is late: the word counts nevertheless
            client.say(_number(request, "number"), frames)
        del self._clients[id]
        code = _CLOSES.get(request.query["close"])
        if code is None:
            client.cut()
        else:
            client.close(code)
        return web.Response(status=204, headers=_NO_STORE)

    def _lost(self, id: str, client: PollClient) -> web.Response:
        """Cut a client whose requests have a gap."""
        self._cut(id, client)
        return web.Response(
            status=409, text="A request is missing: open another connection, and resume.\n", headers=_NO_STORE
        )

    async def _find(
        self, request: web.Request, sent: bytes, held: bool = False
    ) -> tuple[str, PollClient] | web.Response:
        """Return the client of a request, or the response: of the host that has the client, or that none has."""
        id = request.match_info["id"]
        client = self._clients.get(id)
        if client is not None:
            client.touch(time.monotonic())
            return id, client
        passing = self._services.passing
        if passing is not None and not is_forwarded(request) and (host := await passing.of_token(id)) is not None:
            try:
                return await passing.ask(request, host, POLL, sent, held=held)
            except Gone:
                pass
            except Away:
                return web.Response(status=503, headers={**_NO_STORE, "Retry-After": "1"})
        self._tally["unknown"] += 1
        return web.Response(status=404, text=_GONE, headers=_NO_STORE)


def _is_open(request: web.Request) -> bool:
    """Whether a held poll may wait on: its connection is open, and this process is not migrating its connections."""
    handler = request.protocol
    leaves = isinstance(handler, Handler) and handler.door.leaving
    return not leaves and request.transport is not None and not request.transport.is_closing()


def _number(request: web.Request, name: str) -> int:
    """Return a number of the query. Raises OutOfOrder."""
    written = request.query.get(name, "")
    if not written.isascii() or not written.isdigit() or len(written) > 15:
        raise OutOfOrder
    return int(written)


def add_polling(app: web.Application) -> None:
    """Add the routes to the application, if the settings allow clients."""
    services = app[SERVICES]
    most = services.settings.server.poll_clients
    if not most:
        return
    polls = LongPolls(services, most)
    services.sources += (polls.reading,)
    app.router.add_post(PATH, polls.open)
    app.router.add_get(PATH + "/{id:[A-Za-z0-9_-]+}", polls.poll)
    app.router.add_post(PATH + "/{id:[A-Za-z0-9_-]+}", polls.send)
    app.on_startup.append(polls.start)
    app.on_shutdown.append(polls.stop)
