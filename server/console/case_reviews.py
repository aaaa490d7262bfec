"""`/appeals`, and bans that are taken back. Rule: one's own decision is shown and cannot be answered; the page says why."""

from __future__ import annotations

from aiohttp import web

from server.console import case_words
from server.console.case_pages import CASE, CasePages, seen
from server.console.gate import Gate, sent
from server.console.pages import Pages
from server.console.roles import Action, Operator
from server.safety.appeals import ANSWER
from server.safety.ban_table import SENTENCES
from server.safety.desk import Desk
from server.safety.measures import CLOSING, DAY, FOR_GOOD, Refused, lasts
from server.safety.reviews import Appeal
from server.store.case_life import LAPSE, SHORT


class Reviews:
    """The handlers."""

    def __init__(self, pages: CasePages, desk: Desk) -> None:
        self._pages = pages
        self._desk = desk

    async def appeals(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`GET /appeals`"""
        return await self._appeals(request, operator)

    async def answer(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /appeals/ID`: `outcome` (uphold or reverse), `words`."""
        ident, form = request.match_info["case"], sent(request)
        waiting = {one.case for one in await self._desk.appeals(operator.name) if seen(one.queue, operator)}
        outcome = form.get("outcome")
        if ident not in waiting or outcome not in ("uphold", "reverse"):
            return self._pages.missing(request, operator)
        words = form.get("words").strip()
        if not words:
            return await self._appeals(request, operator, problem="write a few words: who appealed reads them")
        try:
            await self._desk.answer(ident, operator.name, words, uphold=outcome == "uphold", words=words)
        except Refused as why:
            return await self._appeals(request, operator, problem=str(why))
        return web.Response(status=303, headers={"Location": "/appeals"})

    async def unban(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /case/ID/unban`: `why`."""
        ident, why = request.match_info["case"], sent(request).get("why").strip()
        if not why:
            return self._pages.refused(request, operator, "say why, for the trail")
        try:
            await self._desk.unban(ident, operator.name, why)
        except Refused as refusal:
            return self._pages.refused(request, operator, str(refusal))
        return web.Response(status=303, headers={"Location": f"/case/{ident}"})

    async def _appeals(self, request: web.Request, operator: Operator, problem: str = "") -> web.StreamResponse:
        waiting = [
            _shown(one, operator) for one in await self._desk.appeals(operator.name) if seen(one.queue, operator)
        ]
        return self._pages.answer(
            "appeals.html", request, operator, status=409 if problem else 200, appeals=waiting, problem=problem,
            most=ANSWER,
        )  # fmt: skip


def _shown(one: Appeal, operator: Operator) -> dict[str, object]:
    """An appeal as the page shows it."""
    length = FOR_GOOD if one.until >= FOR_GOOD else one.until - one.since
    out = one.measure in CLOSING
    lapse = one.at + LAPSE * DAY
    return {
        "case": one.case,
        "known": bool(one.queue),
        "text": one.text,
        "at": case_words.minute(one.at),
        "what": f"{one.measure} {lasts(length)}" if out else one.measure,
        "since": case_words.minute(one.since),
        "rule": one.rule,
        "sentence": SENTENCES[one.rule],
        "words": one.words,
        "decided_by": one.decided_by,
        "own": one.decided_by == operator.name,
        "lapses": case_words.minute(lapse) if out and length <= SHORT * DAY and lapse < one.until else "",
    }


def add_reviews(gate: Gate, pages: Pages, cases: CasePages, desk: Desk) -> None:
    """One part of the work on cases."""
    reviews = Reviews(cases, desk)
    pages.offer("/appeals", "Appeals", Action.APPEALS)
    gate.add("GET", "/appeals", Action.APPEALS, reviews.appeals)
    gate.add("POST", "/appeals/{case:[0-9a-f]{32}}", Action.APPEALS, reviews.answer)
    gate.add("POST", CASE + "/unban", Action.UNBAN, cases.of_a_case(reviews.unban))
