"""Check the Origin of requests, and open `/api/` to the web pages that the operator lists in `server.origins` (CORS, Fetch standard).

**Invariant:** requests with cookies are accepted only from a listed origin; `*` in the setting opens only what needs no cookie.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from server.http.request.site_services import SERVICES

API: Final = "/api/"
PREFLIGHT_MAX_AGE_S: Final = 600
ASKED_HEADERS: Final = "Authorization, Content-Type"  # that a page may send
TOLD_HEADERS: Final = "Retry-After"  # that a page may read besides those that it always may
_OWN_FETCH_SITES: Final = frozenset(("same-origin", "none"))
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def is_listed(request: web.Request) -> bool:
    """Whether the request comes from a page of an origin that is listed by its name."""
    origin = request.headers.get("Origin")
    return origin not in {None, "*", "null"} and request.app[SERVICES].judge.lists(str(origin))


def from_known_page(request: web.Request) -> bool:
    """Whether the request comes from this service's page (`from_own_page`) or from a page of a listed origin: for the API, never for a document's
    form.
    """
    return from_own_page(request) or is_listed(request)


@web.middleware
async def answer_preflight(request: web.Request, handler: Answer) -> web.StreamResponse:
    """Answer `OPTIONS`, by which a browser asks on behalf of a page of another origin. A page of an unlisted origin gets 405 as before."""
    refused = request.match_info.http_exception
    if (
        request.method == "OPTIONS"
        and request.path.startswith(API)
        and "Access-Control-Request-Method" in request.headers
        and isinstance(refused, web.HTTPMethodNotAllowed)
        and _granted(request)
    ):
        granted = {
            "Access-Control-Allow-Methods": ", ".join(sorted(refused.allowed_methods)),
            "Access-Control-Allow-Headers": ASKED_HEADERS,
            "Access-Control-Max-Age": str(PREFLIGHT_MAX_AGE_S),
        }
        return web.Response(status=204, headers=granted)
    return await handler(request)


async def open_answer(request: web.Request, response: web.StreamResponse) -> None:
    """Say which origins may read a response of the API (`app.on_response_prepare`)."""
    if not request.path.startswith(API):
        return
    headers = response.headers
    varies = [name.strip() for name in headers.get("Vary", "").split(",") if name.strip()]
    headers["Vary"] = ", ".join([*varies, *(["Origin"] if "Origin" not in varies else [])])
    headers.update(_granted(request))


def _granted(request: web.Request) -> dict[str, str]:
    """Return the headers that let a page of another origin read the response; {} if it may not."""
    if is_listed(request):
        return {
            "Access-Control-Allow-Origin": request.headers["Origin"],
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Expose-Headers": TOLD_HEADERS,
        }
    if "Origin" in request.headers and request.app[SERVICES].judge.lists("*"):
        return {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": TOLD_HEADERS}
    return {}


def add_origins(app: web.Application) -> None:
    """Add the response headers to the application; `answer_preflight` is one of its middlewares."""
    app.on_response_prepare.append(open_answer)


def from_own_page(request: web.BaseRequest, *, takes_null: bool = True) -> bool:
    """Whether the request comes from an own page, or from a program, which sends neither header.

    `takes_null`: the public documents send no referrer, so the origin of their forms is `null`; then Sec-Fetch-Site decides. The console's pages send
    their origin, so there `null` is another page's, e.g. a sandboxed frame's.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in _OWN_FETCH_SITES:
        return False
    origin = request.headers.get("Origin")
    if origin is None or origin == "null":
        return origin is None or takes_null
    return origin.partition("://")[2].lower() == request.host.lower()
