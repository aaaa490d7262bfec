"""`/privacy` and `/api/privacy`: the statement, from the registry and this deployment's settings. Rule: rendered once, at the start."""

from __future__ import annotations

import orjson
from aiohttp import web

from server.http.services import STATE
from server.pages import PAGES
from server.privacy import statement

KEEP = {"Cache-Control": "no-cache"}


def add_privacy(app: web.Application) -> None:
    """One part of the application. Raises NotReleased where the registry was changed without a new version."""
    state = app[STATE]
    document = statement.document(state.settings.operator, state.settings.retention)
    text = app[PAGES].text("privacy.html", doc=document)
    body = orjson.dumps(document)
    state.offers["privacy"] = document["version"]

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=text, content_type="text/html", charset="utf-8", headers=KEEP)

    async def data(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json", headers=KEEP)

    app.router.add_get("/privacy", page)
    app.router.add_get("/api/privacy", data)
