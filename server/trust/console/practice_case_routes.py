"""Serve `/examples`: invented cases on which a moderator practises, each marked as an example.

**Invariant:** nothing that is answered here is stored, so that no figure counts it.
"""

from __future__ import annotations

from aiohttp import web

from server.ops.config.moderation_policy import RULES
from server.trust.console import case_words
from server.trust.console.case_access import CasePages
from server.trust.console.console_gate import Gate, sent
from server.trust.console.console_pages import Pages
from server.trust.moderators.example_cases import EXAMPLES, ExampleCase
from server.trust.moderators.roles import Action, Operator

CHOICES = ("none", "warning", "pause", "ban", "pass")


class ExampleRoutes:
    """Handlers."""

    def __init__(self, pages: CasePages) -> None:
        self._pages = pages

    async def first(self, _request: web.Request, _operator: Operator) -> web.StreamResponse:
        """`GET /examples`: the first example."""
        return web.Response(status=303, headers={"Location": "/examples/1"})

    async def show(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`GET /examples/N`"""
        return self._page(request, operator)

    async def answer(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /examples/N`: `choice`, `rule`; show the example with both answers."""
        form = sent(request)
        choice = form.get("choice")
        return self._page(request, operator, choice if choice in CHOICES else "none", form.get("rule"))

    def _page(self, request: web.Request, operator: Operator, choice: str = "", rule: str = "") -> web.Response:
        number = int(request.match_info["number"])
        if not 1 <= number <= len(EXAMPLES):
            return self._pages.missing(request, operator)  # type: ignore[return-value]
        one, t = EXAMPLES[number - 1], self._pages.spoken(request)
        return self._pages.answer(
            "example.html", request, operator, number=number, all=len(EXAMPLES), reason=case_words.reason(one.reason, t),
            lines=[(bool(side), text) for side, text in one.lines], choice=choice,
            rules=[(name, t.text(f"rule.{name}")) for name in RULES],
            right=bool(choice) and _agrees(one, choice, rule),
            mine=case_words.measure(choice, rule if rule in RULES and choice not in ("none", "pass") else "", t) if choice else "",
            theirs=case_words.measure(one.measures[0], one.rule if one.measures[0] != "pass" else "", t),
            why=t.text(f"console.lesson.{one.name}"),
        )  # fmt: skip


def _agrees(one: ExampleCase, choice: str, rule: str) -> bool:
    return choice in one.measures and (choice in ("none", "pass") or rule == one.rule)


def add_examples(gate: Gate, pages: Pages, cases: CasePages) -> None:
    """Add the routes."""
    routes = ExampleRoutes(cases)
    pages.offer("/examples", "console.examples", Action.WORK)
    gate.add("GET", "/examples", Action.WORK, routes.first)
    gate.add("GET", "/examples/{number:[0-9]{1,2}}", Action.WORK, routes.show)
    gate.add("POST", "/examples/{number:[0-9]{1,2}}", Action.WORK, routes.answer)
