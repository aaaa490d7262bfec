"""Pass connections between the compiled reactor, which accepts all of them, and aiohttp, which serves everything but the WebSocket `/ws`.

aiohttp gets a connection together with the bytes already read; a connection whose next request is a WebSocket handshake is passed back.
**Invariant:** a connection is counted by address until it is closed, and of a busy connection's input a few reads are
buffered at most; the rest waits in the kernel.
"""

# A proxy uses one connection for many requests. A migration of the process hands over a connection between two requests only. A client that does not
# read its response is disconnected as a WebSocket is (docs/protocol.md, rule 4).

import asyncio
import contextlib
import os
import socket
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from engine.wire.protocol import TAKE_SECONDS
from ext.accept.address_limits import Addresses, key_of
from ext.accept.handshake import Judge, limited
from server.http.pages.error_pages import PROGRAMS, refusal
from server.http.request.counted_connections import (
    COUNTED,
    CROWDED,
    NEW,
    PASSED,
    PASSED_ON,
    UNCOUNTED,
    Place,
    SeparatePaths,
    request_path,
)
from server.http.request.request_end_detector import BoundaryHandler, Send
from server.http.request.security_headers import ALWAYS
from server.http.request.site_services import SERVICES
from server.http.request.socket_read_size import READ, BoundedReads
from server.ops.health.overload import draw_retry_s
from server.ops.metrics.metric_type import Reading

KEEP_ALIVE = 30.0  # seconds that an idle HTTP connection is kept: longer than a held poll of Omegle's protocol
TAIL_MAX = (
    # bytes behind an upgrade's head: a client should wait for the response (RFC 6455, 4.1), a hasty one sends a frame
    READ
)
AHEAD = 2  # requests that are read while one is answered
HEAD_MAX = 16 * 1024  # bytes, as in the reactor
LOOKS = 4  # checks of a socket whose buffer is full, within TAKE_SECONDS
REFUSE_AFTER = 1.5  # seconds: as long as a client of Omegle's protocol waits for an absent server
SWEEP = 0.02  # seconds between two checks for idle connections, during a migration
REFUSING_MAX = 1_000  # sockets that wait for a late refusal, at most
_SOFT = (
    b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
    b"Connection: close\r\nRetry-After: %d\r\n\r\n%s"
)
# Faults of clients: counted, not logged.
_STRANGERS = (HttpProcessingError, web.RequestPayloadError, ConnectionError)


class Handler(BoundaryHandler):
    """aiohttp's protocol for a connection whose first request was partly read by the reactor."""

    __slots__ = ("_begun", "_watch", "door", "place")

    def __init__(self, door: "Door", place: Place | None, begun: bytes) -> None:
        super().__init__(
            door.server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # aiohttp's default for servers is another
            keepalive_timeout=KEEP_ALIVE,
            lingering_time=2.0,
            max_line_size=HEAD_MAX,  # the reactor bounded the whole head already
            max_field_size=HEAD_MAX,
            read_bufsize=READ,  # bytes of a body that are read ahead of the handler
        )
        self._max_msg_queue_size = AHEAD  # aiohttp's default of 32 heads is half a megabyte
        self._msg_queue_resume_size = AHEAD - 1
        self.door = door
        self.place = place
        self.passed = place is PASSED
        self._begun = begun
        self._watch: asyncio.TimerHandle | None = None  # runs while the socket's buffer is full

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start with the bytes that the reactor read as if they came next."""
        super().connection_made(transport)
        wire = cast(asyncio.Transport, transport)
        wire.set_write_buffer_limits(high=0)  # notice everything that the socket does not accept at once
        if wire.get_write_buffer_size() and not self._paused:
            self.pause_writing()  # bytes were written before the connection came here
        if self._begun:  # later: a transport starts to read after this, even if it was paused
            self._loop.call_soon(self.data_received, b"")

    def data_received(self, data: bytes) -> None:
        """Receive bytes; the first ones follow what the reactor read."""
        self.door.on_step()
        begun, self._begun = self._begun, b""
        super().data_received(begun + data)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Release the connection's count."""
        self.door.on_step()
        asked = self._current_request
        if asked is not None and not asked.content.is_eof():
            self.door.strange["aborted"] += 1
        self._unwatch()
        super().connection_lost(exc)
        self._loop.call_soon(self._forget)  # after the last step of its task
        self.door.left(self.place)

    def _forget(self) -> None:
        """Release requests that were read and not answered. They refer to this object, and would remain until a garbage collection."""
        for said, _ in self._messages:
            _untraced(getattr(said, "exc", None))
        self._messages.clear()
        self._message_tail = b""

    def pause_writing(self) -> None:
        """Watch a socket whose buffer is full: it has TAKE_SECONDS to accept something."""
        super().pause_writing()
        if self.transport is not None:
            self._look(self.transport, -1, 0)

    def resume_writing(self) -> None:
        """Stop watching the socket: its buffer is empty."""
        self._unwatch()
        super().resume_writing()

    def _look(self, transport: asyncio.Transport, left: int, still: int) -> None:
        """Close the connection if none of the `left` bytes were accepted in the last LOOKS checks."""
        now = transport.get_write_buffer_size()
        still = still + 1 if now == left else 0
        if still == LOOKS:
            self.door.strange["untaken"] += 1
            transport.abort()
        else:
            self._watch = self._loop.call_later(TAKE_SECONDS / LOOKS, self._look, transport, now, still)

    def _unwatch(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer a malformed request, or a fault outside of the application."""
        if isinstance(exc, HttpProcessingError):
            _untraced(exc)
            self.door.strange["malformed"] += 1
            message = "This is not a request.\n"
        answer = super().handle_error(request, status, exc, message)
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            answer = _ours(request)
            answer.force_close()
        answer.headers.update(ALWAYS | {"Server": "serendip"})
        return answer

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Log a fault of this program; a client's fault is counted, here or when the connection is lost."""
        if not isinstance(kw.get("exc_info"), _STRANGERS):
            super().log_exception(*args, **kw)

    @property
    def idle(self) -> bool:
        """Whether the connection is idle, and no bytes wait to be parsed."""
        return not self._begun and super().idle

    def let_go(self) -> "tuple[asyncio.Transport, Door, Place | None] | None":
        """Detach the transport, which stays open and counted; None if more than the present request was received.

        The caller returns the transport with `Door.again`, or calls `Door.left` when it is lost.
        """
        transport = self.transport
        if transport is None or transport.is_closing() or self.ahead or not self._between or self._paused:
            return None
        self.transport = None  # so that nothing below closes it
        super().connection_lost(None)
        return transport, self.door, self.place


def _ours(request: web.BaseRequest) -> web.Response:
    """Return the response for a fault of this program, in the application's form if there is a request."""
    said = "Something went wrong here."
    answer = None
    if isinstance(request, web.Request) and request._match_info is not None and PROGRAMS in request.app:
        answer = refusal(request, HTTPStatus.INTERNAL_SERVER_ERROR, said)
    return answer or web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR, text=f"{said}\n")


def _untraced(fault: BaseException | None) -> None:
    """Separate a parser's fault from its traceback, whose frames refer to the fault and the parsed bytes."""
    if fault is not None:
        fault.__traceback__ = None


class Door:
    """Hands sockets to aiohttp's `server` and back. `judge` knows the proxies, `addresses` the limits.

    `on_step`: called before each piece of work on a connection, as many may be ready in one turn of the loop; `on_open`: for each connection.
    """

    def __init__(
        self,
        server: web.Server,
        judge: Judge,
        addresses: Addresses,
        crowded: SeparatePaths | None = None,
        *,
        on_step: Callable[[], None] = lambda: None,
        on_open: Callable[[], None] = lambda: None,
    ) -> None:
        self.server = server
        self.on_step = on_step
        self._on_open = on_open
        self._crowded = crowded
        self._refusing = 0
        self._judge = judge
        self._addresses = addresses
        self._opening: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._send: Send | None = None
        self._sweeping: asyncio.TimerHandle | None = None
        self.open = 0
        self.strange = Counter({"malformed": 0, "aborted": 0, "untaken": 0})  # faults of clients

    def reading(self) -> Reading:
        """Return connections held and spoilt, and the addresses with an entry in the limits, as a source of metrics."""
        return {
            "serendip_http_connections": self.open,
            "serendip_http_spoilt": {(why,): count for why, count in self.strange.items()},
            "serendip_addresses": len(self._addresses),
            "serendip_addresses_alone": self._addresses.alone,
        }

    def take(self, fd: int, begun: bytes, now: float) -> None:
        """Accept a connection on descriptor `fd`, of which `begun` was read; this object owns the descriptor from now on."""
        if self._send is not None and self._send(fd, NEW, begun):
            return
        sock = socket.socket(fileno=fd)
        try:
            peer = str(sock.getpeername()[0])
        except OSError:
            sock.close()
            return
        try:
            # A proxy brings many users in one connection: counting it would count them as one.
            addresses, said = self._counted(begun)
            place = None if self._judge.trusts(peer) else Place(addresses, key_of(self._judge.address(peer, "")))
            if place is not None and not addresses.enter(place.key, now):
                self._refuse(sock, said, addresses.wait(place.key, now))
                return
        except BaseException:  # no memory, most likely: the socket must be closed
            sock.close()
            raise
        self._enter(sock, place, begun)

    def _enter(self, sock: socket.socket, place: Place | None, begun: bytes) -> None:
        """Count the connection and give it to aiohttp."""
        self._on_open()
        self.open += 1
        task = self._loop.create_task(self._begin(sock, place, begun))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    def _counted(self, begun: bytes) -> tuple[Addresses, bytes | None]:
        """Return where a request's connection is counted, and the refusal of its path; None: the general refusal."""
        crowded, path = self._crowded, request_path(begun)
        if crowded is None:
            return self._addresses, None
        said = crowded.refusals.get(path)
        apart = said is not None or path.startswith(crowded.folders)
        return crowded.addresses if apart else self._addresses, said

    def _refuse(self, sock: socket.socket, said: bytes | None, wait: int) -> None:
        """Send a refusal and close: at once, or late for a client that would retry at once, as long as few are waiting."""
        words = limited(wait) if said is None else _SOFT % (len(said), max(1, wait), said)

        def end() -> None:
            with contextlib.suppress(OSError):  # the socket may not even accept a refusal
                sock.send(words)
            sock.close()

        def late() -> None:
            self.on_step()
            self._refusing -= 1
            end()

        sock.setblocking(False)
        if said is not None and self._refusing < REFUSING_MAX:
            self._refusing += 1
            self._loop.call_later(REFUSE_AFTER, late)
        else:
            end()

    async def _begin(self, sock: socket.socket, place: Place | None, begun: bytes) -> None:
        self.on_step()
        try:
            await self._loop.connect_accepted_socket(lambda: BoundedReads(Handler(self, place, begun)), sock)
        except OSError:
            sock.close()
            self.left(place)

    def again(self, transport: asyncio.Transport, place: Place | None, begun: bytes) -> None:
        """Give a detached connection back to aiohttp, with the bytes `begun` that were read meanwhile."""
        handler = Handler(self, place, begun)
        transport.set_protocol(BoundedReads(handler))
        handler.connection_made(transport)

    # migration to another process

    @property
    def leaving(self) -> bool:
        """Whether the process is migrating its connections."""
        return self._send is not None

    @property
    def busy(self) -> int:
        """The number of connections that are still here."""
        return self.open

    def leave(self, send: Send) -> None:
        """Give every connection to `send`: idle ones now, others once they are idle; a connection whose next request begins later moves with it
        (server.http.request.request_migration).

        `send` owns the descriptor that it accepted, until another `Door.arrive` has it; False: not now, and it is called again. New connections of
        `take` are given to it at once.
        """
        self._send = send
        self._sweep()

    def stay(self) -> None:
        """Stop giving connections away, and serve those that are here."""
        self._send = None
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None

    def arrive(self, fd: int, where: str, begun: bytes) -> None:
        """Continue a connection of another process: its descriptor, where it is counted, what was read. This object owns the descriptor from now
        on.
        """
        now = self._loop.time()
        if where == NEW:
            self.take(fd, begun, now)
            return
        sock, place = socket.socket(fileno=fd), self._place_of(where)
        sock.setblocking(False)
        if place is not None:
            place.addresses.moved(place.key, now)  # not a new connection: no limit is checked again
        self._enter(sock, place, begun)

    def give(self, handler: Handler, begun: bytes) -> bool:
        """Give a connection away, with the request that was `begun` on it; False if it stays."""
        return self._send is not None and handler.give(self._send, self._where(handler.place), begun)

    def _sweep(self) -> None:
        """Give idle connections away, repeatedly, until none is left."""
        self._sweeping = self._loop.call_later(SWEEP, self._sweep)
        for handler in self.server.connections:
            if isinstance(handler, Handler) and handler.idle and not self.give(handler, b""):
                break  # the link is full, or no descriptor is left: retry later

    def _where(self, place: Place | None) -> str:
        if place is None:
            return UNCOUNTED
        if place is PASSED:
            return PASSED_ON
        return (COUNTED if place.addresses is self._addresses else CROWDED) + place.key

    def _place_of(self, where: str) -> Place | None:
        if where in (UNCOUNTED, PASSED_ON):
            return PASSED if where == PASSED_ON else None
        crowded = where.startswith(CROWDED) and self._crowded is not None
        return Place(self._crowded.addresses if crowded and self._crowded else self._addresses, where[1:])

    def left(self, place: Place | None) -> None:
        """Count a closed connection; `place` None: it was not counted."""
        self.open -= 1
        if place is not None:
            place.addresses.leave(place.key, self._loop.time())


async def come_back(request: web.Request) -> web.Response:
    """Handle GET /ws on a connection of aiohttp's: give the socket to the reactor, with the head that aiohttp read."""
    services, transport = request.app[SERVICES], request.transport
    if services.draining:
        return web.Response(status=503, text="This server is stopping.\n", headers={"Retry-After": "5"})
    if transport is None or transport.is_closing():
        return web.Response()
    # The router decodes a path, the reactor does not: a path that only the router takes for /ws would come back for ever.
    if request.raw_path.partition("?")[0] != "/ws":
        return web.Response(status=404, text="The WebSocket is at /ws.\n")
    if len(request.protocol._message_tail) > TAIL_MAX:
        request.protocol._message_tail = b""  # frames: aiohttp would parse them as the next request
        answer = web.Response(status=400, text="Frames come after the answer to the request.\n")
        answer.force_close()
        return answer
    fields = b"".join(b"%s: %s\r\n" % field for field in request.raw_headers)
    head = f"GET {request.raw_path} HTTP/{request.version.major}.{request.version.minor}\r\n".encode()
    # No await from here on: nothing more is read from the socket than aiohttp keeps behind the head.
    begun = head + fields + b"\r\n" + request.protocol._message_tail
    peer = request.remote or ""
    try:
        descriptor = os.dup(transport.get_extra_info("socket").fileno())
    except OSError:  # no descriptor is left
        return web.Response(status=503, text="This server is full.\n", headers={"Retry-After": str(draw_retry_s())})
    transport.abort()  # closes aiohttp's descriptor without a shutdown; the duplicate is of the same socket
    services.worker.take_socket(descriptor, peer, begun)
    return web.Response()  # never sent: aiohttp finds its connection gone
