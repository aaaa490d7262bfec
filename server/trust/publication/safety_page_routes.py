"""Serve three public pages: `/notice` (report illegal content), `/parents` (advice), and `/transparency` (monthly figures).

**Invariant:** no account or cookie is needed, and a flood uses up only the limits of its own network. A script is needed only while more notices
arrive than usual (`FormPuzzle`).
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from aiohttp import web

from server.data.chat_logs.guess_limit import GuessLimit
from server.data.errors import StoreAway
from server.http.pages import PAGES
from server.http.request.client_info import CLIENT_INFO
from server.http.request.forms import BadForm, Form, form
from server.http.request.origins import from_own_page
from server.http.request.site_services import SERVICES, Services
from server.http.words.sentence_formatter import Said
from server.ops.config.moderation_policy import NOTICES, URGENT
from server.ops.security.token_buckets import NetworkBuckets
from server.trust.challenge.form_puzzle import FormPuzzle
from server.trust.moderation_protocol import CHILD_KINDS, KINDS, NoticeForm, Safety
from server.trust.publication.figure_tables import tables
from server.trust.reports.report_outcome_and_appeal_routes import PRIVATE, SAFETY

ABOUT, WORDS, CONTACT = 300, 2_000, 254  # characters
BURST, RATE = 10.0, 1 / 300  # notices of a network (`NetworkBuckets`) at once, and a second after that
USUAL_BURST, USUAL_RATE = (
    60.0,
    1 / 60,
)  # notices of all networks at once, and a second after that; beyond it each needs a puzzle
PUZZLE_NUMBER = 1  # of this form (`FormPuzzle`)
FILLED_IN = ("ask", "full", "away")  # states in which the page has the form
FRESH = 600.0  # seconds that published figures are cached: they change once a month


class PublicRoutes:
    """Handlers of the public pages. `safety`: None without a store.

    The addresses exist without a store too: the pages then say that no notices are accepted, and name the operator's address.
    """

    def __init__(self, services: Services, safety: Safety | None) -> None:
        self._services = services
        self._safety = safety
        self._posts = services.spent.add("notices.posts", NetworkBuckets(BURST, RATE))
        self._puzzle = FormPuzzle(services, PUZZLE_NUMBER, USUAL_BURST, USUAL_RATE)
        self._guesses = GuessLimit()
        services.spent.add("notices.guesses", self._guesses.buckets)
        self._reading = asyncio.Lock()
        self._figures: dict[str, Any] | None = None
        self._read = 0.0

    async def parents(self, request: web.Request) -> web.Response:
        """`GET /parents`"""
        pages = request.app[PAGES]
        settings = self._services.settings
        screened = settings.screening.text != "off"
        answer = pages.answer("parents.html", labelled=settings.safety.rta, screened=screened, **pages.reader(request))
        answer.headers["Vary"] = "Accept-Language"
        return answer

    async def ask(self, request: web.Request) -> web.Response:
        """`GET /notice`; the pages of this server link with `?kind=child` and `at` (the place) to fill in the form; `about`: its old name."""
        kind, old, about = (request.query.get(name, "") for name in ("kind", "about", "at"))
        kind = kind or old
        return await self._form(request, 200, "ask", NoticeForm(kind if kind in KINDS else "", about[:ABOUT], "", ""))

    async def take(self, request: web.Request) -> web.Response:
        """`POST /notice`: `kind`, `about`, `words`, `contact`, and `solution` while the page has a puzzle."""
        empty = NoticeForm("", "", "", "")
        if not from_own_page(request):
            return await self._form(request, 403, "origin", empty)
        now, place = time.monotonic(), request.app[CLIENT_INFO].address(request)
        if self._services.settings.limits.enabled and (wait := self._posts.wait(place, now)):
            answer = await self._form(request, 429, "wait", empty)
            answer.headers["Retry-After"] = str(int(wait) + 1)
            answer.force_close()  # the body is not read
            return answer
        try:
            sent = await form(request)
            written = _written(sent)
        except BadForm as bad:
            answer = await self._form(request, bad.status, "unread", empty)
            answer.force_close()
            return answer
        t = request.app[PAGES].spoken(request)
        problems = _problems(written, t)
        if not problems and not self._puzzle.accepts(sent.get("solution")):
            problems["puzzle"] = t.text("puzzle.again")
        if problems:
            return await self._form(request, 400, "ask", written, problems)
        self._posts.take(place, now)
        self._puzzle.count()
        if self._safety is None:
            return await self._form(request, 503, "nowhere", written)
        try:
            receipt = await self._safety.law_notices.write(written)
        except StoreAway:
            return await self._form(request, 503, "away", written)
        if receipt is None:
            return await self._form(request, 503, "full", written)
        reader = request.app[PAGES].reader(request)
        return web.Response(
            status=303,
            headers={"Location": f"/notice/{receipt}{reader['query']}", "Cache-Control": "no-store", **PRIVATE},
        )

    async def receipt(self, request: web.Request) -> web.Response:
        """`GET /notice/<receipt>`"""
        address, now = request.app[CLIENT_INFO].address(request), time.monotonic()
        if self._services.settings.limits.enabled and (wait := self._guesses.wait(address, now)):
            answer = self._receipt(request, 429, "wait")
            answer.headers["Retry-After"] = str(int(wait) + 1)
            return answer
        try:
            found = None
            if self._safety is not None:
                found = await self._safety.law_notices.read(request.match_info["receipt"])
        except StoreAway:
            return self._receipt(request, 503, "away")
        if found is None:
            self._guesses.missed(address, now)
            return self._receipt(request, 404, "missing")
        t = request.app[PAGES].spoken(request)
        days = {"at": t.day(found.at), "closed": t.day(found.closed) if found.closed else ""}
        return self._receipt(request, 200, found.state, kind=found.kind, answer=found.answer, **days)

    async def transparency(self, request: web.Request) -> web.Response:
        """`GET /transparency`"""
        figures = await self._published()
        if figures is None:
            return self._transparency(request, "away", {"months": []})
        return self._transparency(request, "", figures)

    @staticmethod
    def _transparency(request: web.Request, state: str, figures: dict[str, Any]) -> web.Response:
        pages = request.app[PAGES]
        reader = pages.reader(request)
        t: Said = reader["t"]
        shown = [(t.month(month["month"]), tables(month, t)) for month in figures["months"]]
        status, cache = (503, "no-store") if state else (200, "no-cache")
        ledger = figures.get("ledger")
        mark = ledger and {"day": t.day(ledger["at"]), "hash": ledger["hash"]}
        values = {"state": state, "months": shown, "ledger": mark}
        answer = pages.answer("transparency.html", status=status, cache=cache, **values, **reader)
        answer.headers["Vary"] = "Accept-Language"
        return answer

    async def data(self, _request: web.Request) -> web.Response:
        """`GET /api/transparency`"""
        figures = await self._published()
        if figures is None:
            return web.json_response({"error": "away"}, status=503, headers={"Cache-Control": "no-store"})
        return web.json_response(figures, headers={"Cache-Control": "no-cache"})

    async def _published(self) -> dict[str, Any] | None:
        """Return the published figures (`months`, and `ledger` once it has a mark); None if they cannot be read and never were."""
        if self._safety is None:
            return {"months": []}
        async with self._reading:
            if self._figures is None or time.monotonic() - self._read > FRESH:
                try:
                    months, mark = await self._safety.months(), await self._safety.ledger_mark()
                    self._figures = {"months": months} | ({} if mark is None else {"ledger": mark})
                    self._read = time.monotonic()
                except StoreAway:
                    pass  # the last figures still hold
        return self._figures

    async def _form(
        self, request: web.Request, status: int, state: str, written: NoticeForm, problems: dict[str, str] | None = None
    ) -> web.Response:
        if self._safety is None and status == 200:
            state = "nowhere"
        puzzle = await self._puzzle.make() if state in FILLED_IN else ""
        values = {"written": written, "problems": problems or {}, "puzzle": puzzle}
        return self._answer(request, "notice.html", status, state, kind=written.kind, **values)

    def _receipt(self, request: web.Request, status: int, state: str, **values: str) -> web.Response:
        values = {"answer": "", "kind": "", **values}
        return self._answer(request, "notice-receipt.html", status, state, **values)

    def _answer(
        self, request: web.Request, page: str, status: int, state: str, *, kind: str = "", **values: object
    ) -> web.Response:
        settings = self._services.settings
        readers = (NOTICES, URGENT) if kind in CHILD_KINDS else (NOTICES,)  # of urgent cases: the role child
        moderated = self._safety is not None and any(map(self._safety.has_reader, readers))
        values |= {"moderated": moderated, "operator": settings.operator, "state": state}
        pages = request.app[PAGES]
        values |= pages.reader(request)
        answer = pages.answer(page, status=status, cache="private, no-store", **values)
        answer.headers.update(PRIVATE)
        answer.headers["Vary"] = "Accept-Language"
        return answer


def _written(sent: Form) -> NoticeForm:
    """Read the fields of a form, with line ends as typed."""
    kind, about, words, contact = (
        sent.get(name).replace("\r\n", "\n").strip() for name in ("kind", "about", "words", "contact")
    )
    return NoticeForm(kind if kind in KINDS else "", about, words, contact)


def _problems(written: NoticeForm, t: Said) -> dict[str, str]:
    """Return a sentence for each field that is missing or too long."""
    found = {}
    if not written.kind:
        found["kind"] = t.text("notice.kind.choose")
    if not written.about and written.kind in ("log", "chat"):
        found["about"] = t.text("notice.about.which")
    if not written.words:
        found["words"] = t.text("notice.words.few")
    for name, most in (("about", ABOUT), ("words", WORDS), ("contact", CONTACT)):
        if len(getattr(written, name)) > most:
            found[name] = t.text("notice.long", n=most)
    return found


def add_public(app: web.Application) -> None:
    """Add the routes."""
    routes = PublicRoutes(app[SERVICES], app.get(SAFETY))
    app.router.add_get("/parents", routes.parents)
    app.router.add_get("/notice", routes.ask)
    app.router.add_post("/notice", routes.take)
    app.router.add_get("/notice/{receipt}", routes.receipt)
    app.router.add_get("/transparency", routes.transparency)
    app.router.add_get("/api/transparency", routes.data)
