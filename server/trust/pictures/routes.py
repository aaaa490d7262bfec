"""Receive a requested picture over HTTP: `POST /api/snap/{nonce}/{kind}`.

**Invariant:** the nonce alone identifies the chat and the side, and the picture is not decoded here.
"""

from __future__ import annotations

from aiohttp import web

from server.http.request.forms import BadForm, body
from server.http.request.host_forwarding import PICTURE, Away, Gone, is_forwarded
from server.http.request.site_services import SERVICES, Looks
from server.trust.pictures.picture_process_codec import BODY_MAX
from server.trust.pictures.requested_pictures import Refused

JPEG = "image/jpeg"
LOOKS: web.AppKey[Looks] = web.AppKey("looks")


async def snap(request: web.Request) -> web.Response:
    """Receive a picture.

    204: accepted · 404: unknown, used or late · 408, 413: too slow, too large · 415: no JPEG of that size
    """
    looks, nonce, kind = request.app[LOOKS], request.match_info["nonce"], request.match_info["kind"]
    passing = None if is_forwarded(request) else request.app[SERVICES].passing
    try:
        if passing is not None and (host := await passing.of_token(nonce)) is not None:
            return await passing.ask(request, host, PICTURE, await body(request, BODY_MAX))
        looks.begin(nonce, kind)  # before a byte of it is read
        if request.content_type != JPEG:
            raise Refused(415)
        looks.take(nonce, kind, await body(request, BODY_MAX))
    except (Gone, Away):
        return web.Response(status=404, headers={"Cache-Control": "no-store"})
    except (Refused, BadForm) as refused:
        answer = web.Response(status=refused.status, headers={"Cache-Control": "no-store"})
        if refused.status != 404 or request.can_read_body:
            answer.force_close()  # the rest of the body is not read
        return answer
    return web.Response(status=204, headers={"Cache-Control": "no-store"})


def add_pictures(app: web.Application) -> None:
    """Add the route, if pictures are on."""
    looks = app[SERVICES].looks
    if looks is None:
        return
    app[LOOKS] = looks
    app.router.add_post("/api/snap/{nonce}/{kind:theirs|mine}", snap)
