"""The endpoints of college mode: ask for a mail, type its code, or confirm its link. Rule: each belongs to the browser whose cookie it brings.

POST /api/college/mail   {"address"}         202 {"domain", "within", "check"}
POST /api/college/code   {"code", "check"}   200 {"domain", "proof", "expires"}
POST /api/college/claim  {"check"}           200 the same, once the link was confirmed in this browser
GET, POST /college/<link>                    a page with a button; nothing happens by looking, since scanners look
errors: {"error": code, "wait" or "tries": n}

Of several hosts one has the checks of a mailbox, so that it gets one mail an hour of all of them; `check` and the link lead there.
"""

import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

import orjson
from aiohttp import web

from server.http.pages import PAGES
from server.http.request.client_info import CLIENT_INFO
from server.http.request.forms import BadForm, body
from server.http.request.host_forwarding import COLLEGE, Away, Gone, passed
from server.http.request.origins import from_known_page
from server.http.request.requests_in_handover import goes_on
from server.http.request.same_origin import from_own_page
from server.http.request.site_services import SERVICES
from server.ops.config.settings import Mail
from server.ops.security.college_proofs import Proofs
from server.ops.security.host_hints import Places
from server.ops.security.identity_cookie import Identities
from server.site.college.code_letter import written
from server.site.college.college_addresses import ADDRESS_MAX, College, NotCollege, warm
from server.site.college.mail_checks import LIFE, Check, Checks, Refused
from server.site.college.mail_outbox import Outbox, OutboxFull

BODY_MAX: Final = 4 * 1024
STATUS: Final = {
    "not_college": 422,
    "wait": 429,
    "busy": 503,
    "wrong": 403,
    "expired": 410,
    "used": 410,
    "elsewhere": 403,
    "unconfirmed": 409,
    "no_cookie": 403,
    "bad_request": 400,
    "origin": 403,
}
NO_STORE: Final = {"Cache-Control": "no-store"}


class Desk:
    """What the endpoints share."""

    def __init__(self, proofs: Proofs, identities: Identities, mail: Mail, places: Places | None = None) -> None:
        self.places = places or Places()
        self.proofs = proofs
        self.identities = identities
        self.mail = mail
        self.checks = Checks(self.places.token)
        self.outbox = Outbox(mail)
        self._gone = False  # another process has it all

    @property
    def gone(self) -> bool:
        """Whether another process has the checks."""
        return self._gone

    def pack(self, now: float) -> Iterator[tuple[dict[str, Any], list[bytes]]]:
        """Take out what another process goes on with, in pieces; again later where the outbox still tries letters."""
        self._gone = True
        for piece in self.checks.pack(now):
            yield piece, []
        for facts, letter in self.outbox.pack():
            yield {"letter": facts}, [letter]

    def unpack(self, piece: dict[str, Any], blobs: list[bytes], now: float) -> None:
        """Take a piece in, or back; what is not known here is passed over. Raises KeyError, TypeError, ValueError."""
        self._gone = False
        self.checks.unpack(piece, now)
        if "letter" in piece:
            digest = bytes.fromhex(piece["letter"]["key"])
            self.outbox.unpack(piece["letter"], blobs[0], lambda: self.checks.end_of(digest))

    def proof(self, check: Check) -> dict[str, Any]:
        """What the browser keeps."""
        expires = int(time.time() + self.proofs.life)
        return {"domain": check.domain, "proof": self.proofs.seal(check.digest, check.domain), "expires": expires}


DESK = web.AppKey("college", Desk)


def _college(text: Any) -> College:
    """Of what was typed. Raises Refused."""
    if not isinstance(text, str) or len(text) > ADDRESS_MAX:
        raise Refused("not_college")
    try:
        return College(text)
    except NotCollege:
        raise Refused("not_college") from None


async def mail(request: web.Request, desk: Desk, browser: int, asked: dict[str, Any]) -> web.Response:
    """A mail to an address, if it is a college's."""
    found = _college(asked.get("address"))
    client = request.app[CLIENT_INFO]
    digest = desk.proofs.digest(found.mailbox)
    check = desk.checks.begin(browser, client.address(request), digest, found.domain, time.monotonic())
    link = f"{client.base(request)}/college/{check.link}"
    letter = written(
        desk.mail.sender, found.address, check.code, link, found.domain, request.app[PAGES].spoken(request)
    )
    try:
        desk.outbox.put(digest, letter, lambda: desk.checks.end(browser))
    except OutboxFull:
        desk.checks.end(browser)
        raise Refused("busy", 60) from None
    said = {"domain": found.domain, "within": int(LIFE), "check": desk.places.token()}
    return web.json_response(said, status=202, headers=NO_STORE)


async def code(request: web.Request, desk: Desk, browser: int, asked: dict[str, Any]) -> web.Response:
    """The six digits."""
    typed = asked.get("code")
    if not isinstance(typed, str) or len(typed) > 16:
        raise Refused("bad_request")
    return web.json_response(desk.proof(desk.checks.enter(browser, typed, time.monotonic())), headers=NO_STORE)


async def claim(request: web.Request, desk: Desk, browser: int, asked: dict[str, Any]) -> web.Response:
    """What the link confirmed."""
    return web.json_response(desk.proof(desk.checks.claim(browser, time.monotonic())), headers=NO_STORE)


async def look(request: web.Request) -> web.Response:
    """The link's page."""
    return await _linked(request) or _page(
        request, lambda desk, browser, link: desk.checks.seen(browser, link, time.monotonic()), "ask"
    )


async def confirm(request: web.Request) -> web.Response:
    """The button of the link's page."""
    if not from_own_page(request):
        return web.json_response({"error": "origin"}, status=403, headers=NO_STORE)
    return await _linked(request) or _page(
        request, lambda desk, browser, link: desk.checks.confirm(browser, link, time.monotonic()), "done"
    )


async def _linked(request: web.Request) -> web.Response | None:
    """The answer of the host that has a link; None: it is this one, or gone."""
    passing = request.app[SERVICES].passing
    if passing is None or passed(request):
        return None
    host = await passing.of_token(request.match_info["link"])
    if host is None:
        return None
    try:
        return await passing.ask(request, host, COLLEGE)
    except Gone:
        return None
    except Away:
        return web.Response(status=503, text="Once more, please.\n", headers={"Retry-After": "3", **NO_STORE})


async def _elsewhere(request: web.Request, desk: Desk, asked: dict[str, Any], sent: bytes) -> web.Response | None:
    """The answer of the host that has a check, or is to have it; None: it is this one, or gone. Raises Refused."""
    passing = request.app[SERVICES].passing
    if passing is None or passed(request):
        return None
    if "address" in asked:
        host = passing.chosen(desk.proofs.digest(_college(asked["address"]).mailbox))
    else:
        check = asked.get("check")
        host = await passing.of_token(check) if isinstance(check, str) else None
    if host is None:
        return None
    try:
        return await passing.ask(request, host, COLLEGE, sent)
    except Gone:
        return None
    except Away:
        raise Refused("busy", 3) from None


def _page(request: web.Request, handler: Callable[[Desk, int, str], Check], shown: str) -> web.Response:
    desk = request.app[DESK]
    pages, reader = request.app[PAGES], request.app[PAGES].reader(request)
    try:
        check = handler(desk, _browser(request), request.match_info["link"])
    except Refused as refused:
        state = refused.code if refused.code in {"used", "elsewhere"} else "expired"
        return pages.answer("college.html", status=STATUS[state], cache="no-store", state=state, domain="", **reader)
    return pages.answer("college.html", cache="no-store", state=shown, domain=check.domain, **reader)


def _browser(request: web.Request) -> int:
    """The identity of the browser; 0 where it keeps no cookie."""
    return request.app[DESK].identities.of(request.app[CLIENT_INFO].cookie(request))


Handler = Callable[[web.Request, Desk, int, dict[str, Any]], Awaitable[web.Response]]


def _answering(handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        try:
            if not from_known_page(request):
                raise Refused("origin")
            sent = await body(request, BODY_MAX)
            if request.app[DESK].gone and await goes_on(request, sent):
                return web.Response()  # for nobody
            asked = orjson.loads(sent or b"{}")
            if not isinstance(asked, dict):
                raise Refused("bad_request")
            browser = _browser(request)
            if not browser:
                raise Refused("no_cookie")
            if (answer := await _elsewhere(request, request.app[DESK], asked, sent)) is not None:
                return answer
            return await handler(request, request.app[DESK], browser, asked)
        except orjson.JSONDecodeError:
            return _told(Refused("bad_request"))
        except Refused as refused:
            return _told(refused)
        except BadForm as bad:
            response = web.json_response({"error": "bad_request"}, status=bad.status, headers=NO_STORE)
            response.force_close()
            return response

    return answer


def _told(refused: Refused) -> web.Response:
    figure = {"wrong": "tries", "wait": "wait", "busy": "wait"}.get(refused.code)
    found: dict[str, Any] = {"error": refused.code}
    if figure is not None:
        found[figure] = refused.figure
    return web.json_response(found, status=STATUS[refused.code], headers=NO_STORE)


async def _end(app: web.Application) -> None:
    await app[DESK].outbox.stop()


def add_college(app: web.Application) -> None:
    """One part of the application; without a mail server the mode is off, and the page says why."""
    services = app[SERVICES]
    chosen = services.settings.mail
    if services.proofs is None or not chosen.host:
        services.offers["college"] = False
        return
    warm()
    services.offers["college"] = True
    app[DESK] = desk = Desk(services.proofs, services.worker.identities, chosen, services.places)
    services.sources.append(desk.outbox.reading)
    app.router.add_post("/api/college/mail", _answering(mail))
    app.router.add_post("/api/college/code", _answering(code))
    app.router.add_post("/api/college/claim", _answering(claim))
    app.router.add_get("/college/{link}", look)
    app.router.add_post("/college/{link}", confirm)
    app.on_cleanup.append(_end)
