"""Serve the privacy statement: `/privacy`, `/privacy/<version>`, `/privacy/changes` and `/api/privacy`, in the language of `?lang=` or
Accept-Language.

**Invariant:** every version that was ever in effect can be read here.
"""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from server.data.privacy import registry_history
from server.data.privacy.registry import REGISTRY
from server.data.statement.current_statement import PublishedStatement, added
from server.data.statement.statement_versions import Version
from server.data.statement.term_translations import SAID
from server.http.pages import PAGES, Pages, page_language
from server.http.pages.static_response import File
from server.http.request.site_services import SERVICES, Services
from server.http.words.sentence_formatter import said

PUBLISHED: web.AppKey[PublishedStatement] = web.AppKey("published", PublishedStatement)
KEPT = 36  # rendered pages


class PrivacyRoutes:
    """HTTP handlers of the statement."""

    def __init__(self, services: Services, pages: Pages, published: PublishedStatement) -> None:
        self._services = services
        self._pages = pages
        self._published = published
        self._rendered: dict[tuple[object, ...], File] = {}
        published.on_read(self.update_offers)

    def update_offers(self) -> None:
        """Update the statement's fields in `/api/config`, and drop rendered pages, which may be outdated."""
        self._services.offers |= self._published.offers()
        if not self._services.offers["statement"]:
            del self._services.offers["statement"]
        self._rendered.clear()

    async def page(self, request: web.Request) -> web.Response:
        """`GET /privacy`"""
        return self._statement(request, self._published.version)

    async def data(self, request: web.Request) -> web.Response:
        """`GET /api/privacy`"""
        body = self._published.answer(self._published.version, language_of(request))
        return File.of("privacy.json", orjson.dumps(body)).answer(request, "no-cache", "Accept-Language")

    async def version(self, request: web.Request) -> web.Response:
        """`GET /privacy/<version>`: a version of this deployment, or a version of the registry from before it had any."""
        name = request.match_info["version"]
        found = self._published.named(name)
        if found is not None:
            return self._statement(request, found)
        before = registry_history.past_statement(name)
        if before is None:
            raise web.HTTPNotFound
        return self._answer(request, ("past", name), "privacy-past.html", doc=before)

    async def changes(self, request: web.Request) -> web.Response:
        """`GET /privacy/changes`"""
        history = self._published.history(language_of(request))
        return self._answer(
            request,
            ("changes",),
            "privacy-changes.html",
            history=history,
            past=registry_history.released(),
            added=added,
        )

    def _statement(self, request: web.Request, version: Version) -> web.Response:
        doc = self._published.answer(version, language_of(request))
        rights = bool(self._services.offers.get("rights"))
        current = version is self._published.version
        return self._answer(
            request, (version.name, rights, current), "privacy.html", doc=doc, current=current, rights=rights
        )

    def _answer(self, request: web.Request, key: tuple[object, ...], template: str, **values: Any) -> web.Response:
        language, chosen = page_language.language_of(request, said())
        file = self._rendered.get((*key, language, chosen))
        if file is None:
            text = self._pages.text(
                template, **self._pages.reader(request), say=SAID[language], heading=REGISTRY.heading, **values
            )
            if len(self._rendered) >= KEPT:
                self._rendered.clear()
            file = self._rendered[*key, language, chosen] = File.of(template, text.encode())
        return file.answer(request, "no-cache", "Accept-Language", Content_Language=language)


def language_of(request: web.Request) -> str:
    """Return the language: `?lang=`, else the browser's first available one, else English."""
    return page_language.language_of(request, said())[0]


def add_privacy(app: web.Application) -> None:
    """Add the routes to the application. Raises NotReleased if the registry has no version."""
    services = app[SERVICES]
    published = app.get(PUBLISHED) or PublishedStatement(services.settings)
    routes = PrivacyRoutes(services, app[PAGES], published)
    routes.update_offers()

    app.router.add_get("/privacy", routes.page)
    app.router.add_get("/api/privacy", routes.data)
    app.router.add_get("/privacy/changes", routes.changes)
    app.router.add_get(r"/privacy/{version:\d{1,6}(?:\.\d{1,6})?}", routes.version)
