"""Serve `/live`: how many users are here now, where and since when; end a session, pause its video, tell all users something, begin maintenance.

**Invariant:** a list of sessions and each order name a reason, which is in the audit log before anything is shown or done.
"""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from server.http.words.worded_errors import Worded
from server.trust.console.console_gate import Gate, sent
from server.trust.console.console_pages import Pages
from server.trust.moderators.live_operations import STATES, LiveOperations, OrderRefused
from server.trust.moderators.roles import Action, Operator
from server.trust.sanctions.sanction_scale import Refused

ENGLISH: Final = "en"
KEPT: Final = ("why", "state", "country", "address")  # fields of a list that its orders repeat


class LiveRoutes:
    """Handlers."""

    def __init__(self, pages: Pages, live: LiveOperations) -> None:
        self._pages = pages
        self._live = live

    async def shown(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`GET /live`: the counts."""
        return await self._page(request, operator)

    async def listed(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /live/list`: `why`, `state`, `country`, `address`."""
        return await self._list(request, operator, None)

    async def end(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /live/end`: `session`, and the fields of the list."""
        return await self._ordered(request, operator, "end")

    async def pause(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /live/pause`: `session`, and the fields of the list."""
        return await self._ordered(request, operator, "pause")

    async def _ordered(self, request: web.Request, operator: Operator, what: str) -> web.StreamResponse:
        form = sent(request)
        session, why = form.get("session"), form.get("why")
        try:
            if what == "end":
                await self._live.end(session, operator.name, why)
            else:
                await self._live.pause(session, 10, operator.name, why)
        except OrderRefused as refused:
            return await self._list(request, operator, _worded(refused))
        return await self._list(request, operator, None)

    async def _list(self, request: web.Request, operator: Operator, problem: Worded | None) -> web.StreamResponse:
        form, found = sent(request), None
        try:
            found = await self._live.listed(
                operator.name,
                form.get("why"),
                form.get("state"),
                form.get("country").strip(),
                form.get("address").strip(),
            )
        except OrderRefused as refused:
            problem = _worded(refused)
        return await self._page(request, operator, found, problem)

    async def announce(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /live/announce`: `text-LANGUAGE`, `minutes`; without a text it is withdrawn."""
        form = sent(request)
        texts = {name: text for name in self._pages.said if (text := form.get(f"text-{name}").strip())}
        try:
            if texts:
                await self._live.announce(texts, _minutes(form.get("minutes")), operator.name)
            else:
                await self._live.withdraw(operator.name)
        except OrderRefused as refused:
            return await self._page(request, operator, problem=_worded(refused))
        return web.Response(status=303, headers={"Location": "/live"})

    async def maintain(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """`POST /live/maintenance`: `on`, `minutes`."""
        form = sent(request)
        try:
            await self._live.maintain(form.flag("on"), _minutes(form.get("minutes")), operator.name)
        except OrderRefused as refused:
            return await self._page(request, operator, problem=_worded(refused))
        return web.Response(status=303, headers={"Location": "/live"})

    async def _page(
        self,
        request: web.Request,
        operator: Operator,
        found: dict[str, Any] | None = None,
        problem: Worded | None = None,
    ) -> web.StreamResponse:
        t, counts = self._pages.spoken(request), await self._live.count()
        form = sent(request) if request.method == "POST" else None
        chosen = {name: "" if form is None else form.get(name) for name in KEPT}
        rows = [] if found is None else [(row, _span(row, t)) for row in found["rows"]]
        said = counts["service"]
        until = said.get("maintenance", {}).get("until")
        return self._pages.answer(
            "live.html", request, operator, status=409 if problem else 200, problem=problem, counts=counts, found=found,
            rows=rows, chosen=chosen, states=STATES, announcement=said.get("announcement"), maintenance="maintenance" in said,
            until=t.moment(until) if until else None, languages=[(name, one.name) for name, one in self._pages.said.items()],
        )  # fmt: skip


def _span(row: dict[str, Any], t: Any) -> str:
    """Return for how long a session has been in its state: seconds below a minute, else minutes."""
    seconds = row["seconds"]
    if seconds is None:
        return "–"
    return str(t.span(int(seconds) if seconds < 60 else int(seconds // 60) * 60))


def _minutes(text: str) -> int:
    """Return a number of minutes, 0 for none. Raises OrderRefused."""
    if not text.strip():
        return 0
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        raise OrderRefused("minutes", "minutes are a whole number")
    return int(text)


def _worded(refused: OrderRefused) -> Worded:
    return Refused(f"refused.live.{refused.why}")


def add_live(gate: Gate, pages: Pages, live: LiveOperations) -> None:
    """Add the routes."""
    routes = LiveRoutes(pages, live)
    pages.offer("/live", "console.live", Action.LIVE)
    gate.add("GET", "/live", Action.LIVE, routes.shown, fresh=False)
    gate.add("POST", "/live/list", Action.LIVE, routes.listed)
    gate.add("POST", "/live/end", Action.LIVE, routes.end)
    gate.add("POST", "/live/pause", Action.LIVE, routes.pause)
    gate.add("POST", "/live/announce", Action.LIVE, routes.announce)
    gate.add("POST", "/live/maintenance", Action.LIVE, routes.maintain)
