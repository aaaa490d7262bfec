"""Build the aiohttp application: the routes of all parts of the service, and the check of the Host header. `/ws` is not among them: the reactor (the
compiled socket layer) serves it.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from server.data.chat_logs.routes import add_logs
from server.data.statement.current_statement import PublishedStatement
from server.data.statement.routes import PUBLISHED, add_privacy
from server.data.statistics.routes import add_statistics
from server.http.pages.error_pages import PROGRAMS, dress_refusal
from server.http.request.client_info import add_client_info
from server.http.request.handshake_reasons import add_why
from server.http.request.origins import add_origins, answer_preflight
from server.http.request.overload_pages import OverloadPages
from server.http.request.reactor_handoff import come_back
from server.http.request.request_migration import pass_on
from server.http.request.request_queue import RequestQueue
from server.http.request.site_services import SERVICES, Services
from server.http.request.well_known import add_well_known
from server.ops import log
from server.ops.security import allowed_hosts
from server.realtime.worker.worker_loop import Worker
from server.site.college.routes import add_college
from server.site.front.api_documents import add_documents
from server.site.front.client_files import add_client
from server.site.front.page_files import add_site
from server.site.omegle.routes import WORKER, add_omegle
from server.site.polling.routes import add_polling
from server.site.translation.routes import add_translation
from server.trust.challenge.captcha_frame import add_challenge, is_frame_host, is_framed
from server.trust.data_requests.rights_ports import Rights
from server.trust.moderation_protocol import Safety
from server.trust.pictures.routes import add_pictures
from server.trust.publication.safety_page_routes import add_public
from server.trust.reports.report_outcome_and_appeal_routes import SAFETY, add_safety
from server.trust.rights.minor_deletion_routes import add_browser
from server.trust.rights.request_pages import RIGHTS, add_requests

logger = log.get()
BODY_MAX = 64 * 1024  # bytes of a request's body: forms and small JSON
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def guard_host(request: web.Request, handler: Answer) -> web.StreamResponse:
    """Refuse a Host that is not this server's (DNS rebinding). The host of a challenge provider's script gets its frame only."""
    settings = request.app[SERVICES].settings
    if is_frame_host(request.headers.get("Host"), settings.challenge):
        return (
            await handler(request) if is_framed(request.path) else web.Response(status=404, text="Nothing is here.\n")
        )
    if not allowed_hosts.known(request.headers.get("Host"), settings.server.hosts):
        return web.Response(
            status=421,
            text="This server does not know that name. Its operator sets SERENDIP_SERVER__HOSTS.\n",
            # any page may tell its user so
            headers={"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"},
        )
    return await handler(request)


@web.middleware
async def guard_faults(request: web.Request, handler: Answer) -> web.StreamResponse:
    """Log an exception of a handler by its place, and answer with one line."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it costs one request
        logger.error("http.fault", **log.described(error))
        raise web.HTTPInternalServerError(text="Something went wrong here.\n") from None


@web.middleware
async def guard_upgrade(request: web.Request, handler: Answer) -> web.StreamResponse:
    """Answer a WebSocket at another path with the right one: a page or a bare 404 would not help its author."""
    if request.path != "/ws" and "websocket" in request.headers.get("Upgrade", "").lower():
        return web.Response(status=404, text="There is no WebSocket at this path: its address ends in /ws.\n")
    return await handler(request)


async def health(request: web.Request) -> web.Response:
    """Answer `/healthz` and `/readyz`: whether the process responds, and whether it accepts new users."""
    answer = request.app[SERVICES].health.answer(request.path)
    if answer is None:
        raise web.HTTPNotFound
    return answer


async def status(request: web.Request) -> web.Response:
    """Return the current numbers of users; exact."""
    return web.json_response(request.app[SERVICES].status(), headers={"Cache-Control": "no-store"})


async def config(request: web.Request) -> web.Response:
    """Return the features of this deployment, for the page."""
    return web.json_response(request.app[SERVICES].config(), headers={"Cache-Control": "no-cache"})


def build(
    services: Services,
    worker: Worker,
    safety: Safety | None = None,
    rights: Rights | None = None,
    published: PublishedStatement | None = None,
) -> web.Application:
    """Build the application over the running parts. `safety`, `rights`: None without a store, so that reports reach no moderator.

    `published`: the versions of the privacy statement; None: the settings define the only one.
    """
    app = web.Application(
        middlewares=[
            pass_on,
            OverloadPages().take,
            RequestQueue(worker.read_if_due).take,
            dress_refusal,
            guard_faults,
            guard_host,
            guard_upgrade,
            answer_preflight,
        ],
        client_max_size=BODY_MAX,
    )
    app[SERVICES] = services
    app[WORKER] = worker
    if safety is not None:
        app[SAFETY] = safety
    if rights is not None:
        app[RIGHTS] = rights
    if published is not None:
        app[PUBLISHED] = published
    app[PROGRAMS] = set()
    app.router.add_get("/healthz", health)
    app.router.add_get("/readyz", health)
    app.router.add_get("/api/status", status)
    app.router.add_get("/api/config", config)
    app.router.add_get("/ws", come_back)
    for part in PARTS:
        part(app)
    return app


PARTS: list[Callable[[web.Application], Any]] = [
    add_client_info,
    add_site,
    add_well_known,
    add_origins,
    add_omegle,
    add_polling,
    add_college,
    add_privacy,
    add_logs,
    add_statistics,
    add_safety,
    add_public,
    add_pictures,
    add_requests,
    add_browser,
    add_documents,
    add_client,
    add_why,
    add_translation,
    add_challenge,
]
