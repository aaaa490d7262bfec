"""What a person reads where there is nothing for them: 404, 405, 413 and 500 as a document, in the browser's language.

Rule: a document only for who asks for one. The API and the paths in PROGRAMS answer in the plain words that programs expect.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web

from server.pages import PAGES
from server.pages.languages import preferred

DRESSED = ("404", "405", "413", "500")
# Paths that only programs ask, whatever they say that they accept; each part of the application puts its own in.
PROGRAMS: "web.AppKey[set[str]]" = web.AppKey("programs")
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def asks_for_page(request: web.BaseRequest, programs: set[str]) -> bool:
    """Whether whoever asks would show a document: browsers say so of each address that a person opens."""
    if request.path.startswith("/api/") or request.path in programs:
        return False
    return "text/html" in request.headers.get("Accept", "")[:1000].lower()


@web.middleware
async def dressed(request: web.Request, handler: Answer) -> web.StreamResponse:
    """Puts a document in the place of a bare refusal."""
    try:
        return await handler(request)
    except web.HTTPException as refused:
        status = str(refused.status)
        if status not in DRESSED or not asks_for_page(request, request.app[PROGRAMS]):
            raise
        pages = request.app[PAGES]
        language = preferred(request.headers.get("Accept-Language", ""), pages.words)
        words = pages.words[language]
        answer = pages.answer("refusal.html", status=refused.status, cache="no-store", words=words, code=status)
        answer.headers["Vary"] = "Accept, Accept-Language"
        if "Allow" in refused.headers:
            answer.headers["Allow"] = refused.headers["Allow"]
        return answer
