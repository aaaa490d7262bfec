"""The ways between the reactor and aiohttp: connections that are not `/ws` go there with what was read of them.

A proxy uses its connections for many requests, so a WebSocket may begin on one that aiohttp has: it comes back.

Rule: a connection that came through here is counted by address until it is gone, like every other; of what its client sends before it
is answered a few READs are taken and the rest waits in the kernel; and one that takes nothing of its answer is cut as a WebSocket is
(protocol.md, rule 4). While the process hands over, each leaves between two requests.
"""

import asyncio
import contextlib
import os
import socket
from collections import Counter
from http import HTTPStatus
from typing import Any, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from engine.wire.protocol import TAKE_SECONDS
from ext.accept.address_limits import Addresses, key_of
from ext.accept.handshake import Judge, limited
from server.http.pages.refusal_pages import PROGRAMS, refusal
from server.http.request.bounded_reads import READ, Reads
from server.http.request.connection_counts import (
    COUNTED,
    CROWDED,
    NEW,
    PASSED,
    PASSED_ON,
    UNCOUNTED,
    Crowded,
    Place,
    asked,
)
from server.http.request.headers import ALWAYS
from server.http.request.request_boundary import Bounded, Send
from server.http.request.site_services import SERVICES
from server.ops.health.overload import come_again
from server.ops.metrics.exposition import Reading

KEEP_ALIVE = 30.0  # seconds that an idle HTTP connection is kept: longer than a held poll of the Omegle face
TAIL_MAX = (
    READ  # bytes behind an upgrade's head: a client waits for the answer (RFC 6455, 4.1), a hasty one sends a frame
)
AHEAD = 2  # requests that are read while one is answered
HEAD_MAX = 16 * 1024  # bytes, as the reactor has it
LOOKS = 4  # at a socket that takes no more, within TAKE_SECONDS
REFUSE_AFTER = 1.5  # seconds: as long as a program of Omegle's waits for what is not there
SWEEP = 0.02  # seconds between two looks at who is idle, while the process hands over
REFUSING_MAX = 1_000  # sockets that are kept waiting for a refusal
_SOFT = (
    b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
    b"Connection: close\r\nRetry-After: %d\r\n\r\n%s"
)
# What a stranger does wrong on a connection: no fault of ours, so it is counted and not logged.
_STRANGERS = (HttpProcessingError, web.RequestPayloadError, ConnectionError)


class Handler(Bounded):
    """aiohttp's protocol, begun in the middle: the head was read already."""

    __slots__ = ("_begun", "_watch", "door", "place")

    def __init__(self, door: "Door", place: Place | None, begun: bytes) -> None:
        super().__init__(
            door.server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # its own default for servers is another
            keepalive_timeout=KEEP_ALIVE,
            lingering_time=2.0,
            max_line_size=HEAD_MAX,  # the whole head was bounded before it came here
            max_field_size=HEAD_MAX,
            read_bufsize=READ,  # what a body may be ahead of whoever reads it
        )
        self._max_msg_queue_size = AHEAD  # its own, of 32 heads, is half a megabyte
        self._msg_queue_resume_size = AHEAD - 1
        self.door = door
        self.place = place
        self.passed = place is PASSED
        self._begun = begun
        self._watch: asyncio.TimerHandle | None = None  # runs while the socket takes no more

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Takes what was read as if it came next."""
        super().connection_made(transport)
        wire = cast(asyncio.Transport, transport)
        wire.set_write_buffer_limits(high=0)  # whatever the socket does not take at once is noticed
        if wire.get_write_buffer_size() and not self._paused:
            self.pause_writing()  # something was written before it came here
        if self._begun:  # not here: a transport starts to read after this, even where it was told to pause
            self._loop.call_soon(self.data_received, b"")

    def data_received(self, data: bytes) -> None:
        """Bytes came; the first stand behind what was read before."""
        begun, self._begun = self._begun, b""
        super().data_received(begun + data)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The connection counts no more."""
        asked = self._current_request
        if asked is not None and not asked.content.is_eof():
            self.door.strange["aborted"] += 1
        self._unwatch()
        super().connection_lost(exc)
        self._loop.call_soon(self._forget)  # when its task has taken its last step
        self.door.left(self.place)

    def _forget(self) -> None:
        """What was read and not answered goes at once. It refers to this, so that it would lie here until Python looks for cycles."""
        for said, _ in self._messages:
            _untraced(getattr(said, "exc", None))
        self._messages.clear()
        self._message_tail = b""

    def pause_writing(self) -> None:
        """The socket takes no more: it has TAKE_SECONDS to take something."""
        super().pause_writing()
        if self.transport is not None:
            self._look(self.transport, -1, 0)

    def resume_writing(self) -> None:
        """It took everything."""
        self._unwatch()
        super().resume_writing()

    def _look(self, transport: asyncio.Transport, left: int, still: int) -> None:
        """Cut the connection where nothing more of the `left` bytes was taken for the last LOOKS times."""
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
        """Answer what is no request, and what failed outside of the application."""
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
        """A fault of ours is logged; what a stranger did is counted, here or where the connection is lost."""
        if not isinstance(kw.get("exc_info"), _STRANGERS):
            super().log_exception(*args, **kw)

    @property
    def idle(self) -> bool:
        """As its base says, and nothing waits to be parsed."""
        return not self._begun and super().idle

    def let_go(self) -> "tuple[asyncio.Transport, Door, Place | None] | None":
        """Parts from its transport, which stays open and counted; None where more than the present request came over it.

        Whoever takes the transport gives it back by `Door.again`, or says `Door.left` when it is lost.
        """
        transport = self.transport
        if transport is None or transport.is_closing() or self.ahead or not self._between or self._paused:
            return None
        self.transport = None  # so that what follows finds nothing to close
        super().connection_lost(None)
        return transport, self.door, self.place


def _ours(request: web.BaseRequest) -> web.Response:
    """What a fault of ours is answered with: as the application does it, where one has the request."""
    said = "Something went wrong here."
    answer = None
    if isinstance(request, web.Request) and request._match_info is not None and PROGRAMS in request.app:
        answer = refusal(request, HTTPStatus.INTERNAL_SERVER_ERROR, said)
    return answer or web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR, text=f"{said}\n")


def _untraced(fault: BaseException | None) -> None:
    """Part a parser's fault from its traceback, whose frames hold the fault, and what was parsed."""
    if fault is not None:
        fault.__traceback__ = None


class Door:
    """Hands sockets over to `server`, aiohttp's. `judge` knows the proxies, `addresses` the limits."""

    def __init__(self, server: web.Server, judge: Judge, addresses: Addresses, crowded: Crowded | None = None) -> None:
        self.server = server
        self._crowded = crowded
        self._refusing = 0
        self._judge = judge
        self._addresses = addresses
        self._opening: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._send: Send | None = None
        self._sweeping: asyncio.TimerHandle | None = None
        self.open = 0
        self.strange = Counter({"malformed": 0, "aborted": 0, "untaken": 0})  # by what a stranger did

    def reading(self) -> Reading:
        """A source of metrics: connections held and spoilt, and addresses that have an entry in the limits."""
        return {
            "serendip_http_connections": self.open,
            "serendip_http_spoilt": {(why,): count for why, count in self.strange.items()},
            "serendip_addresses": len(self._addresses),
            "serendip_addresses_alone": self._addresses.alone,
        }

    def take(self, fd: int, begun: bytes, now: float) -> None:
        """A connection on descriptor `fd` of which `begun` was read; the descriptor is ours from here on."""
        if self._send is not None and self._send(fd, NEW, begun):
            return
        sock = socket.socket(fileno=fd)
        try:
            peer = str(sock.getpeername()[0])
        except OSError:
            sock.close()
            return
        try:
            # A proxy of ours brings many people in one connection: counting it would count them as one.
            addresses, said = self._counted(begun)
            place = None if self._judge.trusts(peer) else Place(addresses, key_of(self._judge.address(peer, "")))
            if place is not None and not addresses.enter(place.key, now):
                self._refuse(sock, said, addresses.wait(place.key, now))
                return
        except BaseException:  # no memory, most likely: the socket must not stay
            sock.close()
            raise
        self._enter(sock, place, begun)

    def _enter(self, sock: socket.socket, place: Place | None, begun: bytes) -> None:
        """It is aiohttp's from here on, and counted."""
        self.open += 1
        task = self._loop.create_task(self._begin(sock, place, begun))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    def _counted(self, begun: bytes) -> tuple[Addresses, bytes | None]:
        """Where the connection of a request is counted, and what a program is told where it is one too many; None: what all are told."""
        said = self._crowded.refusals.get(asked(begun)) if self._crowded is not None else None
        return (self._addresses, None) if self._crowded is None or said is None else (self._crowded.addresses, said)

    def _refuse(self, sock: socket.socket, said: bytes | None, wait: int) -> None:
        """Say so and hang up: at once, or where a program asks again at once, late, as long as few are kept waiting."""
        words = limited(wait) if said is None else _SOFT % (len(said), max(1, wait), said)

        def end() -> None:
            with contextlib.suppress(OSError):  # it may not even take a refusal
                sock.send(words)
            sock.close()

        def late() -> None:
            self._refusing -= 1
            end()

        sock.setblocking(False)
        if said is not None and self._refusing < REFUSING_MAX:
            self._refusing += 1
            self._loop.call_later(REFUSE_AFTER, late)
        else:
            end()

    async def _begin(self, sock: socket.socket, place: Place | None, begun: bytes) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: Reads(Handler(self, place, begun)), sock)
        except OSError:
            sock.close()
            self.left(place)

    def again(self, transport: asyncio.Transport, place: Place | None, begun: bytes) -> None:
        """aiohttp goes on with a connection that it let go, of which `begun` was read meanwhile."""
        handler = Handler(self, place, begun)
        transport.set_protocol(Reads(handler))
        handler.connection_made(transport)

    # between two processes

    @property
    def leaving(self) -> bool:
        """Whether the process hands over."""
        return self._send is not None

    @property
    def busy(self) -> int:
        """Connections that are still here."""
        return self.open

    def leave(self, send: Send) -> None:
        """Give every connection to `send`: idle ones now, others when they are; whose request begins later goes with it
        (server.http.request.requests_in_handover).

        `send` owns the descriptor that it took, until another `Door.arrive` has it; False: not now, it is asked again. What is handed over by
        `take` from here on goes to it at once.
        """
        self._send = send
        self._sweep()

    def stay(self) -> None:
        """Serve again what is here."""
        self._send = None
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None

    def arrive(self, fd: int, where: str, begun: bytes) -> None:
        """Go on with a connection that another door gave: descriptor, where it is counted, what was read. The descriptor is ours from here on."""
        now = self._loop.time()
        if where == NEW:
            self.take(fd, begun, now)
            return
        sock, place = socket.socket(fileno=fd), self._place_of(where)
        sock.setblocking(False)
        if place is not None:
            place.addresses.moved(place.key, now)  # no new connection: nobody judges it again
        self._enter(sock, place, begun)

    def give(self, handler: Handler, begun: bytes) -> bool:
        """Give a connection away, with the request that was `begun` on it; False where it stays."""
        return self._send is not None and handler.give(self._send, self._where(handler.place), begun)

    def _sweep(self) -> None:
        """Look for who is idle, until nobody is here."""
        self._sweeping = self._loop.call_later(SWEEP, self._sweep)
        for handler in self.server.connections:
            if isinstance(handler, Handler) and handler.idle and not self.give(handler, b""):
                break  # the way is full, or no descriptor is left: later

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
        """A connection is gone; None: it was not counted."""
        self.open -= 1
        if place is not None:
            place.addresses.leave(place.key, self._loop.time())


async def come_back(request: web.Request) -> web.Response:
    """GET /ws on a connection of aiohttp's: the socket goes to the reactor, with the head that aiohttp read."""
    services, transport = request.app[SERVICES], request.transport
    if services.draining:
        return web.Response(status=503, text="This server is stopping.\n", headers={"Retry-After": "5"})
    if transport is None or transport.is_closing():
        return web.Response()
    # The router decodes a path, the judge of heads does not: what only the router takes for ours would come back for ever.
    if request.raw_path.partition("?")[0] != "/ws":
        return web.Response(status=404, text="The WebSocket is at /ws.\n")
    if len(request.protocol._message_tail) > TAIL_MAX:
        return web.Response(status=400, text="Frames come after the answer to the request.\n")
    fields = b"".join(b"%s: %s\r\n" % field for field in request.raw_headers)
    head = f"GET {request.raw_path} HTTP/{request.version.major}.{request.version.minor}\r\n".encode()
    # No await from here on: nothing is read of the socket but what aiohttp keeps behind the head.
    begun = head + fields + b"\r\n" + request.protocol._message_tail
    peer = request.remote or ""
    try:
        descriptor = os.dup(transport.get_extra_info("socket").fileno())
    except OSError:  # not one is left
        return web.Response(status=503, text="This server is full.\n", headers={"Retry-After": str(come_again())})
    transport.abort()  # closes aiohttp's descriptor without a shutdown; ours is another of the same socket
    services.worker.take_socket(descriptor, peer, begun)
    return web.Response()  # for nobody: aiohttp finds its connection gone
