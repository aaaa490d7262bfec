"""Requests that begin while the process hands over. Rule: they go on where everybody is, with the connection that they came over.

What they ask for may have left: a client of Omegle's protocol, a college check. A request that is too long to be carried, or that has
another behind it, is answered here; so is what was begun before.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from server.http.request.forms import BODY_MAX, BadForm, body
from server.http.request.reactor_handoff import Handler

PATIENCE: Final = 2.0  # seconds that a request waits for room on its way
AGAIN: Final = 0.02
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


async def goes_on(request: web.BaseRequest, sent: bytes) -> bool:
    """Give the connection of a request away with it, whose body is `sent`; what is answered then is for nobody.

    False where the process does not hand over, where another request was read behind this one, or the way is full for PATIENCE seconds.
    """
    protocol, loop = request.protocol, asyncio.get_running_loop()
    if not isinstance(protocol, Handler) or not protocol.door.leaving:
        return False
    begun, ends = said(request, sent), loop.time() + PATIENCE
    while not (given := protocol.alone and protocol.door.give(protocol, begun + protocol.behind)):
        if not (protocol.alone and protocol.door.leaving) or loop.time() >= ends:
            break
        await asyncio.sleep(AGAIN)  # room on the way has no event here
    return given


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
    if await goes_on(request, sent):
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
