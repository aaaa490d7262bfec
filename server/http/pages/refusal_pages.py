"""What is answered where there is nothing for whoever asks: 404, 405, 413 and 500 as a document in the browser's language, and every
refusal as JSON for who asks for that.

Rule: each kind only for who asks for it, by what they accept. The API answers JSON to everybody, and the paths in PROGRAMS
answer in the plain words that their programs expect, always.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web

from server.http.pages import PAGES

DRESSED = ("404", "405", "413", "500")
VARY = "Accept, Accept-Language"
# Paths that only programs ask, whatever they say that they accept; each part of the application puts its own in.
PROGRAMS: "web.AppKey[set[str]]" = web.AppKey("programs")
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def kind_for(request: web.BaseRequest, programs: set[str]) -> str:
    """`html`, `json` or `text`: what whoever asks would read. Browsers say `text/html` of each address that a person opens."""
    if request.path in programs:
        return "text"
    if request.path.startswith("/api/"):
        return "json"
    accepted = request.headers.get("Accept", "")[:1000].lower()
    if "text/html" in accepted:
        return "html"
    return "json" if "application/json" in accepted else "text"


def refusal(request: web.Request, status: int, said: str) -> web.Response | None:
    """The answer with `status`, or None where plain words will do. `said`: what a program is told, in a line."""
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
async def dressed(request: web.Request, handler: Answer) -> web.StreamResponse:
    """Puts a document, or JSON, in the place of a bare refusal."""
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
