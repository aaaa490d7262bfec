"""Serve `/tokens`: a moderator's tokens for programs that use the moderation API.

**Invariant:** making a token needs a freshly verified passkey, and its text is on the page that answers the form, and on no other.
"""

from __future__ import annotations

from aiohttp import web

from server.http.words.sentence_formatter import Said
from server.trust.console.console_gate import Gate, sent
from server.trust.console.console_pages import Pages
from server.trust.moderators.api_tokens import DAY, DAYS, NAME_MOST, ApiToken, ApiTokens, Scope
from server.trust.moderators.moderator_accounts import Refused
from server.trust.moderators.roles import Action, Operator


class ApiTokenRoutes:
    """Handlers."""

    def __init__(self, pages: Pages, tokens: ApiTokens) -> None:
        self._pages = pages
        self._tokens = tokens

    async def show(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`GET /tokens`"""
        return await self._answer(request, operator)

    async def make(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /tokens`: `name`, `scope` (any number), `days`."""
        form = sent(request)
        days = form.get("days")
        try:
            made = await self._tokens.make(
                operator.name, form.get("name"), form.all("scope"), int(days) if days in map(str, DAYS) else 0
            )
        except Refused as why:
            return await self._answer(request, operator, problem=why)
        return await self._answer(request, operator, made=made)

    async def revoke(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /tokens/revoke`: `id`."""
        await self._tokens.revoke(operator.name, sent(request).get("id"))
        return web.Response(status=303, headers={"Location": "/tokens"})

    async def _answer(
        self, request: web.Request, operator: Operator, *, problem: Refused | None = None, made: str = ""
    ) -> web.StreamResponse:
        t = self._pages.spoken(request)
        return self._pages.answer(
            "tokens.html", request, operator, status=409 if problem else 200, problem=problem, made=made,
            tokens=[_row(one, t) for one in await self._tokens.listed(operator.name)],
            scopes=[one.value for one in Scope], days=[(days, t.span(days * DAY)) for days in DAYS], name_most=NAME_MOST,
        )  # fmt: skip


def _row(one: ApiToken, t: Said) -> dict[str, object]:
    """Return a token as the page shows it."""
    return {
        "id": one.id,
        "name": one.name,
        "scopes": t.listed([t.text(f"console.scope.{scope}") for scope in Scope if scope in one.scopes]),
        "until": t.moment(one.until),
        "used": "" if one.used is None else t.moment(one.used),
    }


def add_tokens(gate: Gate, pages: Pages, tokens: ApiTokens) -> None:
    """Add the routes."""
    routes = ApiTokenRoutes(pages, tokens)
    pages.offer("/tokens", "console.tokens", Action.WORK)
    gate.add("GET", "/tokens", Action.WORK, routes.show)
    gate.add("POST", "/tokens", Action.WORK, routes.make, fresh=True)
    gate.add("POST", "/tokens/revoke", Action.WORK, routes.revoke)
