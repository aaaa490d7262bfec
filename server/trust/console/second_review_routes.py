"""Serve `/second`: second reviews, in which a moderator judges a case that another moderator has decided.

**Invariant:** the first decision is not shown before the answer, and the answer has no effect on it.
"""

from __future__ import annotations

from aiohttp import web

from server.ops.config.moderation_policy import ADULTS, AGE
from server.trust.console import case_words
from server.trust.console.case_access import CASE, CasePages, may_see
from server.trust.console.console_gate import Gate, sent
from server.trust.console.console_pages import Pages
from server.trust.decisions.case_work import CaseWork
from server.trust.moderators.roles import Action, Operator
from server.trust.sanctions.sanction_scale import Refused

WHY = "a second look in the console"


class SecondReviewRoutes:
    """Handlers."""

    def __init__(self, pages: CasePages, desk: CaseWork) -> None:
        self._pages = pages
        self._desk = desk

    async def waiting(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`GET /second`: the cases open for this moderator's review."""
        t = self._pages.spoken(request)
        found = [one for one in await self._desk.open_second_reviews(operator.name) if may_see(one.queue, operator)]
        rows = [case_words.waits(one, t) for one in found]
        return self._pages.answer("second.html", request, operator, rows=rows)

    async def say(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /case/ID/second`: `choice`, a measure, and `rule`; then show the case with both decisions."""
        ident, form = request.match_info["case"], sent(request)
        measure = form.get("choice")
        rule = "" if measure == "none" else ADULTS if measure == AGE else form.get("rule")
        try:
            if measure == AGE and not operator.may(Action.CHILD):
                raise Refused("refused.age")
            await self._desk.answer_second_review(ident, operator.name, WHY, measure, rule)
        except Refused as why:
            return self._pages.refused(request, operator, why)
        return web.Response(status=303, headers={"Location": f"/case/{ident}"})


def add_second_reviews(gate: Gate, pages: Pages, cases: CasePages, desk: CaseWork) -> None:
    """Add the routes."""
    seconds = SecondReviewRoutes(cases, desk)
    pages.offer("/second", "console.second", Action.WORK)
    gate.add("GET", "/second", Action.WORK, seconds.waiting)
    gate.add("POST", CASE + "/second", Action.WORK, cases.of_a_case(seconds.say))
