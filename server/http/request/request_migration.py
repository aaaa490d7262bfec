"""Send HTTP requests that begin during a migration to the successor process, together with their connection.

The object that a request concerns (an Omegle client, a college check) may be in that process already.
"""

# Answered here instead: a request that is too long, one that has another behind it, and one that began before the migration.

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from server.http.request.forms import BODY_MAX, BadForm, body
from server.http.request.reactor_handoff import Handler

PATIENCE: Final = 2.0  # seconds that a request waits for room in the link
AGAIN: Final = 0.02
# Headers about the body's transfer: it is sent on in one piece, decoded.
FRAMING: Final = frozenset({b"content-length", b"transfer-encoding", b"content-encoding", b"expect", b"te", b"trailer"})


@web.middleware
async def pass_on(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Give away a request that begins during a migration (the outermost middleware)."""
    protocol = request.protocol
    if isinstance(protocol, Handler) and protocol.door.leaving:
        answer = await _passed(request, protocol)
        if answer is not None:
            return answer
    return await handler(request)


async def move_request(request: web.BaseRequest, sent: bytes) -> bool:
    """Give away the connection of a request whose body is `sent`; the response is then not sent.

    Returns False if the process is not migrating, if another request was read behind this one, or if the link is full for PATIENCE seconds.
    """
    protocol, loop = request.protocol, asyncio.get_running_loop()
    if not isinstance(protocol, Handler) or not protocol.door.leaving:
        return False
    begun, ends = rebuild_request(request, sent), loop.time() + PATIENCE
    while not (given := protocol.alone and protocol.door.give(protocol, begun + protocol.behind)):
        if not (protocol.alone and protocol.door.leaving) or loop.time() >= ends:
            break
        await asyncio.sleep(AGAIN)  # room in the link has no event
    return given


async def _passed(request: web.Request, protocol: Handler) -> web.Response | None:
    """Give the request away; returns a placeholder response, or None if the request is to be answered here."""
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
    if await move_request(request, sent):
        return web.Response()  # never sent: aiohttp finds its connection gone
    if not sent:
        return None
    return web.Response(status=503, text="Once more, please.\n", headers={"Retry-After": "1"})  # its body was read


def rebuild_request(request: web.BaseRequest, sent: bytes) -> bytes:
    """Rebuild a request as bytes: its head, and `sent`, its body."""
    fields = [(name, value) for name, value in request.raw_headers if name.lower() not in FRAMING]
    if sent or b"content-length" in {name.lower() for name, _ in request.raw_headers}:
        fields.append((b"Content-Length", b"%d" % len(sent)))
    version = request.version
    head = f"{request.method} {request.raw_path} HTTP/{version.major}.{version.minor}\r\n".encode(
        errors="surrogateescape"
    )
    return head + b"".join(b"%s: %s\r\n" % field for field in fields) + b"\r\n" + sent
