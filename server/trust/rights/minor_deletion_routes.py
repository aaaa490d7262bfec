"""Serve `/api/under-18` (delete the data of a user who states to be under 18), and the public key of deletion receipts.

**Invariant:** only pages of this server and of listed origins may use these routes, and no answer reveals whether data was stored.
"""

from __future__ import annotations

from aiohttp import web

from server.data.errors import StoreAway
from server.http.request.client_info import CLIENT_INFO
from server.http.request.origins import from_known_page
from server.http.request.site_services import SERVICES
from server.trust.rights.request_pages import RIGHTS

NO_STORE = {"Cache-Control": "no-store"}
AGAIN = "30"  # seconds


async def under_18(request: web.Request) -> web.Response:
    """Delete a minor's records. While the store is away the cookie is kept, because the records can be found by it alone.

    `POST /api/under-18`: a user states to be under 18. The records of that identity are deleted, without a ticket, and the cookie at once.
    """
    if not from_known_page(request):
        return web.Response(status=403, headers=NO_STORE)
    identity = request.app[SERVICES].identities.of(request.app[CLIENT_INFO].cookie(request))
    rights = request.app.get(RIGHTS)
    if identity and rights is not None:
        try:
            await rights.deletion.ask(identity, int(rights.now))
        except StoreAway:
            return web.Response(status=503, headers=NO_STORE | {"Retry-After": AGAIN})
    return web.Response(status=204, headers=NO_STORE | {"Clear-Site-Data": '"cookies"'})


async def receipt_key(request: web.Request) -> web.Response:
    """Return the public key, `NAME+KEYID+BASE64`, in one line.

    `GET /.well-known/serendip-receipts`
    """
    key = request.app[RIGHTS].deletion.receipt_key
    return web.Response(text=f"{key}\n", headers={"Cache-Control": "public, max-age=3600"})


def add_browser(app: web.Application) -> None:
    """Add the routes."""
    app.router.add_post("/api/under-18", under_18)
    if RIGHTS in app:
        app.router.add_get("/.well-known/serendip-receipts", receipt_key)
