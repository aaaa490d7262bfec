"""Serve `/appeals` (open appeals and the answers to them), and the form that lifts a ban.

**Invariant:** a moderator sees an appeal against their own decision and cannot answer it; the page says why.
"""

from __future__ import annotations

from aiohttp import web

from server.data.retention.stale_cases import LAPSE, SHORT
from server.http.words.sentence_formatter import Said
from server.ops.config.moderation_policy import DAY, FOR_GOOD
from server.trust.cases.user_appeals import ANSWER
from server.trust.console.case_access import CASE, CasePages, may_see
from server.trust.console.case_words import measure, measured
from server.trust.console.console_gate import Gate, sent
from server.trust.console.console_pages import Pages
from server.trust.decisions.appeal_decisions import Appeal
from server.trust.decisions.case_work import CaseWork
from server.trust.moderators.roles import Action, Operator
from server.trust.sanctions.sanction_scale import CLOSING, Refused


class AppealRoutes:
    """Handlers."""

    def __init__(self, pages: CasePages, desk: CaseWork) -> None:
        self._pages = pages
        self._desk = desk

    async def appeals(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`GET /appeals`"""
        return await self._appeals(request, operator)

    async def answer(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /appeals/ID`: `outcome` (uphold or reverse), `words`; `network`: the appeal of the case's network."""
        ident, form = request.match_info["case"], sent(request)
        network = form.flag("network")
        waiting = {
            (one.case, one.network) for one in await self._desk.appeals(operator.name) if may_see(one.queue, operator)
        }
        outcome = form.get("outcome")
        if (ident, network) not in waiting or outcome not in ("uphold", "reverse"):
            return self._pages.missing(request, operator)
        words = form.get("words").strip()
        if not words:
            return await self._appeals(request, operator, problem=Refused("refused.appeal.words"))
        try:
            uphold = outcome == "uphold"
            await self._desk.answer(ident, operator.name, words, uphold=uphold, words=words, network=network)
        except Refused as why:
            return await self._appeals(request, operator, problem=why)
        return web.Response(status=303, headers={"Location": "/appeals"})

    async def unban(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /case/ID/unban`: `why`."""
        ident, why = request.match_info["case"], sent(request).get("why").strip()
        if not why:
            return self._pages.refused(request, operator, Refused("refused.why"))
        try:
            await self._desk.unban(ident, operator.name, why)
        except Refused as refusal:
            return self._pages.refused(request, operator, refusal)
        return web.Response(status=303, headers={"Location": f"/case/{ident}"})

    async def _appeals(
        self, request: web.Request, operator: Operator, problem: Refused | None = None
    ) -> web.StreamResponse:
        t = self._pages.spoken(request)
        waiting = [
            _shown(one, operator, t) for one in await self._desk.appeals(operator.name) if may_see(one.queue, operator)
        ]
        return self._pages.answer(
            "appeals.html", request, operator, status=409 if problem else 200, appeals=waiting, problem=problem,
            most=ANSWER,
        )  # fmt: skip


def _shown(one: Appeal, operator: Operator, t: Said) -> dict[str, object]:
    """Return an appeal as the page shows it."""
    length = FOR_GOOD if one.until >= FOR_GOOD else one.until - one.since
    out = one.measure in CLOSING
    lapse = one.at + LAPSE * DAY
    return {
        "case": one.case,
        "known": bool(one.queue),
        "text": one.text,
        "at": t.moment(one.at),
        "what": measured(one.measure, length, one.rule, t) if out else measure(one.measure, one.rule, t),
        "since": t.moment(one.since),
        "sentence": t.text(f"rule.{one.rule}"),
        "words": one.words,
        "network": one.network,
        "decided_by": one.decided_by,
        "own": one.decided_by == operator.name,
        "lapses": t.moment(lapse) if out and length <= SHORT * DAY and lapse < one.until else "",
    }


def add_appeals(gate: Gate, pages: Pages, cases: CasePages, desk: CaseWork) -> None:
    """Add the routes."""
    reviews = AppealRoutes(cases, desk)
    pages.offer("/appeals", "console.appeals", Action.APPEALS)
    gate.add("GET", "/appeals", Action.APPEALS, reviews.appeals)
    gate.add("POST", "/appeals/{case:[0-9a-f]{32}}", Action.APPEALS, reviews.answer)
    gate.add("POST", CASE + "/unban", Action.UNBAN, cases.of_a_case(reviews.unban))
