"""Serve sign-in with a passkey, enrolment of a passkey (`/enrol/…`), sign-out, and `/prove` (verify the passkey again for a protected action).

**Invariant:** failures are counted per network, and every failure gets the same answer.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from aiohttp import web

from server.http.request.forms import BadForm, Form, form
from server.http.request.origins import from_own_page
from server.ops import log
from server.ops.metrics.metric_type import Reading
from server.ops.security.token_buckets import NetworkBuckets
from server.trust.console.console_gate import ANSWER, Gate, own_path, sent
from server.trust.console.console_pages import Pages
from server.trust.moderators.console_sessions import COOKIE, SESSION, Sessions
from server.trust.moderators.moderator_accounts import Accounts
from server.trust.moderators.passkeys import NotProved, Passkeys
from server.trust.moderators.roles import Operator

TRIES, AGAIN = 10.0, 1 / 30  # failures of a network at once, and a second after that
ASKED, ASKS = 60.0, 0.5  # passkey requests of a network at once, and a second after that
SIGN_IN, STEP_UP, ENROL = "sign in", "step up", "enrol"
RESULTS = ("passed", "enrolled", "refused", "limited")

logger = log.get()


class SignInRoutes:
    """Handlers. `address`: returns a client's address, by this deployment's rules."""

    def __init__(
        self,
        pages: Pages,
        sessions: Sessions,
        accounts: Accounts,
        passkeys: Passkeys,
        address: Callable[[web.BaseRequest], str],
    ) -> None:
        self._pages = pages
        self._sessions = sessions
        self._accounts = accounts
        self._passkeys = passkeys
        self._address = address
        self._failures = NetworkBuckets(TRIES, AGAIN)
        self._questions = NetworkBuckets(ASKED, ASKS)
        self._results: Counter[str] = Counter(dict.fromkeys(RESULTS, 0))

    def reading(self) -> Reading:
        """Return the values of the metrics."""
        return {"serendip_console_signins": {(result,): count for result, count in self._results.items()}}

    async def show(self, request: web.Request) -> web.Response:
        """`GET /sign-in`"""
        return self._limited(request, self._questions) or self._ask(request, request.query.get("next", "/"))

    async def sign_in(self, request: web.Request) -> web.Response:
        """`POST /sign-in`: `passkey`, `next`."""
        found = await self._read(request)
        if isinstance(found, web.Response):
            return found
        name = await self._name(request, found.get(ANSWER), SIGN_IN)
        there = own_path(found.get("next"))
        if name is None:
            return self._ask(request, there, failed=True)
        self._results["passed"] += 1
        return await self._in(name, there)

    async def show_enrol(self, request: web.Request) -> web.Response:
        """`GET /enrol/<link>`"""
        limited = self._limited(request, self._questions) or self._limited(request, self._failures)
        return limited or await self._invitation(request)

    async def enrol(self, request: web.Request) -> web.Response:
        """`POST /enrol/<link>`: `passkey`."""
        found = await self._read(request)
        if isinstance(found, web.Response):
            return found
        link = request.match_info["link"]
        account = await self._accounts.invited(link)
        if account is None:
            return await self._invitation(request)
        try:
            made = self._passkeys.made(found.get(ANSWER), f"{ENROL} {account.name}")
        except NotProved as why:
            self._failed(request, why)
            return await self._invitation(request, failed=True)
        if await self._accounts.key(made.id) is not None or not await self._accounts.enrol(link, made):
            return await self._invitation(request)
        self._results["enrolled"] += 1
        return await self._in(account.name, "/")

    async def sign_out(self, request: web.Request, _operator: Operator) -> web.Response:
        """`POST /sign-out`"""
        await self._sessions.end(request[SESSION])
        answer = web.Response(status=303, headers={"Location": "/sign-in"})
        answer.del_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="Strict")
        return answer

    async def prove(self, request: web.Request, _operator: Operator) -> web.Response:
        """`POST /prove`: redirect back, after the gate has verified the passkey."""
        return web.Response(status=303, headers={"Location": own_path(sent(request).get("next"))})

    async def step_up(self, request: web.Request, operator: Operator, answer: str) -> bool:
        """Whether an answer proves a passkey of this moderator (`console_gate.Prove`)."""
        if self._limited(request, self._failures) is not None:
            return False
        return await self._name(request, answer, f"{STEP_UP} {operator.name}") == operator.name

    def ask_step_up(self, request: web.Request) -> str:
        """Return the passkey request of a step-up (`console_gate.Ask`)."""
        return self._passkeys.ask(f"{STEP_UP} {request[SESSION].operator.name}")

    async def _name(self, request: web.Request, answer: str, purpose: str) -> str | None:
        """Return the account of an answer; None, counted as a failure, if it does not verify."""
        try:
            shown = self._passkeys.shown(answer, purpose)
            known = await self._accounts.key(shown.id)
            if known is None or shown.handle not in (None, known[0].handle):
                raise NotProved("unknown")
            account, kept = known
            if not await self._accounts.count(kept, self._passkeys.proved(shown, kept)):
                raise NotProved("counter")
        except NotProved as why:
            self._failed(request, why)
            return None
        return account.name

    def _failed(self, request: web.Request, why: NotProved) -> None:
        self._failures.take(self._address(request), time.monotonic())
        self._results["refused"] += 1
        logger.warning("console.refused", why=str(why))

    async def _in(self, name: str, there: str) -> web.Response:
        cookie = await self._sessions.begin(name)
        answer = web.Response(status=303, headers={"Location": there})
        answer.set_cookie(COOKIE, cookie, path="/", secure=True, httponly=True, samesite="Strict")
        return answer

    async def _read(self, request: web.Request) -> Form | web.Response:
        """Return the form of an unauthenticated client, or a refusal."""
        if not from_own_page(request, takes_null=False):
            return self._pages.answer("refused.html", request, None, status=403, why="origin")
        if (limited := self._limited(request, self._failures)) is not None:
            return limited
        try:
            return await form(request)
        except BadForm as bad:
            answer = self._pages.answer("refused.html", request, None, status=bad.status, why="unread")
            answer.force_close()
            return answer

    def _limited(self, request: web.Request, buckets: NetworkBuckets) -> web.Response | None:
        """Return the refusal of a network with too many tries, or None. Requests are counted here, failures by `_failed`."""
        place, now = self._address(request), time.monotonic()
        wait = buckets.wait(place, now)
        if not wait:
            if buckets is self._questions:
                buckets.take(place, now)
            return None
        self._results["limited"] += 1
        answer = self._pages.answer("refused.html", request, None, status=429, why="wait")
        answer.headers["Retry-After"] = str(int(wait) + 1)
        return answer

    def _ask(self, request: web.Request, there: str, failed: bool = False) -> web.Response:
        return self._pages.answer(
            "sign-in.html", request, None, status=401 if failed else 200, options=self._passkeys.ask(SIGN_IN),
            next=own_path(there), failed=failed,
        )  # fmt: skip

    async def _invitation(self, request: web.Request, failed: bool = False) -> web.Response:
        account = await self._accounts.invited(request.match_info["link"])
        if account is None:
            self._failed(request, NotProved("invitation"))
            return self._pages.answer("missing.html", request, None, status=404)
        t = self._pages.spoken(request)
        options = self._passkeys.ask_new(account.name, account.handle, f"{ENROL} {account.name}")
        return self._pages.answer(
            "enrol.html", request, None, status=401 if failed else 200, options=options, name=account.name,
            roles=t.listed([t.text(f"console.role.{role}") for role in account.roles]), failed=failed,
        )  # fmt: skip


def add_sign_in(app: web.Application, gate: Gate, signing: SignInRoutes) -> None:
    """Add the routes. Only these, the choice of a language and the files are outside the gate."""
    app.router.add_get("/sign-in", signing.show)
    app.router.add_post("/sign-in", signing.sign_in)
    app.router.add_get("/enrol/{link}", signing.show_enrol)
    app.router.add_post("/enrol/{link}", signing.enrol)
    gate.add("POST", "/sign-out", None, signing.sign_out)
    gate.add("POST", "/prove", None, signing.prove, fresh=True)
