"""Check that a request that changes something comes from this service's own page. **Invariant:** every POST of a browser is checked by this
function.
"""

from aiohttp import web

_OURS = {"same-origin", "none"}


def from_own_page(request: web.BaseRequest, *, takes_null: bool = True) -> bool:
    """Whether the request comes from an own page, or from a program, which sends neither header.

    `takes_null`: the public documents send no referrer, so the origin of their forms is `null`; then Sec-Fetch-Site decides. The console's pages send
    their origin, so there `null` is another page's, e.g. a sandboxed frame's.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in _OURS:
        return False
    origin = request.headers.get("Origin")
    if origin is None or origin == "null":
        return origin is None or takes_null
    return origin.partition("://")[2].lower() == request.host.lower()
