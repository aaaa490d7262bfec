"""Replace plain error responses by HTML documents (404, 405, 413, 500) or by JSON, as the request's Accept header prefers.

**Invariant:** the API always answers JSON; the paths in PROGRAMS always answer the plain text that their clients expect.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web

from server.http.pages import PAGES

DRESSED = ("404", "405", "413", "500")
VARY = "Accept, Accept-Language"
# Paths that only programs request, whatever they accept; each part of the application adds its own.
PROGRAMS: "web.AppKey[set[str]]" = web.AppKey("programs")
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def kind_for(request: web.BaseRequest, programs: set[str]) -> str:
    """Return the form that the client reads: `html`, `json` or `text`. Browsers accept `text/html` for each address that a user opens."""
    if request.path in programs:
        return "text"
    if request.path.startswith("/api/"):
        return "json"
    accepted = request.headers.get("Accept", "")[:1000].lower()
    if "text/html" in accepted:
        return "html"
    return "json" if "application/json" in accepted else "text"


def refusal(request: web.Request, status: int, said: str) -> web.Response | None:
    """Return the response for `status`, or None if plain text suffices. `said`: the line for a program."""
    kind = kind_for(request, request.app[PROGRAMS])
    if kind == "html" and str(status) in DRESSED:
        pages = request.app[PAGES]
        answer = pages.answer(
            "refusal.html", status=status, cache="no-store", code=str(status), **pages.reader(request)
        )
    elif kind == "json":
        answer = web.json_response({"error": said}, status=status, headers={"Cache-Control": "no-store"})
    else:
        return None
    answer.headers["Vary"] = VARY
    return answer


@web.middleware
async def dress_refusal(request: web.Request, handler: Answer) -> web.StreamResponse:
    """Middleware that replaces a bare refusal by a document, or JSON."""
    try:
        return await handler(request)
    except web.HTTPException as refused:
        if refused.status < 400:
            raise
        said = (refused.text or "").removeprefix(f"{refused.status}: ").strip()
        answer = refusal(request, refused.status, said or refused.reason)
        if answer is None:
            raise
        if "Allow" in refused.headers:
            answer.headers["Allow"] = refused.headers["Allow"]
        return answer
