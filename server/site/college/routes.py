"""Serve the HTTP routes of college mode: request a mail, enter its code, or confirm its link. **Invariant:** a check can be completed only by the
browser (identity cookie) that requested it.

POST /api/college/mail   {"address"}         202 {"domain", "within", "check"}
POST /api/college/code   {"code", "check"}   200 {"domain", "proof", "expires"}
POST /api/college/claim  {"check"}           200 the same, once the link was confirmed in this browser
GET, POST /college/<link>                    a page with a button; GET changes nothing, because mail scanners open links
errors: {"error": code, "wait" or "tries": n}
"""

import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

import orjson
from aiohttp import web

from server.http.pages import PAGES
from server.http.request.client_info import CLIENT_INFO
from server.http.request.forms import BadForm, body
from server.http.request.host_forwarding import COLLEGE, Away, Gone, is_forwarded
from server.http.request.origins import from_known_page, from_own_page
from server.http.request.request_migration import move_request
from server.http.request.site_services import SERVICES
from server.ops.config.settings import Mail
from server.ops.security.college_proofs import CollegeProofs
from server.ops.security.identity_cookie import Identities
from server.ops.security.routable_ids import HostHints
from server.site.college.code_letter import write_letter
from server.site.college.college_addresses import ADDRESS_MAX, CollegeAddress, NotCollege, load_domains
from server.site.college.mail_outbox import Outbox, OutboxFull
from server.site.college.pending_verifications import LIFE, MailCheck, MailChecks, Refused

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


class CollegeState:
    """State that the endpoints share: checks, outbox and keys.

    In a cluster one host has all checks of a mailbox, so that the mailbox gets one mail an hour from all hosts; `check` and the link lead to that
    host.
    """

    def __init__(
        self, proofs: CollegeProofs, identities: Identities, mail: Mail, places: HostHints | None = None
    ) -> None:
        self.places = places or HostHints()
        self.proofs = proofs
        self.identities = identities
        self.mail = mail
        self.checks = MailChecks(self.places.token)
        self.outbox = Outbox(mail)
        self._gone = False  # whether another process has the checks

    @property
    def gone(self) -> bool:
        """Whether another process has the checks."""
        return self._gone

    def pack(self, now: float) -> Iterator[tuple[dict[str, Any], list[bytes]]]:
        """Remove the state and yield it in pieces for another process; call it again later for mails that are being tried."""
        self._gone = True
        for piece in self.checks.pack(now):
            yield piece, []
        for facts, letter in self.outbox.pack():
            yield {"letter": facts}, [letter]

    def unpack(self, piece: dict[str, Any], blobs: list[bytes], now: float) -> None:
        """Merge a piece of another process, or one returned by it; unknown fields are ignored. Raises KeyError, TypeError, ValueError."""
        self._gone = False
        self.checks.unpack(piece, now)
        if "letter" in piece:
            digest = bytes.fromhex(piece["letter"]["key"])
            self.outbox.unpack(piece["letter"], blobs[0], lambda: self.checks.end_of(digest))

    def proof(self, check: MailCheck) -> dict[str, Any]:
        """Return the proof for the browser to keep."""
        expires = int(time.time() + self.proofs.life)
        return {"domain": check.domain, "proof": self.proofs.seal(check.digest, check.domain), "expires": expires}


DESK = web.AppKey("college", CollegeState)


def _college(text: Any) -> CollegeAddress:
    """Parse a typed address. Raises Refused."""
    if not isinstance(text, str) or len(text) > ADDRESS_MAX:
        raise Refused("not_college")
    try:
        return CollegeAddress(text)
    except NotCollege:
        raise Refused("not_college") from None


async def mail(request: web.Request, desk: CollegeState, browser: int, asked: dict[str, Any]) -> web.Response:
    """Send a mail to an address, if it is a college's."""
    found = _college(asked.get("address"))
    client = request.app[CLIENT_INFO]
    digest = desk.proofs.digest(found.mailbox)
    check = desk.checks.begin(browser, client.address(request), digest, found.domain, time.monotonic())
    link = f"{client.base(request)}/college/{check.link}"
    letter = write_letter(
        desk.mail.sender, found.address, check.code, link, found.domain, request.app[PAGES].spoken(request)
    )
    try:
        desk.outbox.put(digest, letter, lambda: desk.checks.end(browser))
    except OutboxFull:
        desk.checks.end(browser)
        raise Refused("busy", 60) from None
    said = {"domain": found.domain, "within": int(LIFE), "check": desk.places.token()}
    return web.json_response(said, status=202, headers=NO_STORE)


async def code(request: web.Request, desk: CollegeState, browser: int, asked: dict[str, Any]) -> web.Response:
    """Check the six digits."""
    typed = asked.get("code")
    if not isinstance(typed, str) or len(typed) > 16:
        raise Refused("bad_request")
    return web.json_response(desk.proof(desk.checks.enter(browser, typed, time.monotonic())), headers=NO_STORE)


async def claim(request: web.Request, desk: CollegeState, browser: int, asked: dict[str, Any]) -> web.Response:
    """Return the proof that the link confirmed."""
    return web.json_response(desk.proof(desk.checks.claim(browser, time.monotonic())), headers=NO_STORE)


async def look(request: web.Request) -> web.Response:
    """Show the link's page."""
    return await _linked(request) or _page(
        request, lambda desk, browser, link: desk.checks.seen(browser, link, time.monotonic()), "ask"
    )


async def confirm(request: web.Request) -> web.Response:
    """Confirm the link by the button of its page."""
    if not from_own_page(request):
        return web.json_response({"error": "origin"}, status=403, headers=NO_STORE)
    return await _linked(request) or _page(
        request, lambda desk, browser, link: desk.checks.confirm(browser, link, time.monotonic()), "done"
    )


async def _linked(request: web.Request) -> web.Response | None:
    """Return the response of the host that has the link; None: it is this host, or gone."""
    passing = request.app[SERVICES].passing
    if passing is None or is_forwarded(request):
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


async def _elsewhere(
    request: web.Request, desk: CollegeState, asked: dict[str, Any], sent: bytes
) -> web.Response | None:
    """Return the response of the host that has the check, or is to have it; None: it is this host, or gone. Raises Refused."""
    passing = request.app[SERVICES].passing
    if passing is None or is_forwarded(request):
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


def _page(request: web.Request, handler: Callable[[CollegeState, int, str], MailCheck], shown: str) -> web.Response:
    desk = request.app[DESK]
    pages, reader = request.app[PAGES], request.app[PAGES].reader(request)
    try:
        check = handler(desk, _browser(request), request.match_info["link"])
    except Refused as refused:
        state = refused.code if refused.code in {"used", "elsewhere"} else "expired"
        return pages.answer("college.html", status=STATUS[state], cache="no-store", state=state, domain="", **reader)
    return pages.answer("college.html", cache="no-store", state=shown, domain=check.domain, **reader)


def _browser(request: web.Request) -> int:
    """Return the browser's identity; 0 if it keeps no cookie."""
    return request.app[DESK].identities.of(request.app[CLIENT_INFO].cookie(request))


Handler = Callable[[web.Request, CollegeState, int, dict[str, Any]], Awaitable[web.Response]]


def _answering(handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        try:
            if not from_known_page(request):
                raise Refused("origin")
            sent = await body(request, BODY_MAX)
            if request.app[DESK].gone and await move_request(request, sent):
                return web.Response()  # never sent
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
    """Add college mode to the application; without a mail server the mode is off, and the page says why."""
    services = app[SERVICES]
    chosen = services.settings.mail
    if services.proofs is None or not chosen.host:
        services.offers["college"] = False
        return
    load_domains()
    services.offers["college"] = True
    app[DESK] = desk = CollegeState(services.proofs, services.worker.identities, chosen, services.places)
    services.sources.append(desk.outbox.reading)
    app.router.add_post("/api/college/mail", _answering(mail))
    app.router.add_post("/api/college/code", _answering(code))
    app.router.add_post("/api/college/claim", _answering(claim))
    app.router.add_get("/college/{link}", look)
    app.router.add_post("/college/{link}", confirm)
    app.on_cleanup.append(_end)
