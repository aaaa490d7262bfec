"""Requests that begin while the process hands over. Rule: they go on where everybody is, with the connection that they came over.

What they ask for may have left: a client of Omegle's protocol, a college check. A request that is too long to be carried, or that has
another behind it, is answered here; so is what was begun before.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from server.http.door import Handler
from server.http.forms import BODY_MAX, BadForm, body

# What tells how the body came, or asked for it: it goes on in one piece, as it was understood.
FRAMING: Final = frozenset({b"content-length", b"transfer-encoding", b"content-encoding", b"expect", b"te", b"trailer"})


@web.middleware
async def pass_on(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """The outermost middleware."""
    protocol = request.protocol
    if isinstance(protocol, Handler) and protocol.door.leaving:
        answer = await _passed(request, protocol)
        if answer is not None:
            return answer
    return await handler(request)


def went_on(request: web.BaseRequest, sent: bytes) -> bool:
    """Give the connection of a request away with it, whose body is `sent`; what is answered then is for nobody."""
    protocol = request.protocol
    if not isinstance(protocol, Handler) or not protocol.alone:
        return False
    return protocol.door.give(protocol, said(request, sent) + protocol.behind)


async def _passed(request: web.Request, protocol: Handler) -> web.Response | None:
    """Nobody's answer where the request went on elsewhere; None where it is to be answered here."""
    if (request.content.is_eof() and not protocol.alone) or (request.content_length or 0) > BODY_MAX:
        return None
    sent = b""
    if request.can_read_body:
        try:
            sent = await body(request)
        except BadForm as bad:
            refusal = web.Response(status=bad.status)
            refusal.force_close()
            return refusal
    if went_on(request, sent):
        return web.Response()  # for nobody: aiohttp finds its connection gone
    if not sent:
        return None
    return web.Response(status=503, text="Once more, please.\n", headers={"Retry-After": "1"})  # its body was taken


def said(request: web.BaseRequest, sent: bytes) -> bytes:
    """A request as it came: head, and `sent`, its body."""
    fields = [(name, value) for name, value in request.raw_headers if name.lower() not in FRAMING]
    if sent or b"content-length" in {name.lower() for name, _ in request.raw_headers}:
        fields.append((b"Content-Length", b"%d" % len(sent)))
    version = request.version
    head = f"{request.method} {request.raw_path} HTTP/{version.major}.{version.minor}\r\n".encode(
        errors="surrogateescape"
    )
    return head + b"".join(b"%s: %s\r\n" % field for field in fields) + b"\r\n" + sent
