"""Serve `/approvals`: requests for an action that a second moderator must confirm.

**Invariant:** a request is shown only to moderators who have the permission for its action; confirming needs a freshly verified passkey.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from server.http.words.sentence_formatter import Said
from server.ops.security.reference_numbers import shown
from server.trust.console.case_words import wanted_words
from server.trust.console.console_gate import Gate, sent
from server.trust.console.console_pages import Pages
from server.trust.moderators.approvals import GOOD, ApprovalRequest, Approvals
from server.trust.moderators.moderator_accounts import Refused
from server.trust.moderators.roles import TWO_OPERATORS, Action, Operator


class ApprovalRoutes:
    """Handlers."""

    def __init__(self, pages: Pages, approvals: Approvals) -> None:
        self._pages = pages
        self._approvals = approvals

    async def show(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`GET /approvals`"""
        return await self._answer(request, operator)

    async def confirm(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /approvals/confirm`: `id`."""
        return await self._do(request, operator, self._approvals.confirm)

    async def refuse(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /approvals/refuse`: `id`; one's own request is withdrawn."""
        return await self._do(request, operator, self._approvals.refuse)

    async def _do(
        self, request: web.Request, operator: Operator, deed: Callable[[str, Operator], Awaitable[None]]
    ) -> web.StreamResponse:
        try:
            await deed(sent(request).get("id"), operator)
        except Refused as why:
            return await self._answer(request, operator, why)
        return web.Response(status=303, headers={"Location": "/approvals"})

    async def _answer(
        self, request: web.Request, operator: Operator, problem: Refused | None = None
    ) -> web.StreamResponse:
        t = self._pages.spoken(request)
        waiting = [_row(one, operator, t) for one in await self._approvals.waiting(operator)]
        return self._pages.answer(
            "approvals.html", request, operator, status=409 if problem else 200, waiting=waiting, problem=problem
        )


def _row(one: ApprovalRequest, operator: Operator, t: Said) -> dict[str, object]:
    """Return a request as the page shows it. `until`: its expiry."""
    what, words = wanted_words(one.words, t) if one.action is Action.FOREVER else ("", one.words)
    return {
        "id": one.id,
        "label": t.text(f"console.approval.{one.action.value}"),
        "subject": shown(one.subject.decode()) if one.action is Action.PRODUCE else one.subject.hex()[:12],
        "what": what,
        "words": words,
        "by": one.asked_by,
        "asked": t.moment(one.asked),
        "state": one.state.value,
        "ready": "" if one.ready is None else t.moment(one.ready),
        "until": "" if one.ready is None else t.moment(one.ready + GOOD),
        "confirmed_by": one.confirmed_by,
        "alone": one.alone,
        "emergency": one.emergency,
        "own": one.asked_by == operator.name,
    }


def add_approvals(gate: Gate, pages: Pages, approvals: Approvals) -> None:
    """Add the routes."""
    routes = ApprovalRoutes(pages, approvals)
    pages.offer("/approvals", "console.approvals", TWO_OPERATORS)
    gate.add("GET", "/approvals", TWO_OPERATORS, routes.show)
    gate.add("POST", "/approvals/confirm", TWO_OPERATORS, routes.confirm, fresh=True)
    gate.add("POST", "/approvals/refuse", TWO_OPERATORS, routes.refuse)
