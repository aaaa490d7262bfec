"""Serve `/emergencies`: disclosures because a life was in danger, and their review by a moderator who had no part in them.

**Invariant:** writing a review needs a freshly verified passkey.
"""

from __future__ import annotations

from aiohttp import web

from server.http.words.sentence_formatter import Said
from server.trust.console.console_gate import Gate, sent
from server.trust.console.console_pages import Pages
from server.trust.moderators.emergency_reviews import EmergencyReview, EmergencyReviews
from server.trust.moderators.moderator_accounts import Refused
from server.trust.moderators.roles import Action, Operator


class EmergencyRoutes:
    """Handlers."""

    def __init__(self, pages: Pages, reviews: EmergencyReviews) -> None:
        self._pages = pages
        self._reviews = reviews

    async def show(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`GET /emergencies`"""
        return await self._answer(request, operator)

    async def review(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /emergencies`: `number`, `verdict`, `finding`."""
        form = sent(request)
        try:
            await self._reviews.review(form.get("number"), operator.name, form.get("verdict"), form.get("finding"))
        except Refused as why:
            return await self._answer(request, operator, why)
        return web.Response(status=303, headers={"Location": "/emergencies"})

    async def _answer(
        self, request: web.Request, operator: Operator, problem: Refused | None = None
    ) -> web.StreamResponse:
        t = self._pages.spoken(request)
        found = await self._reviews.listed(every=True)
        now = self._reviews.now
        return self._pages.answer(
            "emergencies.html", request, operator, status=409 if problem else 200, problem=problem,
            waiting=[_row(one, operator, t, now) for one in found if one.reviewed is None],
            made=[_row(one, operator, t, now) for one in found if one.reviewed is not None],
        )  # fmt: skip


def _row(one: EmergencyReview, operator: Operator, t: Said, now: int) -> dict[str, object]:
    """Return a review as the page shows it."""
    return {
        "number": one.number,
        "label": t.text(f"console.approval.{one.what.value}"),
        "subject": one.subject,
        "by": one.by,
        "at": t.moment(one.at),
        "due": t.moment(one.due),
        "late": now > one.due,
        "mine": not one.may_review(operator.name),
        "verdict": one.verdict,
        "finding": one.finding,
        "reviewed_by": one.reviewed_by,
        "reviewed": t.moment(one.reviewed) if one.reviewed is not None else "",
    }


def add_emergencies(gate: Gate, pages: Pages, reviews: EmergencyReviews) -> None:
    """Add the routes."""
    routes = EmergencyRoutes(pages, reviews)
    pages.offer("/emergencies", "console.emergencies", Action.REVIEW)
    gate.add("GET", "/emergencies", Action.REVIEW, routes.show)
    gate.add("POST", "/emergencies", Action.REVIEW, routes.review, fresh=True)
