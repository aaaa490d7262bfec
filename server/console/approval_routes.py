"""`/approvals`: what waits for a second operator. Rule: shown to those who may do the same; a yes takes a fresh passkey."""

from __future__ import annotations

import datetime
from collections.abc import Awaitable, Callable

from aiohttp import web

from server.console.accounts import Refused
from server.console.approvals import Approvals, Asked
from server.console.gate import Gate, sent
from server.console.pages import Pages
from server.console.roles import TWO_OPERATORS, Action, Operator

LABELS = {Action.FOREVER: "ban for good", Action.REVEAL: "reveal an address", Action.EXPORT: "export a case"}


class ApprovalRoutes:
    """The handlers."""

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
        """`POST /approvals/refuse`: `id`; one's own is taken back by it."""
        return await self._do(request, operator, self._approvals.refuse)

    async def _do(
        self, request: web.Request, operator: Operator, deed: Callable[[str, Operator], Awaitable[None]]
    ) -> web.StreamResponse:
        try:
            await deed(sent(request).get("id"), operator)
        except Refused as why:
            return await self._answer(request, operator, str(why))
        return web.Response(status=303, headers={"Location": "/approvals"})

    async def _answer(self, request: web.Request, operator: Operator, problem: str = "") -> web.StreamResponse:
        waiting = [_row(one, operator) for one in await self._approvals.waiting(operator)]
        return self._pages.answer(
            "approvals.html", request, operator, status=409 if problem else 200, waiting=waiting, problem=problem
        )


def _row(one: Asked, operator: Operator) -> dict[str, object]:
    """A request as the page shows it."""
    return {
        "id": one.id,
        "label": LABELS.get(one.action, one.action.value),
        "subject": one.subject.hex()[:12],
        "words": one.words,
        "by": one.asked_by,
        "asked": minute(one.asked),
        "state": one.state.value,
        "ready": "" if one.ready is None else minute(one.ready),
        "confirmed_by": one.confirmed_by,
        "alone": one.alone,
        "emergency": one.emergency,
        "own": one.asked_by == operator.name,
    }


def minute(at: int) -> str:
    """`2026-11-26 16:05`, UTC."""
    return f"{datetime.datetime.fromtimestamp(at, datetime.UTC):%Y-%m-%d %H:%M}"


def add_approvals(gate: Gate, pages: Pages, approvals: Approvals) -> None:
    """One part of the console."""
    routes = ApprovalRoutes(pages, approvals)
    pages.offer("/approvals", "Approvals", TWO_OPERATORS)
    gate.add("GET", "/approvals", TWO_OPERATORS, routes.show)
    gate.add("POST", "/approvals/confirm", TWO_OPERATORS, routes.confirm, fresh=True)
    gate.add("POST", "/approvals/refuse", TWO_OPERATORS, routes.refuse)
