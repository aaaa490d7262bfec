"""Serve the HTML document that runs a captcha provider's script, in a frame from a separate origin (`challenge.origin`).

**Invariant:** that origin serves nothing else and uses no cookies, and the page's own origin does not serve the document: the provider's script can
reach this document alone.
"""

import re
from typing import Final

from aiohttp import web

from server.http.pages import NO_CACHE, PAGES
from server.http.request.site_services import SERVICES
from server.ops.config.challenge_settings import Challenge, Company
from server.ops.config.settings import Server
from server.ops.security import allowed_hosts
from server.trust.challenge.captcha_verdicts import ACTION

PATH: Final = "/challenge"
POLICY: Final = (
    "default-src 'none'; script-src 'self' {hosts}; font-src 'self'; frame-src {hosts}; connect-src {hosts}; img-src data: {hosts}; "
    "style-src 'self' 'unsafe-inline' {hosts}; base-uri 'none'; form-action 'none'; frame-ancestors {page}"
)
_PAGE: Final = re.compile(r"https?://(?P<host>[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?)")
# files of the document
_FILES: Final = re.compile(r"/s/[^/]+/(?:look\.js|company\.js|style/tokens\.css|vendor/figtree(?:-ext)?\.woff2)")


def is_frame_host(host: str | None, chosen: Challenge) -> bool:
    """Whether a Host header names the origin of the frame."""
    return chosen.company is not None and allowed_hosts.known(host, (chosen.frame_host,))


def is_framed(path: str) -> bool:
    """Whether a path is served at that origin."""
    return path == PATH or _FILES.fullmatch(path) is not None


def is_page_origin(origin: str, server: Server) -> bool:
    """Whether an origin is this server's page, so that it may frame the document and receive the answer."""
    found = _PAGE.fullmatch(origin)
    return found is not None and (origin in server.origins or allowed_hosts.known(found["host"], server.hosts))


def headers(company: Company, page: str) -> dict[str, str]:
    """Return the headers: the document's permissions, and the page that may frame it. The provider sees the site, not the page."""
    return {
        "Content-Security-Policy": POLICY.format(hosts=" ".join(company.hosts), page=page),
        "Referrer-Policy": "strict-origin",
        **NO_CACHE,
    }


async def unforbid_frame(request: web.Request, response: web.StreamResponse) -> None:
    """Remove `X-Frame-Options` (`app.on_response_prepare`): it cannot name another origin; `frame-ancestors` does."""
    if request.path == PATH and response.status == 200:
        response.headers.pop("X-Frame-Options", None)


def add_challenge(app: web.Application) -> None:
    """Add the route, if a captcha provider is used.

    The page adds the frame after a press, and removes it with the answer: from then on nothing of the provider runs.
    """
    chosen = app[SERVICES].settings.challenge
    company = chosen.company
    if company is None:
        return
    app[SERVICES].offers["challenges"] = chosen.origin
    pages = app[PAGES]

    async def document(request: web.Request) -> web.Response:
        page = request.query.get("page", "")
        if not is_frame_host(request.headers.get("Host"), chosen) or not is_page_origin(
            page, app[SERVICES].settings.server
        ):
            raise web.HTTPNotFound
        answer = pages.answer(
            "challenge.html", key=chosen.site_key, script=company.script_url, action=ACTION, invisible=chosen.invisible, page=page,
            **pages.reader(request),
        )  # fmt: skip
        answer.headers.update(headers(company, page))
        return answer

    app.router.add_get(PATH, document)
    app.on_response_prepare.append(unforbid_frame)
