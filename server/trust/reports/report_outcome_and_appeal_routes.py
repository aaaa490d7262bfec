"""Serve `/report/…`, where reporters read the outcome, and `/appeal/…`, where banned users read the reasons and appeal.

**Invariant:** the secret in the URL is enough: no account, cookie or script. Every wrong guess gets the same answer.
"""

from __future__ import annotations

import time

from aiohttp import web

from server.data.chat_logs.guess_limit import GuessLimit
from server.data.errors import StoreAway
from server.http.pages import PAGES
from server.http.request.client_info import CLIENT_INFO
from server.http.request.forms import BadForm, form
from server.http.request.origins import from_own_page
from server.http.request.site_services import SERVICES, Services
from server.http.words.sentence_formatter import Said
from server.ops.config.moderation_policy import FOR_GOOD
from server.trust.moderation_protocol import Reasons, Safety

SAFETY: web.AppKey[Safety] = web.AppKey("safety")
PRIVATE = {"X-Robots-Tag": "noindex, nofollow, noarchive", "Referrer-Policy": "no-referrer"}


class ReporterRoutes:
    """Handlers over the moderation of one server."""

    def __init__(self, services: Services, safety: Safety) -> None:
        self._services = services
        self._safety = safety
        self._guesses = GuessLimit()
        services.spent.add("safety.guesses", self._guesses.buckets)

    async def receipt(self, request: web.Request) -> web.Response:
        """`GET /report/<receipt>`"""
        if (refusal := self._refused(request, "report.html")) is not None:
            return refusal
        try:
            found = await self._safety.receipt(request.match_info["receipt"])
        except StoreAway:
            return self._answer(request, "report.html", 503, "away")
        if found is None:
            return self._missed(request, "report.html")
        t = request.app[PAGES].spoken(request)
        days = {"at": t.day(found.at), "closed": t.day(found.closed) if found.closed else ""}
        return self._answer(request, "report.html", 200, found.state, **days)

    async def reasons(self, request: web.Request) -> web.Response:
        """`GET /appeal/<token>`"""
        return await self._appeal(request, None)

    async def appeal(self, request: web.Request) -> web.Response:
        """`POST /appeal/<token>`: `words`, up to 1,000 characters."""
        if not from_own_page(request):
            return self._answer(request, "appeal.html", 403, "origin")
        try:
            words = (await form(request)).get("words").strip()
        except BadForm as bad:
            answer = self._answer(request, "appeal.html", bad.status, "unread")
            answer.force_close()
            return answer
        return await self._appeal(request, words)

    async def _appeal(self, request: web.Request, words: str | None) -> web.Response:
        if (refusal := self._refused(request, "appeal.html")) is not None:
            return refusal
        token, appeals = request.match_info["token"], self._safety.appeals
        try:
            found = await (appeals.read(token) if not words else appeals.write(token, words))
        except StoreAway:
            return self._answer(request, "appeal.html", 503, "away")
        if found is None:
            return self._missed(request, "appeal.html")
        t = request.app[PAGES].spoken(request)
        return self._answer(
            request, "appeal.html", 200, "found", path=request.path, **shown(found, empty=words == "", t=t)
        )

    def _refused(self, request: web.Request, page: str) -> web.Response | None:
        """Return the refusal of a network that guessed wrong too often, before any look-up; else None."""
        if not self._services.settings.limits.enabled:
            return None
        wait = self._guesses.wait(request.app[CLIENT_INFO].address(request), time.monotonic())
        if not wait:
            return None
        answer = self._answer(request, page, 429, "wait")
        answer.headers["Retry-After"] = str(int(wait) + 1)
        return answer

    def _missed(self, request: web.Request, page: str) -> web.Response:
        self._guesses.missed(request.app[CLIENT_INFO].address(request), time.monotonic())
        return self._answer(request, page, 404, "missing")

    def _answer(self, request: web.Request, page: str, status: int, state: str, **values: object) -> web.Response:
        young = self._services.settings.safety.young
        values = {"moderated": self._services.moderated(), "warning": False, "young": young, **values}
        pages = request.app[PAGES]
        values |= pages.reader(request)
        answer = pages.answer(page, status=status, cache="private, no-store", state=state, **values)
        answer.headers.update(PRIVATE)
        answer.headers["Vary"] = "Accept-Language"
        return answer


def shown(found: Reasons, *, empty: bool, t: Said) -> dict[str, object]:
    """Return the values of the page `appeal.html`. `empty`: an appeal without words was sent."""
    return {
        "measure": "network" if found.network else found.measure,
        "rule": found.rule,
        "said": found.words,
        "since": t.day(found.since),
        "length": t.span(found.until - found.since),
        "until": end(found, t),
        "network": found.network,
        "running": found.running,
        "warning": found.measure == "warning",
        "found": found.program,
        "decided": _decided(found),
        "appealed": found.appealed,
        "answer": found.answer,
        "again": t.day(found.again) if found.again else "",
        "empty": empty,
    }


def _decided(found: Reasons) -> str:
    """Return the key of the sentence that tells how the decision was made and why the case was read (DSA, art. 17(3)(b) and (c))."""
    if found.program:
        return "appeal.decided.program"
    if not found.rule:
        return "appeal.decided.neutral"
    what = "appeal.decided.warning" if found.measure == "warning" else "appeal.decided"
    return what if found.source == "reported" else f"{what}.{found.source}"


def end(found: Reasons, t: Said) -> str:
    """Return the end of a ban in words: a day; of a pause or a program's action the minute too; empty for good."""
    if found.until >= FOR_GOOD:
        return ""
    if found.measure != "pause" and not found.program:
        return t.day(found.until)  # only the day of a reported case: its hour would reveal the reporter
    return t.moment(found.until)


def add_safety(app: web.Application) -> None:
    """Add the routes; without a store there are neither reports nor bans."""
    services, safety = app[SERVICES], app.get(SAFETY)
    if safety is None:
        return
    routes = ReporterRoutes(services, safety)
    app.router.add_get("/report/{receipt}", routes.receipt)
    app.router.add_get("/appeal/{token}", routes.reasons)
    app.router.add_post("/appeal/{token}", routes.appeal)
