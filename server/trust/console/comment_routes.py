"""Serve the forms by which moderators comment on a case and pass it on.

**Invariant:** a case is passed on only to a moderator or a role that may open its queue.
"""

from __future__ import annotations

from aiohttp import web

from server.trust.console.case_access import CASE, CasePages
from server.trust.console.console_gate import Gate, sent
from server.trust.decisions.case_work import CaseWork
from server.trust.moderators.moderator_accounts import Accounts
from server.trust.moderators.roles import OPENED_BY, ROLES, Action, Operator
from server.trust.sanctions.sanction_scale import Refused


class CommentRoutes:
    """Handlers."""

    def __init__(self, pages: CasePages, desk: CaseWork, accounts: Accounts) -> None:
        self._pages = pages
        self._desk = desk
        self._accounts = accounts

    async def comment(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /case/ID/comment`: `text`."""
        ident = request.match_info["case"]
        try:
            await self._desk.comment(ident, operator.name, sent(request).get("text"))
        except Refused as why:
            return self._pages.refused(request, operator, why)
        return web.Response(status=303, headers={"Location": f"/case/{ident}#comments"})

    async def pass_on(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /case/ID/pass`: `to` (a name, or @role), `text`; then the next case of the queue."""
        ident, form = request.match_info["case"], sent(request)
        queue = await self._desk.queue_of(ident)
        try:
            if form.get("to") not in await targets(self._accounts, queue, operator):
                raise Refused("refused.pass")
            await self._desk.pass_on(ident, operator.name, form.get("to"), form.get("text"))
        except Refused as why:
            return self._pages.refused(request, operator, why)
        following = await self._desk.next(queue, operator.name, ident, operator.roles)
        there = f"/case/{following}" if following else f"/cases?queue={queue}"
        return web.Response(status=303, headers={"Location": there})


async def targets(accounts: Accounts, queue: str, operator: Operator) -> list[str]:
    """Return the receivers of a case of a queue: roles that another account has, as @role, then those accounts. Raises StoreAway.

    A case of any queue may be passed on to child protection.
    """
    action = OPENED_BY.get(queue, Action.WORK)
    others = [one for one in await accounts.listed() if one.passkeys and one.name != operator.name]
    held = {role for one in others for role in one.roles}
    roles = [f"@{name}" for name, may in ROLES.items() if action in may and name in held]
    return roles + [one.name for one in others if one.may(action)]


def add_comments(gate: Gate, cases: CasePages, desk: CaseWork, accounts: Accounts) -> None:
    """Add the routes."""
    routes = CommentRoutes(cases, desk, accounts)
    gate.add("POST", CASE + "/comment", Action.WORK, cases.of_a_case(routes.comment))
    gate.add("POST", CASE + "/pass", Action.WORK, cases.of_a_case(routes.pass_on))
