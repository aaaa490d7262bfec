"""Serve `/answers`: a moderator's saved answers, and those that are shipped in every language.

**Invariant:** a moderator sees, saves and deletes only their own answers beside the shipped ones.
"""

from __future__ import annotations

from aiohttp import web

from server.http.words.worded_errors import Worded
from server.trust.console.console_gate import Gate, sent
from server.trust.console.console_pages import Pages
from server.trust.moderators.answer_templates import TITLE_MOST, AnswerTemplates
from server.trust.moderators.roles import Action, Operator
from server.trust.sanctions.sanction_scale import WORDS, Refused


class AnswerRoutes:
    """Handlers."""

    def __init__(self, pages: Pages, answers: AnswerTemplates) -> None:
        self._pages = pages
        self._answers = answers

    async def listed(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`GET /answers`"""
        return await self._list(request, operator)

    async def save(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /answers`: `title`, `text`, `language`."""
        form, spoken = sent(request), self._pages.spoken(request).language
        language = form.get("language") if form.get("language") in self._pages.said else spoken
        try:
            await self._answers.save(operator.name, form.get("title"), form.get("text"), language)
        except Refused as why:
            return await self._list(request, operator, problem=why)
        return web.Response(status=303, headers={"Location": "/answers"})

    async def remove(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /answers/remove`: `id`."""
        await self._answers.remove(operator.name, sent(request).get("id"))
        return web.Response(status=303, headers={"Location": "/answers"})

    async def _list(self, request: web.Request, operator: Operator, problem: Worded | None = None) -> web.Response:
        spoken = self._pages.spoken(request).language
        return self._pages.answer(
            "answers.html", request, operator, status=409 if problem else 200, problem=problem,
            answers=await self._answers.answers(operator.name, self._pages.said, spoken),
            title_most=TITLE_MOST, most=WORDS,
        )  # fmt: skip


def add_answers(gate: Gate, pages: Pages, answers: AnswerTemplates) -> None:
    """Add the routes."""
    routes = AnswerRoutes(pages, answers)
    pages.offer("/answers", "console.answers", Action.WORK)
    gate.add("GET", "/answers", Action.WORK, routes.listed)
    gate.add("POST", "/answers", Action.WORK, routes.save)
    gate.add("POST", "/answers/remove", Action.WORK, routes.remove)
