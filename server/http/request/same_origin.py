"""Whether a request that changes something comes from a page of ours. Rule: this is the one answer, for every POST of a browser."""

from aiohttp import web

_OURS = {"same-origin", "none"}


def from_own_page(request: web.BaseRequest, *, takes_null: bool = True) -> bool:
    """True for a page of ours, and for a program, which sends neither header.

    `takes_null`: the public documents send no referrer, so the origin of their forms is `null`: then the browser's own word decides where it came
    from. The console's pages send their origin, so there `null` is another page's, e.g. of a sandboxed frame.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in _OURS:
        return False
    origin = request.headers.get("Origin")
    if origin is None or origin == "null":
        return origin is None or takes_null
    return origin.partition("://")[2].lower() == request.host.lower()
