"""Serve `/log/…`: show, download and delete saved chat logs.

**Invariant:** the answer is the same for a log that never existed, was deleted or is hidden by a legal hold; no GET changes anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import orjson
from aiohttp import web

from server.data.chat_logs.chat_log_rendering import as_json, as_text, context
from server.data.chat_logs.guess_limit import GuessLimit
from server.data.errors import Crowded, ObjectsAway, StoreAway
from server.data.records.store_ports import Logs
from server.data.records.transcript import Transcript
from server.http.pages import PAGES
from server.http.request.client_info import CLIENT_INFO
from server.http.request.origins import from_own_page
from server.http.request.site_services import SERVICES
from server.http.words.catalogue import ENGLISH
from server.ops.security.identity_cookie import Identities
from server.ops.security.token_buckets import BucketRegistry, Buckets, network

PRIVATE = {
    "Cache-Control": "private, no-store",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept, Accept-Language, Cookie",
}
TYPES = {"html": "text/html", "text": "text/plain", "json": "application/json"}
SHOWN = 60.0  # logs shown to a network at once: a page with its text and JSON, or a class following one link
SHOWN_RATE = 2.0  # per second after that


def wanted(request: web.Request) -> str:
    """Return the wanted format, `html`, `text` or `json`: by ?as=, for links without script, else by the Accept header's first known type."""
    asked = request.query.get("as")
    if asked in {"text", "json"}:
        return asked
    ranked: list[tuple[float, int, str]] = []
    for position, part in enumerate(request.headers.get("Accept", "")[:1000].split(",")):
        kind, _, parameters = part.strip().partition(";")
        weight = 1.0
        for parameter in parameters.split(";"):
            name, _, value = parameter.strip().partition("=")
            if name == "q":
                try:
                    weight = float(value)
                except ValueError:
                    weight = 0.0
        ranked.append((-weight, position, kind.strip().lower()))
    names = {
        "text/html": "html",
        "application/xhtml+xml": "html",
        "text/plain": "text",
        "application/json": "json",
        "*/*": "html",
    }
    names |= {"text/*": "html", "application/*": "json"}
    return next((names[kind] for weight, _, kind in sorted(ranked) if kind in names and weight < 0), "html")


class LogRoutes:
    """HTTP handlers over the saved logs of one server."""

    def __init__(self, logs: Logs, identities: Identities, spent: BucketRegistry, *, limits: bool) -> None:
        self._logs = logs
        self._identities = identities
        self._guesses = GuessLimit()
        self._shown = spent.add("logs.shown", Buckets(SHOWN, SHOWN_RATE))
        spent.add("logs.guesses", self._guesses.buckets)
        self._limits = limits

    def _answer(self, request: web.Request, template: str, status: int = 200, **values: object) -> web.Response:
        pages = request.app[PAGES]
        values |= pages.reader(request)
        answer = pages.answer(template, status=status, cache=PRIVATE["Cache-Control"], **values)
        answer.headers.update(PRIVATE)
        return answer

    def _plain(self, request: web.Request, status: int, why: str) -> web.Response:
        """Return a sentence in place of a log. `why`: a key under `saved.gone.`; programs get English."""
        kind, pages = wanted(request), request.app[PAGES]
        if kind == "html":
            return self._answer(request, "saved-gone.html", status, why=why)
        said = pages.said[ENGLISH].text(f"saved.gone.{why}")
        if kind == "json":
            return web.json_response({"error": said}, status=status, headers=PRIVATE)
        return web.Response(text=said + "\n", status=status, headers=PRIVATE)

    def _refused(self, request: web.Request) -> web.Response | None:
        """Return the refusal for a network that missed too often, without a look-up; else None."""
        if not self._limits:
            return None
        seconds = self._guesses.wait(request.app[CLIENT_INFO].address(request), time.monotonic())
        if not seconds:
            return None
        answer = self._plain(request, 429, "guessed")
        answer.headers["Retry-After"] = str(int(seconds) + 1)
        return answer

    def _missed(self, request: web.Request) -> web.Response:
        self._guesses.missed(request.app[CLIENT_INFO].address(request), time.monotonic())
        return self._plain(request, 404, "missing")

    async def show(self, request: web.Request) -> web.Response:
        """`GET /log/<id>`: the page, plain text or JSON."""
        if (refusal := self._refused(request)) is not None:
            return refusal
        if (refusal := self._crowded(request)) is not None:
            return refusal
        kind = wanted(request)
        try:
            body = await self._logs.shaped(request.match_info["id"], self._shape(request, kind))
        except (StoreAway, ObjectsAway):
            return self._plain(request, 503, "away")
        except Crowded:
            answer = self._plain(request, 503, "crowded")
            answer.headers["Retry-After"] = "5"
            return answer
        if body is None:
            return self._missed(request)
        headers = dict(PRIVATE)
        if kind != "html" and "as" in request.query:
            headers["Content-Disposition"] = f'attachment; filename="chat.{"json" if kind == "json" else "txt"}"'
        return web.Response(
            body=body, content_type=TYPES[kind], charset=None if kind == "json" else "utf-8", headers=headers
        )

    def _crowded(self, request: web.Request) -> web.Response | None:
        """Return the refusal for a network that reads too many logs; else count this request and return None."""
        if not self._limits:
            return None
        place, now = network(request.app[CLIENT_INFO].address(request)), time.monotonic()
        seconds = self._shown.wait(place, now)
        if not seconds:
            self._shown.take(place, now)
            return None
        answer = self._plain(request, 429, "often")
        answer.headers["Retry-After"] = str(int(seconds) + 1)
        return answer

    def _shape(self, request: web.Request, kind: str) -> Callable[[Transcript], bytes]:
        """Return the function that renders the body; it runs in a thread, without the request."""
        if kind == "json":
            return lambda said: orjson.dumps(as_json(said))
        pages, path = request.app[PAGES], request.path
        t = pages.spoken(request)
        if kind == "text":
            return lambda said: as_text(said, t).encode()
        reader = pages.reader(request)
        return lambda said: pages.text("saved-log.html", path=path, log=context(said, t), **reader).encode()

    async def ask(self, request: web.Request) -> web.Response:
        """`GET /log/remove/<id>`: the page whose button deletes the log at the request of one of its two participants."""
        return self._answer(request, "saved-remove.html", path=request.path, whose="participant")

    async def remove(self, request: web.Request) -> web.Response:
        """`POST /log/remove/<id>`: delete, proved by the identity cookie of a participant."""
        if (refusal := self._refused(request)) is not None:
            return refusal
        if not from_own_page(request):
            return self._plain(request, 403, "origin")
        identity = self._identities.of(request.app[CLIENT_INFO].cookie(request))
        try:
            done = await self._logs.delete_by_participant(request.match_info["id"], identity)
        except StoreAway:
            return self._plain(request, 503, "away")
        if not done:
            self._guesses.missed(request.app[CLIENT_INFO].address(request), time.monotonic())
            return self._plain(request, 404, "nothing")
        return self._answer(request, "saved-gone.html", why="removed")

    async def confirm(self, request: web.Request) -> web.Response:
        """`GET /log/delete/<secret>`: the page whose button deletes; makes the same look-up as the button."""
        if (refusal := self._refused(request)) is not None:
            return refusal
        try:
            there = await self._logs.exists(request.match_info["secret"])
        except StoreAway:
            return self._plain(request, 503, "away")
        return (
            self._answer(request, "saved-remove.html", path=request.path, whose="secret")
            if there
            else self._missed(request)
        )

    async def delete(self, request: web.Request) -> web.Response:
        """`POST /log/delete/<secret>`: delete; the secret is the proof."""
        if (refusal := self._refused(request)) is not None:
            return refusal
        try:
            done = await self._logs.delete_by_secret(request.match_info["secret"])
        except StoreAway:
            return self._plain(request, 503, "away")
        if not done:
            return self._missed(request)
        return self._plain(request, 200, "removed")


def add_logs(app: web.Application) -> None:
    """Add the routes to the application; without a store there are no logs and no routes."""
    services = app[SERVICES]
    if services.store is None:
        return
    routes = LogRoutes(
        services.store.logs, services.identities, services.spent, limits=services.settings.limits.enabled
    )
    app.router.add_get("/log/delete/{secret}", routes.confirm)
    app.router.add_post("/log/delete/{secret}", routes.delete)
    app.router.add_get("/log/{id}", routes.show)
    for path in ("/log/remove/{id}", "/log/{id}/remove"):  # the second is of earlier releases, and stays
        app.router.add_get(path, routes.ask)
        app.router.add_post(path, routes.remove)
