"""Answer page requests of most new users with 503 while the process is overloaded (`server.ops.health.overload`).

**Invariant:** users with a session, and requests for anything but a page, are answered as usual.
"""

# New users come by a page: without it they open no connection, search or chat. Files, the API, Omegle's protocol (which has its own refusal) and
# health checks are no pages; the moderators' console and the metrics have ports of their own.

import time
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from server.http.pages.error_pages import PROGRAMS
from server.http.request.client_info import CLIENT_INFO
from server.http.request.site_services import SERVICES
from server.ops.health.readiness import PATHS, TURNED_AWAY

# seconds that the set of connected identities is reused: reading 20,000 sessions takes a millisecond
FRESH: Final = 1.0
NO_PAGES: Final = ("/s/", "/api/", "/client/", "/.well-known/")
FILES: Final = frozenset(("/ws", "/sw.js", "/manifest.webmanifest", "/robots.txt", "/favicon.ico"))
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class OverloadPages:
    """Overload state of one application; `take` is a middleware."""

    def __init__(self) -> None:
        self._inside: frozenset[int] = frozenset()
        self._until = 0.0

    @web.middleware
    async def take(self, request: web.Request, handler: Answer) -> web.StreamResponse:
        """Answer 503 for the page of a refused newcomer."""
        worker = request.app[SERVICES].worker
        if not worker.crowded or not page(request) or self._here(request) or worker.admits_page():
            return await handler(request)
        request[TURNED_AWAY] = True
        headers = {"Retry-After": str(worker.turn_away()), "Cache-Control": "no-store"}
        return web.Response(status=503, text="This server is full. Try again in a moment.\n", headers=headers)

    def _here(self, request: web.Request) -> bool:
        """Whether the request's cookie belongs to a user with a session in this process."""
        services, now = request.app[SERVICES], time.monotonic()
        if now >= self._until:
            sessions = services.worker.engine.sessions.values()
            self._inside = frozenset([session.identity for session in sessions if session.identity])
            self._until = now + FRESH
        return services.identities.of(request.app[CLIENT_INFO].cookie(request)) in self._inside


def page(request: web.Request) -> bool:
    """Whether the request is for a page that a newcomer opens."""
    path = request.path
    if request.method not in {"GET", "HEAD"} or path.startswith(NO_PAGES) or path in FILES or path in PATHS:
        return False
    return path not in request.app[PROGRAMS]
