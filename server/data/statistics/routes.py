"""Serve the statistics of use: `/statistics`, and the same as data at `/api/statistics` and `/api/statistics.csv`.

**Invariant:** a request reads no database: the store reads the figures once an hour, and a page is rendered once for each language.
"""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from server.data.statistics.statistics_page import as_csv, tables
from server.http.pages import PAGES, Pages, page_language
from server.http.pages.static_response import File
from server.http.request.site_services import SERVICES, Services


class StatisticsRoutes:
    """Handlers of the page and the data. Without a store nothing is counted, and the page says so."""

    def __init__(self, services: Services, pages: Pages) -> None:
        self._services = services
        self._pages = pages
        self._made: dict[tuple[str, bool], tuple[Any, File]] = {}  # with the figures that it was made of

    async def page(self, request: web.Request) -> web.Response:
        """`GET /statistics`"""
        months = self._months
        key = page_language.language_of(request, self._pages.said)
        figures, file = self._made.get(key, (None, None))
        if months is None or file is None or figures is not months:
            reader = self._pages.reader(request)
            t = reader["t"]
            shown = [(t.month(month["month"]), tables(month, t)) for month in months or ()]
            state = "away" if months is None else "" if months else "empty"
            body = self._pages.text("statistics.html", state=state, months=shown, **reader)
            if months is None:
                headers = {"Cache-Control": "no-store", "Content-Language": key[0]}
                return web.Response(text=body, status=503, content_type="text/html", headers=headers)
            file = File.of("statistics.html", body.encode())
            self._made[key] = months, file
        return file.answer(request, "no-cache", "Accept-Language", Content_Language=key[0])

    async def data(self, _: web.Request) -> web.Response:
        """`GET /api/statistics`"""
        if (months := self._months) is None:
            return web.json_response({"error": "away"}, status=503, headers={"Cache-Control": "no-store"})
        return web.Response(
            body=orjson.dumps({"months": months}),
            content_type="application/json",
            headers={"Cache-Control": "no-cache"},
        )

    async def table(self, _: web.Request) -> web.Response:
        """`GET /api/statistics.csv`"""
        if (months := self._months) is None:
            return web.json_response({"error": "away"}, status=503, headers={"Cache-Control": "no-store"})
        return web.Response(
            text=as_csv(months), content_type="text/csv", charset="utf-8", headers={"Cache-Control": "no-cache"}
        )

    @property
    def _months(self) -> list[dict[str, Any]] | None:
        """The published figures; None: the database was never reached."""
        store = self._services.store
        return NOTHING if store is None else store.statistics.months


NOTHING: list[dict[str, Any]] = []


def add_statistics(app: web.Application) -> None:
    """Add the routes."""
    routes = StatisticsRoutes(app[SERVICES], app[PAGES])
    app.router.add_get("/statistics", routes.page)
    app.router.add_get("/api/statistics", routes.data)
    app.router.add_get("/api/statistics.csv", routes.table)
