"""Build the console's aiohttp application: each part adds its own routes behind the gate, and this module only assembles them.

**Invariant:** passkeys are bound to one origin, so a request by another host name is answered only with the address of that origin (421).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware

from server.data.errors import Busy, StoreAway
from server.data.objects.sealed_objects import Sealed
from server.data.store.store_runner import Parts
from server.http.request.security_headers import READ, guard
from server.ops import log
from server.ops.config.settings import Settings
from server.trust.cases.case_feed import CaseFeed
from server.trust.console.account_routes import add_accounts
from server.trust.console.api_token_routes import add_tokens
from server.trust.console.approval_routes import add_approvals
from server.trust.console.audit_routes import add_audit
from server.trust.console.case_access import CaseParts
from server.trust.console.case_routes import add_casework
from server.trust.console.console_files import Files
from server.trust.console.console_gate import Gate
from server.trust.console.console_language import add_language
from server.trust.console.console_pages import Pages
from server.trust.console.console_ports import Translator
from server.trust.console.detection_explanations import DetectionWords
from server.trust.console.emergency_routes import add_emergencies
from server.trust.console.help_routes import add_help
from server.trust.console.live_routes import add_live
from server.trust.console.moderation_api import add_moderation_api
from server.trust.console.order_routes import add_orders
from server.trust.console.public_notice_routes import add_notices
from server.trust.console.request_routes import add_requests
from server.trust.console.sign_in_routes import SignInRoutes, add_sign_in
from server.trust.decisions.case_batches import CaseBatches
from server.trust.decisions.public_notice_work import PublicNoticeWork
from server.trust.moderators.answer_templates import AnswerTemplates
from server.trust.moderators.api_tokens import ApiTokens
from server.trust.moderators.approvals import HOUR, Approvals
from server.trust.moderators.console_sessions import Sessions
from server.trust.moderators.emergency_reviews import EmergencyReviews
from server.trust.moderators.live_operations import LiveOperations
from server.trust.moderators.moderator_accounts import Accounts
from server.trust.moderators.passkeys import Passkeys
from server.trust.moderators.roles import Operator
from server.trust.rights.request_work import RequestWork

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
Part = Callable[[Gate, Pages, CaseParts], None]
BODY_MAX = 64 * 1024  # bytes
SIGNING: web.AppKey[SignInRoutes] = web.AppKey("signing")
SESSIONS: web.AppKey[Sessions] = web.AppKey("sessions")
TOKENS: web.AppKey[ApiTokens] = web.AppKey("tokens")

logger = log.get()


# Parts of the console beside accounts, approvals and notices.
PARTS: list[Part] = [add_casework]


def build(
    parts: Parts,
    chosen: Settings,
    origin: str,
    address: Callable[[web.BaseRequest], str],
    clock: Callable[[], float] = time.time,
    translator: Translator | None = None,
    words: DetectionWords | None = None,
    live: LiveOperations | None = None,
) -> web.Application:
    """Return the application. `origin`: for browsers; `address`: returns a client's address; `clock`: Unix seconds; `translator`: for lines of
    chats, None without a translation server; `words`: of detections, None: by the rules of this program alone;
    `live`: orders about what runs now, None for a console beside the server.
    """
    pages = Pages()
    passkeys = Passkeys(origin)
    app = web.Application(
        middlewares=[only_by(origin, pages), faults(pages), knowing(passkeys)], client_max_size=BODY_MAX
    )
    sessions = Sessions(parts.database, parts.pseudonyms, clock)
    accounts = Accounts(parts.database, parts.pseudonyms, clock)
    approvals = Approvals(
        parts.database, accounts, pairs=chosen.console.pairs, wait=chosen.console.wait_hours * HOUR, clock=clock
    )
    signing = SignInRoutes(pages, sessions, accounts, passkeys, address)
    gate = Gate(app, pages, sessions, signing.step_up, signing.ask_step_up, clock)
    desk = CaseBatches(parts.database, Sealed(parts.database, parts.objects, parts.pseudonyms), parts.pseudonyms, clock)
    tokens = ApiTokens(parts.database, parts.pseudonyms, clock)
    app[SIGNING], app[SESSIONS], app[TOKENS] = signing, sessions, tokens
    app.on_response_prepare.append(private)
    app.on_response_prepare.append(guard)
    app.router.add_get("/static/{name:.+}", Files().file)
    add_sign_in(app, gate, signing)
    add_language(app, pages)
    case_parts = CaseParts(
        desk, approvals, accounts, AnswerTemplates(parts.database, clock), words or DetectionWords(), translator
    )
    for part in PARTS:
        part(gate, pages, case_parts)
    add_approvals(gate, pages, approvals)
    add_notices(gate, pages, PublicNoticeWork(parts.database, parts.pseudonyms, clock))
    add_requests(gate, pages, parts, RequestWork(parts.database, parts.pseudonyms, chosen), clock)
    add_orders(gate, pages, parts, approvals, accounts, chosen.data, clock)
    add_accounts(gate, pages, accounts, origin)
    if live is not None:
        add_live(gate, pages, live)
    add_emergencies(gate, pages, EmergencyReviews(parts.database, clock))
    add_tokens(gate, pages, tokens)
    add_moderation_api(app, tokens, desk, CaseFeed(desk))
    add_audit(gate, pages, parts.database, clock)
    add_help(gate, pages)
    gate.add("GET", "/", None, entrance(pages, gate))
    gate.close()
    return app


def only_by(origin: str, pages: Pages) -> Middleware:
    """Middleware: refuse requests by another name, so that another site's name that points here reaches nothing."""
    host = urlsplit(origin).netloc.lower()

    @web.middleware
    async def named(request: web.Request, handler: Answer) -> web.StreamResponse:
        if request.host.lower() != host:
            return web.Response(status=421, text=pages.spoken(request).text("console.elsewhere", origin=origin) + "\n")
        return await handler(request)

    return named


def knowing(passkeys: Passkeys) -> Middleware:
    """Middleware: the first request waits for the passkey library to load."""

    @web.middleware
    async def known(request: web.Request, handler: Answer) -> web.StreamResponse:
        if not passkeys.loaded:
            await asyncio.to_thread(passkeys.load)
        return await handler(request)

    return known


def faults(pages: Pages) -> Middleware:
    """Middleware: turn the store's absence, a lock that another process holds, and a bug into pages; the bug is logged by its place."""

    @web.middleware
    async def told(request: web.Request, handler: Answer) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException:
            raise
        except StoreAway:
            return pages.answer("refused.html", request, None, status=503, why="away")
        except Busy:
            return pages.answer("refused.html", request, None, status=409, why="busy")
        except Exception as error:  # noqa: BLE001 - any bug costs one request
            logger.error("http.fault", **log.described(error))
            return pages.answer("refused.html", request, None, status=500, why="fault")

    return told


async def private(_request: web.Request, response: web.StreamResponse) -> None:
    """`on_response_prepare`: browsers cache nothing but the files; forms send their origin."""
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("X-Robots-Tag", "noindex")
    if response.content_type == "text/html":
        response.headers.setdefault("Content-Security-Policy", READ)


def entrance(pages: Pages, gate: Gate) -> Callable[[web.Request, Operator], Awaitable[web.StreamResponse]]:
    """`GET /`: redirect to the first page that a moderator may open."""

    async def enter(request: web.Request, operator: Operator) -> web.StreamResponse:
        places = pages.places(operator)
        if not places:
            return gate.missing(request, operator)
        return web.Response(status=303, headers={"Location": places[0].path})

    return enter
