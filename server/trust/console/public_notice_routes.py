"""Serve `/notices`, where moderators read and answer public notices: reports of illegal content that anyone can send without a chat.

**Invariant:** a notice is shown only after the moderator states a reason, which is in the audit log first. The list has only time and kind. The
role *child* reads notices about children, the role *lead* all.
"""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from server.trust.console.console_gate import Gate, sent
from server.trust.console.console_pages import Pages
from server.trust.decisions.public_notice_work import PublicNotice, PublicNoticeWork, WaitingNotice
from server.trust.moderation_protocol import CHILD_KINDS
from server.trust.moderators.roles import Action, Operator
from server.trust.sanctions.sanction_scale import Refused


class NoticeRoutes:
    """Handlers."""

    def __init__(self, pages: Pages, notices: PublicNoticeWork) -> None:
        self._pages = pages
        self._notices = notices

    def _work(self, operator: Operator) -> PublicNoticeWork:
        """Return the notices that a moderator may read: all, or (role *child* alone) those about children."""
        return self._notices if operator.may(Action.NOTICES) else self._notices.of_kinds(CHILD_KINDS)

    async def listed(self, request: web.Request, operator: Operator) -> web.Response:
        """`GET /notices`"""
        return self._list(request, operator, await self._work(operator).waiting())

    async def show(self, request: web.Request, operator: Operator) -> web.Response:
        """`POST /notices/show`: `id`, `why`. By POST: a look is a line of the audit log, and no address of it stays in a browser."""
        form = sent(request)
        try:
            found = await self._work(operator).show(form.get("id"), operator.name, _why(form.get("why")))
        except Refused as why:
            return self._list(request, operator, await self._work(operator).waiting(), problem=why)
        return self._one(request, operator, found)

    async def answer(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /notices/answer`: `id`, `why`, `outcome`, `words`."""
        form = sent(request)
        words = form.get("words").replace("\r\n", "\n").strip()
        try:
            await self._work(operator).answer(
                form.get("id"), operator.name, _why(form.get("why")), form.get("outcome"), words
            )
        except Refused as why:
            return self._list(request, operator, await self._work(operator).waiting(), problem=why)
        return web.Response(status=303, headers={"Location": "/notices"})

    def _list(
        self, request: web.Request, operator: Operator, found: Sequence[WaitingNotice], problem: Refused | None = None
    ) -> web.Response:
        t = self._pages.spoken(request)
        return self._pages.answer(
            "notices.html",
            request,
            operator,
            status=409 if problem else 200,
            problem=problem,
            waiting=[(one, t.moment(one.at)) for one in found],
        )

    def _one(self, request: web.Request, operator: Operator, found: PublicNotice) -> web.Response:
        came = self._pages.spoken(request).moment(found.at)
        return self._pages.answer("notice.html", request, operator, notice=found, came=came)


def _why(text: str) -> str:
    """Return the reason for the audit log. Raises Refused for an empty one."""
    if not text.strip():
        raise Refused("refused.why")
    return text.strip()


def add_notices(gate: Gate, pages: Pages, notices: PublicNoticeWork) -> None:
    """Add the routes."""
    routes = NoticeRoutes(pages, notices)
    who = {Action.NOTICES, Action.CHILD}
    pages.offer("/notices", "console.notices", who)
    gate.add("GET", "/notices", who, routes.listed)
    gate.add("POST", "/notices/show", who, routes.show)
    gate.add("POST", "/notices/answer", who, routes.answer)
