"""What needs no page of its own. Rule: for our own pages and those of listed origins, and no answer says whether anything was stored.

`POST /api/under-18`: a tap that one is not 18. The records of that identity go to deletion, without a ticket, and the cookie goes at once.
`GET /.well-known/serendip-receipts`: the key by which anybody checks a receipt.
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
    """Where the store is away the cookie stays, for without it nothing could be found."""
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
    """`NAME+KEYID+BASE64`, one line."""
    key = request.app[RIGHTS].deletion.receipt_key
    return web.Response(text=f"{key}\n", headers={"Cache-Control": "public, max-age=3600"})


def add_browser(app: web.Application) -> None:
    """One part of the application."""
    app.router.add_post("/api/under-18", under_18)
    if RIGHTS in app:
        app.router.add_get("/.well-known/serendip-receipts", receipt_key)
