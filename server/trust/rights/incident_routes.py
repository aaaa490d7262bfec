"""Serve `/privacy/incidents`, and offer the banner that leads to it.

**Invariant:** the page needs no cookie and no script, and says nothing about a single person.
"""

from __future__ import annotations

from aiohttp import web

from server.data.errors import StoreAway
from server.data.privacy.registry_model import Category
from server.data.statement.term_translations import SAID
from server.http.pages import PAGES
from server.http.request.site_services import SERVICES, Services
from server.trust.data_requests.rights_ports import Incident, Rights


class IncidentRoutes:
    """Handlers."""

    def __init__(self, services: Services, rights: Rights) -> None:
        self._services = services
        self._rights = rights
        rights.on_look(self.update_offers)

    def update_offers(self) -> None:
        """Update the field of `/api/config` for the banner."""
        if self._rights.incident is None:
            self._services.offers.pop("incident", None)
        else:
            self._services.offers["incident"] = self._rights.incident

    async def page(self, request: web.Request) -> web.Response:
        """`GET /privacy/incidents`"""
        pages = request.app[PAGES]
        reader = pages.reader(request)
        t = reader["t"]
        try:
            found = await self._rights.published_incidents()
        except StoreAway:
            return pages.answer(
                "privacy-incidents.html", status=503, cache="no-store", away=True, incidents=[], **reader
            )
        shown = [
            {
                "day": t.day(one.aware), "words": one.words, "categories": _categories(one), "authority": one.authority, "why": one.why,
                "people": t.number(one.people) if one.people else "", "closed": t.day(one.closed) if one.closed else "",
                "notified": t.day(one.notified) if one.notified else "",
            }
            for one in found
        ]  # fmt: skip
        say = SAID[t.language]
        answer = pages.answer(
            "privacy-incidents.html", cache="no-cache", away=False, incidents=shown, say=say, **reader
        )
        answer.headers["Vary"] = "Accept-Language"
        return answer


def _categories(one: Incident) -> list[str]:
    """Return the names of the categories of data, for which the row has the law's letters."""
    return [Category[letter].value for letter in one.categories.split(", ") if letter]


def add_incidents(app: web.Application, rights: Rights) -> None:
    """Add the route."""
    app.router.add_get("/privacy/incidents", IncidentRoutes(app[SERVICES], rights).page)
