"""Check every console request before its handler runs: session, role, same origin, form token, and a fresh passkey if the action needs one.

**Invariant:** only signing in, the choice of a language and static files are outside this gate. A moderator without permission gets the same answer
as for a missing page, so that nothing reveals what exists.
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from aiohttp import web

from server.http.request.client_info import cookie_of
from server.http.request.forms import BadForm, Form, form
from server.http.request.origins import from_own_page
from server.trust.console.console_pages import Pages
from server.trust.moderators.console_sessions import COOKIE, SESSION, Session, Sessions
from server.trust.moderators.roles import STEP_UP, Operator, Who, allowed

Handler = Callable[[web.Request, Operator], Awaitable[web.StreamResponse]]
# whether an answer proves a passkey of this moderator now
Prove = Callable[[web.Request, Operator, str], Awaitable[bool]]
Ask = Callable[[web.Request], str]  # options of a passkey request, as JSON
FORM = web.RequestKey("form", Form)
FRESH = 300.0  # seconds that a passkey counts as fresh
ANSWER = "passkey"  # form field of the passkey's answer
_OWN_PATH = re.compile(r"/(?!/)[\w.~/?=&%-]*", re.ASCII)


def sent(request: web.Request) -> Form:
    """Return the form of a POST that passed the gate.

    Handlers read a POST by this function, because the gate has read the body already.
    """
    return request[FORM]


def own_path(text: str) -> str:
    """Return a path of the console to continue with, `/` for anything else: no open redirect."""
    return text if len(text) <= 500 and _OWN_PATH.fullmatch(text) else "/"


class Gate:
    """Registry of guarded handlers in an application. `prove` and `ask`: the passkeys' part of a step-up; `clock`: Unix seconds."""

    def __init__(
        self,
        app: web.Application,
        pages: Pages,
        sessions: Sessions,
        prove: Prove,
        ask: Ask,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._app = app
        self._pages = pages
        self._sessions = sessions
        self._prove = prove
        self._ask = ask
        self._clock = clock

    def add(self, method: str, path: str, action: Who, handler: Handler, *, fresh: bool | None = None) -> None:
        """Add a handler behind the gate.

        `action`: the permission; of a set, one is enough; None: every signed-in moderator. `fresh`: whether a passkey of the last five minutes is
        needed; None: as the action requires.
        """
        step_up = action in STEP_UP if fresh is None else fresh

        async def guarded(request: web.Request) -> web.StreamResponse:
            return await self._answer(request, action, handler, step_up)

        self._app.router.add_route(method, path, guarded)

    def csrf(self, request: web.Request) -> str:
        """Return the token that each form of this session carries (`token` in templates)."""
        session = request.get(SESSION)
        return session.token if session is not None else ""

    def close(self) -> None:
        """Answer every other path too. Call it last."""
        self._app.router.add_route("*", "/{path:.*}", self._nothing)

    def missing(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """Return the same page for a missing path and a missing permission."""
        return self._pages.answer("missing.html", request, operator, status=404)

    async def _nothing(self, request: web.Request) -> web.StreamResponse:
        session = await self._sessions.find(cookie_of(request, COOKIE))
        if session is None:
            return self._stranger(request)
        request[SESSION] = session
        return self.missing(request, session.operator)

    async def _answer(self, request: web.Request, action: Who, handler: Handler, step_up: bool) -> web.StreamResponse:
        session = await self._sessions.find(cookie_of(request, COOKIE))
        if session is None:
            return self._stranger(request)
        request[SESSION] = session
        operator = session.operator
        if not allowed(operator, action):
            return self.missing(request, operator)
        if request.method == "POST" and (refused := await self._unsent(request, session)) is not None:
            return refused
        if step_up and self._clock() - operator.proved > FRESH:
            if not await self._proved(request, operator):
                return self._question(request, operator)
            operator = await self._sessions.prove(session)
        return await handler(request, operator)

    def _stranger(self, request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            return self._pages.answer("refused.html", request, None, status=401, why="session")
        there = quote(own_path(request.path_qs), safe="/")
        return web.Response(status=303, headers={"Location": f"/sign-in?next={there}" if there != "/" else "/sign-in"})

    async def _unsent(self, request: web.Request, session: Session) -> web.StreamResponse | None:
        """Read the form. Return a refusal if it does not come from a page of this session."""
        operator = session.operator
        if not from_own_page(request, takes_null=False):
            return self._pages.answer("refused.html", request, operator, status=403, why="origin")
        try:
            found = await form(request)
        except BadForm as bad:
            answer = self._pages.answer("refused.html", request, operator, status=bad.status, why="unread")
            answer.force_close()
            return answer
        if not hmac.compare_digest(found.get("token").encode(), session.token.encode()):
            return self._pages.answer("refused.html", request, operator, status=403, why="token")
        request[FORM] = found
        return None

    async def _proved(self, request: web.Request, operator: Operator) -> bool:
        answer = request[FORM].get(ANSWER) if request.method == "POST" else ""
        return bool(answer) and await self._prove(request, operator, answer)

    def _question(self, request: web.Request, operator: Operator) -> web.StreamResponse:
        """Return the page that asks for the passkey and repeats the POST, or returns to the page."""
        post = request.method == "POST"
        fields = [pair for pair in request[FORM].pairs if pair[0] not in (ANSWER, "token")] if post else []
        again = fields if post else [("next", own_path(request.path_qs))]
        return self._pages.answer(
            "prove.html", request, operator, status=403, options=self._ask(request), fields=again,
            to=request.path if post else "/prove", failed=post and ANSWER in request[FORM],
        )  # fmt: skip
