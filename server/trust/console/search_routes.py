"""Serve `/search`: find a case by its digits, a report's receipt or a day, and list the moderator's own work.

**Invariant:** cases of queues that the moderator may not open are left out, as if they did not exist.
"""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from server.http.words.worded_errors import Worded
from server.trust.cases.case_search import FOUND_MOST, OWN_DAYS, FoundCase
from server.trust.console import case_words
from server.trust.console.case_access import CasePages, may_see
from server.trust.console.console_gate import Gate
from server.trust.console.console_pages import Pages
from server.trust.decisions.case_work import CaseWork
from server.trust.moderators.roles import Action, Operator
from server.trust.sanctions.sanction_scale import Refused

WORDS_MOST = 200  # characters of a search


class SearchRoutes:
    """Handlers."""

    def __init__(self, pages: CasePages, desk: CaseWork) -> None:
        self._pages = pages
        self._desk = desk

    async def search(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`GET /search?q=…`: the cases found; without `q` the moderator's own work."""
        words, problem, found = request.query.get("q", "").strip()[:WORDS_MOST], None, None
        try:
            if words:
                found = self._rows(await self._desk.search(words, operator.name), request, operator)
        except Refused as why:
            problem, found = why, []
        if found is not None:
            return self._page(request, operator, words, problem, {"found": found})
        passed = self._rows(await self._desk.passed_on(operator.name, operator.roles), request, operator)
        own = self._rows(await self._desk.own_decisions(operator.name), request, operator)
        return self._page(request, operator, words, problem, {"passed": passed, "own": own})

    def _page(
        self, request: web.Request, operator: Operator, words: str, problem: Worded | None, lists: dict[str, object]
    ) -> web.Response:
        return self._pages.answer(
            "search.html", request, operator, words=words, problem=problem, days=OWN_DAYS, most=WORDS_MOST, found_most=FOUND_MOST,
            found=lists.get("found"), passed=lists.get("passed"), own=lists.get("own"),
        )  # fmt: skip

    def _rows(self, found: Sequence[FoundCase], request: web.Request, operator: Operator) -> list[dict[str, object]]:
        t = self._pages.spoken(request)
        return [case_words.found_case(one, self._desk.now, t) for one in found if may_see(one.queue, operator)]


def add_search(gate: Gate, pages: Pages, cases: CasePages, desk: CaseWork) -> None:
    """Add the routes."""
    routes = SearchRoutes(cases, desk)
    pages.offer("/search", "console.search", Action.WORK)
    gate.add("GET", "/search", Action.WORK, routes.search)
