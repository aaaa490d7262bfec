"""Serve `/accounts`: list the moderators' accounts, invite, change roles, close.

**Invariant:** only for admins, with a freshly verified passkey; the role `admin` by itself gives no access to cases.
"""

from __future__ import annotations

from aiohttp import web

from server.trust.console import case_words
from server.trust.console.console_gate import Gate, sent
from server.trust.console.console_pages import Pages
from server.trust.moderators.moderator_accounts import Accounts, Refused
from server.trust.moderators.roles import ROLES, Action, Operator


class AccountRoutes:
    """Handlers. `origin`: of the invitations' links."""

    def __init__(self, pages: Pages, accounts: Accounts, origin: str) -> None:
        self._pages = pages
        self._accounts = accounts
        self._origin = origin

    async def show(self, request: web.Request, operator: Operator) -> web.Response:
        """`GET /accounts`"""
        return await self._answer(request, operator)

    async def invite(self, request: web.Request, operator: Operator) -> web.Response:
        """`POST /accounts/invite`: `name`, `role` (any number)."""
        form = sent(request)
        try:
            path = await self._accounts.invite(form.get("name").strip(), form.all("role"), operator.name)
        except Refused as why:
            return await self._answer(request, operator, problem=why)
        return await self._answer(request, operator, link=self._origin + path)

    async def change(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /accounts/roles`: `name`, `role`."""
        form = sent(request)
        try:
            await self._accounts.change(form.get("name"), form.all("role"), operator.name)
        except Refused as why:
            return await self._answer(request, operator, problem=why)
        return web.Response(status=303, headers={"Location": "/accounts"})

    async def close(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /accounts/close`: `name`."""
        try:
            await self._accounts.close(sent(request).get("name"), operator.name)
        except Refused as why:
            return await self._answer(request, operator, problem=why)
        return web.Response(status=303, headers={"Location": "/accounts"})

    async def _answer(
        self, request: web.Request, operator: Operator, *, problem: Refused | None = None, link: str = ""
    ) -> web.Response:
        unread = case_words.unread(await self._accounts.unread(), self._pages.spoken(request))
        return self._pages.answer(
            "accounts.html", request, operator, status=409 if problem else 200, accounts=await self._accounts.listed(),
            roles=list(ROLES), problem=problem, link=link, unread=unread,
        )  # fmt: skip


def add_accounts(gate: Gate, pages: Pages, accounts: Accounts, origin: str) -> None:
    """Add the routes."""
    routes = AccountRoutes(pages, accounts, origin)
    pages.offer("/accounts", "console.accounts", Action.ACCOUNTS)
    gate.add("GET", "/accounts", Action.ACCOUNTS, routes.show)
    gate.add("POST", "/accounts/invite", Action.ACCOUNTS, routes.invite)
    gate.add("POST", "/accounts/roles", Action.ACCOUNTS, routes.change)
    gate.add("POST", "/accounts/close", Action.ACCOUNTS, routes.close)
