"""Open `/ws` for an HTTP request: one end of a socket pair is given to the reactor with a handshake made of the request's own headers.

The reactor therefore checks host, origin, address, bans and limits as it does for a WebSocket.
**Invariant:** an end that is not returned is closed, and the answer is awaited for ANSWER_S at most.
"""

import asyncio
import base64
import contextlib
import secrets
import socket
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, NamedTuple

from aiohttp import web

ANSWER_S: Final = 10.0
ANSWER_MAX: Final = 4096  # bytes of an answer's head and text; the reactor's are far shorter
SEND_BUFFER: Final = (
    32 * 1024
)  # bytes that the kernel holds for a client: beyond, the server's own limits for slow readers hold
# Headers about this request's connection and body, which the handshake states itself.
_REPLACED: Final = frozenset(
    {
        b"connection", b"content-encoding", b"content-length", b"content-type", b"expect", b"keep-alive", b"te", b"trailer",
        b"transfer-encoding", b"upgrade",
    }
)  # fmt: skip
_HANDSHAKE: Final = b"sec-websocket-"
Take = Callable[[int, str, bytes, int], None]


class Refused(Exception):
    """The handshake was refused; `answer` is the response for the client."""

    def __init__(self, status: int, text: str, retry_after: str | None = None) -> None:
        super().__init__(status)
        self.status, self.text, self.retry_after = status, text, retry_after


class _Answer(NamedTuple):
    status: int
    text: str
    retry_after: str | None


def write_handshake(request: web.BaseRequest) -> bytes:
    """Return the head of the request for `/ws` made of this request."""
    query = request.raw_path.partition("?")[2]
    target = ("/ws?" + query if query else "/ws").encode("utf-8", "surrogateescape")
    fields = [
        (name, value)
        for name, value in request.raw_headers
        if name.lower() not in _REPLACED and not name.lower().startswith(_HANDSHAKE)
    ]
    fields += [
        (b"Connection", b"Upgrade"),
        (b"Upgrade", b"websocket"),
        (b"Sec-WebSocket-Version", b"13"),
        (b"Sec-WebSocket-Protocol", b"serendip.v1"),
        (b"Sec-WebSocket-Key", base64.b64encode(secrets.token_bytes(16))),
    ]
    return b"GET " + target + b" HTTP/1.1\r\n" + b"".join(b"%s: %s\r\n" % field for field in fields) + b"\r\n"


async def open_socket(request: web.BaseRequest, take: Take, port: int) -> socket.socket:
    """Return the client's end of an accepted connection, of which frames are still to be read. `take`: `Worker.take_socket`; `port`: the client's
    source port, which the socket pair does not have; 0: unknown. Raises Refused.
    """
    head = write_handshake(request)
    try:
        here, there = socket.socketpair()
    except OSError:  # no descriptor is left
        raise Refused(503, "This server is full.\n", "5") from None
    try:
        here.setblocking(False)
        there.setblocking(False)
        there.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        take(there.detach(), request.remote or "", head, port)
        async with asyncio.timeout(ANSWER_S):
            answer = await _read_answer(here)
    except (OSError, TimeoutError):
        here.close()
        there.close()
        raise Refused(503, "This server is full.\n", "5") from None
    except BaseException:
        here.close()
        raise
    if answer.status != HTTPStatus.SWITCHING_PROTOCOLS:
        here.close()
        raise Refused(answer.status, answer.text, answer.retry_after)
    return here


async def _read_answer(sock: socket.socket) -> _Answer:
    """Read the handshake's answer and nothing behind its head if it was accepted. Raises OSError, also for an invalid answer."""
    while True:
        await _readable(sock)
        seen = sock.recv(ANSWER_MAX, socket.MSG_PEEK)
        head, end, _ = seen.partition(b"\r\n\r\n")
        if end:
            break
        if not seen or len(seen) == ANSWER_MAX:
            raise OSError("no answer")
        await asyncio.sleep(0)
    status, retry_after, length = _parsed(head)
    sock.recv(len(head) + len(end))
    if status == HTTPStatus.SWITCHING_PROTOCOLS:
        return _Answer(status, "", None)
    text = b""
    while len(text) < min(length, ANSWER_MAX):
        await _readable(sock)
        part = sock.recv(ANSWER_MAX)
        if not part:
            break
        text += part
    return _Answer(status, text.decode("utf-8", "replace"), retry_after)


def _parsed(head: bytes) -> tuple[int, str | None, int]:
    """Return status, Retry-After and length of an answer's text. Raises OSError."""
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    with contextlib.suppress(ValueError, IndexError):
        return int(first.split(" ")[1]), fields.get("retry-after"), int(fields.get("content-length", "0"))
    raise OSError("no answer")


async def _readable(sock: socket.socket) -> None:
    """Wait until there is something to read, or the end."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def on_ready() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(sock.fileno(), on_ready)
    try:
        await ready
    finally:
        loop.remove_reader(sock.fileno())
