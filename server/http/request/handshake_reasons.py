"""Answer `GET /api/why`: what a WebSocket handshake of this client would be answered now. A browser tells a page no reason (close code 1006).

Any page may read it, since a page of an origin that is not listed needs the reason most; it counts nothing and opens nothing.
"""

from typing import Any, Final

from aiohttp import web

from server.http.request.client_info import CLIENT_INFO
from server.http.request.origins import from_own_page, is_listed
from server.http.request.site_services import SERVICES

PATH: Final = "/ws"
RETRY_S: Final = 5  # after a server that stops or is full
ORIGIN: Final = "Pages of {} may not use this server. Its operator lists that origin in SERENDIP_SERVER__ORIGINS."
ORIGIN_MAX: Final = 200  # characters that are repeated
READABLE: Final = {
    "Cache-Control": "no-store",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
STOPS: Final = "This server is stopping."
CROWDED: Final = "Too many connections come from your network."
FULL: Final = "This server is full. Try again in a moment."


def reason(request: web.Request) -> dict[str, Any]:
    """Return `status` of the handshake's answer, `path` of the WebSocket, and if it is refused `reason`, `retry_after`.

    `final`: another attempt makes no sense.
    """
    services = request.app[SERVICES]
    if "Origin" in request.headers and not (
        from_own_page(request, takes_null=False) or is_listed(request) or services.judge.lists("*")
    ):
        words = ORIGIN.format(request.headers["Origin"][:ORIGIN_MAX])
        return {"status": 403, "path": PATH, "final": True, "reason": words}
    if services.draining or services.worker.crowded:
        words = STOPS if services.draining else FULL
        return {"status": 503, "path": PATH, "final": False, "reason": words, "retry_after": RETRY_S}
    client = request.app[CLIENT_INFO]
    wait = services.find_refusal(client.address(request), client.cookie(request))
    if wait >= 0:
        later = {"retry_after": wait} if wait else {}
        return {"status": 429, "path": PATH, "final": False, "reason": CROWDED, **later}
    return {"status": 101, "path": PATH, "final": False}


async def why(request: web.Request) -> web.Response:
    """Handle `GET /api/why`."""
    return web.json_response(reason(request), headers=READABLE)


def add_why(app: web.Application) -> None:
    """Add the route to the application."""
    app.router.add_get("/api/why", why)
