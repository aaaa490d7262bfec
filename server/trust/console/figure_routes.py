"""Serve `/figures`: the queues by day, and how far second reviews agree.

**Invariant:** a moderator sees their own agreement; only a lead (who may lift others' decisions) sees that of each moderator.
"""

from __future__ import annotations

from aiohttp import web

from server.http.words.sentence_formatter import Said
from server.trust.cases.case_figures import AGREEMENT_DAYS, TREND_DAYS, QueueTrend
from server.trust.console import case_words
from server.trust.console.case_access import CasePages, may_see
from server.trust.console.console_gate import Gate
from server.trust.console.console_pages import Pages
from server.trust.decisions.case_work import CaseWork
from server.trust.moderators.roles import Action, Operator

WIDTH, HEIGHT = 10, 40  # units of a day's column and of the highest one in a picture


class FigureRoutes:
    """Handlers."""

    def __init__(self, pages: CasePages, desk: CaseWork) -> None:
        self._pages = pages
        self._desk = desk

    async def figures(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`GET /figures`"""
        t = self._pages.spoken(request)
        trends = [_shown(one, t) for one in await self._desk.trends() if may_see(one.queue, operator)]
        found = [one for one in await self._desk.agreement() if operator.may(Action.UNBAN) or one.name == operator.name]
        return self._pages.answer(
            "figures.html", request, operator, trends=trends, days=TREND_DAYS, agreement_days=AGREEMENT_DAYS,
            agreement=[(one, f"{100 * one.agreed // one.reviewed} %" if one.reviewed else "–") for one in found],
        )  # fmt: skip


def _shown(trend: QueueTrend, t: Said) -> dict[str, object]:
    """Return a queue's trend as the page shows it; `bars`: (x, y, height) of each day's waiting cases."""
    most = max(1, *trend.waiting)
    heights = [round(HEIGHT * one / most) for one in trend.waiting]
    week = trend.waiting[-1] - trend.waiting[-8]
    return {
        "label": case_words.queue(trend.queue, t),
        "open": trend.waiting[-1],
        "opened": (trend.opened[-1], sum(trend.opened[-7:])),
        "closed": (trend.closed[-1], sum(trend.closed[-7:])),
        "change": f"{week:+d}" if week else "±0",
        "bars": [(place * WIDTH, HEIGHT - one, one) for place, one in enumerate(heights)],
        "waiting": ", ".join(map(str, trend.waiting)),
    }


def add_figures(gate: Gate, pages: Pages, cases: CasePages, desk: CaseWork) -> None:
    """Add the routes."""
    routes = FigureRoutes(cases, desk)
    pages.offer("/figures", "console.figures", Action.WORK)
    gate.add("GET", "/figures", Action.WORK, routes.figures)
