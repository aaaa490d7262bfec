"""Serve the page on which one decision closes all open cases that began alike (whose reported users sent similar first lines), and which undoes it
as a whole.

**Invariant:** nothing is decided that the page did not list, and only cases of the queue that the moderator may open are listed.
"""

from __future__ import annotations

from aiohttp import web

from server.http.words.worded_errors import Worded
from server.ops.config.moderation_policy import RULES
from server.ops.config.moderation_policy import reason as policy_reason
from server.trust.console import case_words
from server.trust.console.case_access import CASE, CasePages
from server.trust.console.console_gate import Gate, sent
from server.trust.decisions.case_batches import BATCH_MOST, CaseBatches
from server.trust.moderators.roles import Action, Operator
from server.trust.sanctions.sanction_scale import Refused

WHY = "cases that began alike, in the console"


class BatchRoutes:
    """Handlers."""

    def __init__(self, pages: CasePages, desk: CaseBatches) -> None:
        self._pages = pages
        self._desk = desk

    async def show(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`GET /case/ID/alike`: the open cases that began as this one did."""
        return await self._list(request, operator)

    async def decide(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /case/ID/alike`: `case` (any number of those listed), `choice`, `rule`, `minutes`, `words`."""
        form, ident = sent(request), request.match_info["case"]
        queue = await self._desk.queue_of(ident)
        known = {one.hex() for one in await self._desk.alike_cases(ident)}
        chosen = [one for one in form.all("case") if one in known]
        try:
            if not chosen:
                raise Refused("refused.batch.none")
            decision = case_words.decision(
                form.get("choice"), form.get("rule"), form.get("minutes"), "", form.get("words")
            )
            found = await self._desk.decide_batch(chosen, operator.name, WHY, decision)
        except Refused as why:
            return await self._list(request, operator, problem=why)
        there = f"/cases?queue={queue}&batch={found.id}&left={found.left}"
        return web.Response(status=303, headers={"Location": there})

    async def undo(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /batch/ID/undo`: undo one's own batch."""
        batch = request.match_info["batch"]
        some = await self._desk.batch(batch, operator.name)
        queue = await self._desk.queue_of(some[0]) if some else ""
        try:
            if (await self._desk.undo_batch(batch, operator.name)).left:
                raise Refused("refused.appealed")
        except Refused as why:
            return self._pages.refused(request, operator, why)
        return web.Response(status=303, headers={"Location": f"/cases?queue={queue}"})

    async def _list(
        self, request: web.Request, operator: Operator, problem: Worded | None = None
    ) -> web.StreamResponse:
        ident, now, t = request.match_info["case"], self._desk.now, self._pages.spoken(request)
        queue = await self._desk.queue_of(ident)
        alike = {one.hex() for one in await self._desk.alike_cases(ident)}
        listed = [one for one in await self._desk.cases(queue, BATCH_MOST * 5) if one.id in alike][:BATCH_MOST]
        words = await self._desk.excerpts(queue, listed, operator.name, WHY)
        first = next((one for one in listed if one.id == ident), None)
        return self._pages.answer(
            "alike.html", request, operator, status=409 if problem else 200, problem=problem, case=ident, queue=queue,
            label=case_words.queue(queue, t), more=len(alike) > len(listed), pauses=case_words.pauses(t),
            rows=[case_words.row(one, now, t) | case_words.excerpt(words[one.id], t) for one in listed],
            rules=[(rule, t.text(f"rule.{rule}")) for rule in RULES],
            rule=policy_reason(first.reasons[0]).rule if first else "", mine=operator.name,
        )  # fmt: skip


def add_batches(gate: Gate, cases: CasePages, desk: CaseBatches) -> None:
    """Add the routes."""
    routes = BatchRoutes(cases, desk)
    gate.add("GET", CASE + "/alike", Action.WORK, cases.of_a_case(routes.show))
    gate.add("POST", CASE + "/alike", Action.WORK, cases.of_a_case(routes.decide))
    gate.add("POST", "/batch/{batch:[0-9a-f]{32}}/undo", Action.WORK, routes.undo)
