"""Whether a request that changes something comes from a page of ours. Rule: this is the one answer, for every POST of a browser."""

from aiohttp import web

_OURS = {"same-origin", "none"}


def from_own_page(request: web.BaseRequest) -> bool:
    """True for a page of ours, and for a program, which sends neither header.

    Our documents send no referrer, so the origin of their forms is `null`: then the browser's own word decides where it came from.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in _OURS:
        return False
    origin = request.headers.get("Origin", "null")
    return origin == "null" or origin.partition("://")[2].lower() == request.host.lower()
