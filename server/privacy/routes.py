"""`/privacy` and `/api/privacy`: the statement, from the registry and this deployment's settings. Rule: rendered once, at the start."""

from __future__ import annotations

import orjson
from aiohttp import web

from server.http.services import SERVICES
from server.pages import PAGES
from server.privacy import statement

NO_CACHE = {"Cache-Control": "no-cache"}


def add_privacy(app: web.Application) -> None:
    """One part of the application. Raises NotReleased where the registry was changed without a new version."""
    services = app[SERVICES]
    document = statement.document(services.settings.operator, services.settings.retention)
    text = app[PAGES].text("privacy.html", doc=document)
    body = orjson.dumps(document)
    services.offers["privacy"] = document["version"]

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=text, content_type="text/html", charset="utf-8", headers=NO_CACHE)

    async def data(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json", headers=NO_CACHE)

    app.router.add_get("/privacy", page)
    app.router.add_get("/api/privacy", data)
