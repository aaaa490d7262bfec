"""Receive pictures over HTTP: requested ones, `POST /api/snap/{nonce}/{kind}`, and those for a partner, `POST /api/picture/{key}`, which is given out
by `GET` under the same key.

**Invariant:** the nonce or the key alone identifies the chat and the side, and no picture is decoded here.
"""

from __future__ import annotations

from aiohttp import web

from server.http.request.forms import BadForm, body
from server.http.request.host_forwarding import PICTURE, Away, Gone, is_forwarded
from server.http.request.site_services import SERVICES, Looks, SentHolder
from server.trust.pictures.picture_process_codec import BODY_MAX, SENT_MAX
from server.trust.pictures.requested_pictures import Refused

JPEG = "image/jpeg"
LOOKS: web.AppKey[Looks] = web.AppKey("looks")
SENT: web.AppKey[SentHolder] = web.AppKey("sent")
UNSEEN = {"Cache-Control": "no-store"}
SHOWN = UNSEEN | {"Content-Disposition": "attachment", "Cross-Origin-Resource-Policy": "same-origin"}


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


async def upload(request: web.Request) -> web.Response:
    """Receive a picture for a partner. The chat's connection tells whether it is shown.

    204: accepted · 404: unknown, used or late · 408, 413: too slow, too large · 415: no JPEG of a canvas, or one with more than its picture
    """
    sent, key = request.app[SENT], request.match_info["key"]
    passing = None if is_forwarded(request) else request.app[SERVICES].passing
    try:
        if passing is not None and (host := await passing.of_token(key)) is not None:
            return await passing.ask(request, host, PICTURE, await body(request, SENT_MAX))
        if request.content_type != JPEG:
            raise Refused(415)
        sent.begin(key)  # before a byte of it is read
        try:
            picture = await body(request, SENT_MAX)
        except BaseException:
            sent.stop(key)
            raise
        sent.take(key, picture)
    except (Gone, Away):
        return web.Response(status=404, headers=UNSEEN)
    except (Refused, BadForm) as refused:
        answer = web.Response(status=refused.status, headers=UNSEEN)
        if refused.status != 404 or request.can_read_body:
            answer.force_close()  # the rest of the body is not read
        return answer
    return web.Response(status=204, headers=UNSEEN)


async def show(request: web.Request) -> web.Response:
    """Give out a picture to a page of the chat. 404: the key is unknown, or the chat is over."""
    sent, key = request.app[SENT], request.match_info["key"]
    passing = None if is_forwarded(request) else request.app[SERVICES].passing
    try:
        if passing is not None and (host := await passing.of_token(key)) is not None:
            return await passing.ask(request, host, PICTURE)
    except (Gone, Away):
        return web.Response(status=404, headers=UNSEEN)
    picture = sent.give(key)
    if picture is None:
        return web.Response(status=404, headers=UNSEEN)
    return web.Response(body=picture, content_type=JPEG, headers=SHOWN)


def add_pictures(app: web.Application) -> None:
    """Add the routes of the parts that are on."""
    looks, sent = app[SERVICES].looks, app[SERVICES].sent
    if looks is not None:
        app[LOOKS] = looks
        app.router.add_post("/api/snap/{nonce}/{kind:theirs|mine}", snap)
    if sent is not None:
        app[SENT] = sent
        app.router.add_post("/api/picture/{key:[A-Za-z0-9_-]{22}}", upload)
        app.router.add_get("/api/picture/{key:[A-Za-z0-9_-]{22}}", show)
