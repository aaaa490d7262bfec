"""A WebSocket may begin on a connection that served HTTP before: proxies keep theirs."""

import asyncio
import contextlib
import gc
import http.client
import os
import socket
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from wsproto import ConnectionType, WSConnection
from wsproto.connection import Connection
from wsproto.events import AcceptConnection, CloseConnection, Request, TextMessage

from ext.accept.address_limits import Addresses
from ext.accept.handshake import Judge
from server.http.request.reactor_handoff import Door, Handler
from server.http.request.socket_read_size import READ
from tests.server.site.web.servers import Server
from tests.support.services import free_port
from tests.support.users import reads_proc


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("data"))
    yield server
    server.stop()


def used(server: Server, requests: int = 2) -> socket.socket:
    """A connection on which requests were answered."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    for _ in range(requests):
        connection.request("GET", "/healthz")
        assert connection.getresponse().read() == b"ok\n"
    assert connection.sock is not None
    sock: socket.socket = connection.sock.dup()
    connection.close()
    sock.settimeout(10)
    return sock


def begun(server: Server) -> tuple[WSConnection, bytes]:
    """A client, and the request that it begins with."""
    client = WSConnection(ConnectionType.CLIENT)
    return client, client.send(Request(host=f"127.0.0.1:{server.port}", target="/ws"))


def texts(sock: socket.socket, client: WSConnection) -> Iterator[str]:
    """What the server says, frame by frame, until it closes."""
    while True:
        data = sock.recv(65536)
        client.receive_data(data or None)
        for event in client.events():
            if isinstance(event, TextMessage):
                yield event.data
            elif isinstance(event, CloseConnection):
                return
            else:
                assert isinstance(event, AcceptConnection)


def descriptors(server: Server) -> int:
    """How many descriptors the server's process holds."""
    assert server._process is not None
    return len(os.listdir(f"/proc/{server._process.pid}/fd"))


def test_a_web_socket_begins_on_a_connection_that_served_requests(served: Server) -> None:
    with used(served) as sock:
        client, head = begun(served)
        sock.sendall(head)
        heard = texts(sock, client)
        assert next(heard).startswith('{"type":"hello"')
        sock.sendall(client.send(TextMessage('{"type":"ping"}')))
        assert next(heard) == '{"type":"pong"}'
        sock.sendall(client.send(CloseConnection(1000)))
        assert list(heard) == []


@pytest.mark.parametrize("pieces", [1, 7])
def test_frames_sent_with_the_head_are_not_lost(served: Server, pieces: int) -> None:
    with used(served) as sock:
        client, head = begun(served)
        # The client does not wait for the 101, as RFC 6455 would have it; what stands behind the head stays in order.
        frames = Connection(ConnectionType.CLIENT)
        pings = b"".join(frames.send(TextMessage('{"type":"ping"}')) for _ in range(3))
        packet = head + pings
        size = -(-len(packet) // pieces)
        for start in range(0, len(packet), size):
            sock.sendall(packet[start : start + size])
        heard = texts(sock, client)
        assert next(heard).startswith('{"type":"hello"')
        assert [next(heard) for _ in range(3)] == ['{"type":"pong"}'] * 3


def test_what_comes_back_is_judged_like_every_other(served: Server) -> None:
    with used(served) as sock:
        _, head = begun(served)
        sock.sendall(head.replace(b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 12"))
        assert sock.recv(65536).startswith(b"HTTP/1.1 426 ")
    with used(served) as sock:
        _, head = begun(served)
        sock.sendall(head.replace(b"\r\n\r\n", b"\r\nOrigin: https://evil.example\r\n\r\n"))
        assert sock.recv(65536).startswith(b"HTTP/1.1 403 ")


@reads_proc
def test_no_descriptor_is_left_behind(served: Server) -> None:
    """A connection of its own is counted too: what a server opens at its first use, and keeps, is not one a connection."""

    def connect(times: int) -> int:
        for _ in range(times):
            with used(served, 1) as sock:
                client, head = begun(served)
                sock.sendall(head)
                heard = texts(sock, client)
                next(heard)
                sock.sendall(client.send(CloseConnection(1000)))
                assert list(heard) == []
                assert sock.recv(1) == b""
        return descriptors(served)

    before = connect(10)
    assert connect(50) < before + 10


def test_a_plain_get_of_ws_is_told_what_is_spoken_here(served: Server, tmp_path: Path) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    for _ in range(2):
        connection.request("GET", "/ws")
        answer = connection.getresponse()
        assert (answer.status, answer.headers["Upgrade"]) == (426, "websocket")
        answer.read()
        connection.close()


@pytest.mark.parametrize("target", ["/%77s", "/ws#x", "//ws"])
def test_what_only_one_of_the_two_judges_takes_for_ws_is_answered_and_not_handed_on(
    served: Server, target: str
) -> None:
    client = WSConnection(ConnectionType.CLIENT)
    host = f"127.0.0.1:{served.port}"
    head = client.send(Request(host=host, target=target.format(host=host)))
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as sock:
        sock.sendall(head)
        assert sock.recv(65536).split(b"\r\n")[0].split(b" ")[1] in {b"404", b"400"}


@reads_proc
def test_an_upgrade_with_much_behind_it_is_refused_and_leaves_no_descriptor(served: Server) -> None:
    before = descriptors(served)
    for _ in range(20):
        _, head = begun(served)
        with (
            socket.create_connection(("127.0.0.1", served.port), timeout=10) as sock,
            contextlib.suppress(ConnectionError),
        ):
            # Both requests come before the first is answered, so aiohttp has read far behind the second one; it is refused
            # before all of it was taken.
            sock.sendall(b"GET /api/status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + head + b"\0" * 600_000)
            said = b""
            while more := sock.recv(65536):
                said += more
                assert said.count(b"HTTP/1.1 400") <= 1, "what is behind the upgrade is no request"
    assert descriptors(served) <= before + 1


@asynccontextmanager
async def opened(
    handle: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
    on_step: Callable[[], None] = lambda: None,
    on_open: Callable[[], None] = lambda: None,
) -> AsyncIterator[Door]:
    """A door in front of a handler, in this loop."""
    runner = web.ServerRunner(web.Server(handle, access_log=None))
    await runner.setup()
    assert runner.server is not None
    addresses = Addresses(open_max=2, burst=9, rate=9, limits=True)
    judge = Judge(hosts=[], origins=[], proxies=[])
    yield Door(cast(Any, runner.server), judge, addresses, on_step=on_step, on_open=on_open)
    await runner.cleanup()


@contextlib.contextmanager
def connected() -> Iterator[tuple[socket.socket, int]]:
    """A client's socket with a small buffer, and the descriptor of the server's end."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(listener.getsockname())
        client.setblocking(False)
        theirs, _ = listener.accept()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        theirs.setblocking(False)
        yield client, theirs.detach()


HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def test_chat_lines_are_read_before_each_begin_each_read_and_each_end_of_a_connection() -> None:
    answered: list[int] = []
    steps: list[int] = []  # how many requests were answered at each

    async def handle(_: web.BaseRequest) -> web.Response:
        answered.append(1)
        return web.Response()

    async with opened(handle, lambda: steps.append(len(answered))) as door:
        with connected() as (client, theirs):
            door.take(theirs, HEAD, 0.0)
            async with asyncio.timeout(20):
                await asyncio.get_running_loop().sock_recv(client, 4096)
            assert steps == [0, 0]
        async with asyncio.timeout(20):
            while door.open:  # noqa: ASYNC110 - the end of a connection has no event of its own
                await asyncio.sleep(0.01)
        assert steps == [0, 0, 1]


async def test_each_connection_that_comes_is_counted() -> None:
    async def handle(_: web.BaseRequest) -> web.Response:
        return web.Response()

    opens: list[int] = []
    async with opened(handle, on_open=lambda: opens.append(door.open)) as door:
        with connected() as (_, one), connected() as (_, two):
            door.take(one, HEAD, 0.0)
            door.take(two, HEAD, 0.0)
            assert opens == [0, 1]
        async with asyncio.timeout(20):
            while door.open:  # noqa: ASYNC110 - the end of a connection has no event of its own
                await asyncio.sleep(0.01)


async def large(_: web.BaseRequest) -> web.Response:
    return web.Response(body=b"x" * 1_000_000)


@pytest.mark.parametrize("size", [1_000_000, 20_000], ids=["more than fits anywhere", "what a close would wait for"])
@pytest.mark.parametrize("more", [b"", b"Connection: close\r\n"], ids=["kept", "closing"])
async def test_an_answer_of_which_nothing_is_taken_is_given_up(
    size: int, more: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def handle(_: web.BaseRequest) -> web.Response:
        return web.Response(body=b"x" * size)

    monkeypatch.setattr("server.http.request.reactor_handoff.TAKE_SECONDS", 0.2)
    async with opened(handle) as door:
        with connected() as (client, theirs):
            door.take(theirs, HEAD[:-2] + more + b"\r\n", 0.0)
            assert door.open == 1
            async with asyncio.timeout(20):
                while door.open:  # noqa: ASYNC110 - the end of a connection has no event of its own
                    await asyncio.sleep(0.01)
            assert client.fileno() >= 0
        assert door.strange["untaken"] == 1


async def test_an_answer_that_is_taken_little_by_little_arrives_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.http.request.reactor_handoff.TAKE_SECONDS", 0.8)
    loop = asyncio.get_running_loop()
    async with opened(large) as door:
        with connected() as (client, theirs):
            door.take(theirs, HEAD, 0.0)
            found, begun = 0, loop.time()
            while found < 1_000_000:  # a piece at each turn that the guard looks, for longer than it waits
                found += len(await loop.sock_recv(client, 65536 if loop.time() - begun > 2 else 4096))
                await asyncio.sleep(0.02 if loop.time() - begun < 2 else 0)
        assert door.strange["untaken"] == 0


async def test_a_limit_says_the_seconds_that_its_bucket_needs_and_none_where_no_time_mends_it() -> None:
    async with opened(large) as door:
        with contextlib.ExitStack() as stack:
            clients = []
            for _ in range(3):
                client, theirs = stack.enter_context(connected())
                door.take(theirs, HEAD, 0.0)
                clients.append(client)
            answer = await asyncio.get_running_loop().sock_recv(clients[2], 65536)
            assert answer.startswith(b"HTTP/1.1 429 ")
            assert b"\r\nRetry-After:" not in answer
        assert door.open <= 2


async def test_no_exception_while_a_socket_is_taken_leaves_it_open() -> None:
    class Faulty(Judge):  # type: ignore[misc]
        def trusts(self, address: str) -> bool:
            raise MemoryError

    async with opened(large) as door:
        door._judge = Faulty(hosts=[], origins=[], proxies=[])
        with connected() as (client, theirs):
            with pytest.raises(MemoryError):
                door.take(theirs, HEAD, 0.0)
            assert await asyncio.get_running_loop().sock_recv(client, 1) == b""
        assert door.open == 0


SLOW = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nx"
UPGRADE = HEAD[:-2] + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
BODY = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n"


@pytest.mark.parametrize(
    "behind",
    [
        SLOW + HEAD * 20_000,
        SLOW + (HEAD[:-2] + b"Cookie: " + b"c" * 8_000 + b"\r\n\r\n") * 100,
        SLOW + UPGRADE + b"x" * 800_000,
        BODY + b"x" * 800_000,
    ],
    ids=["small requests", "large heads", "an upgrade", "a body that nobody reads"],
)
async def test_what_comes_before_an_answer_costs_a_few_reads_and_the_rest_waits_in_the_kernel(behind: bytes) -> None:
    busy: asyncio.Future[web.BaseRequest] = asyncio.get_running_loop().create_future()
    answer = asyncio.Event()

    async def handle(request: web.BaseRequest) -> web.Response:
        busy.set_result(request)
        await answer.wait()
        raise web.HTTPNotFound

    async with opened(handle) as door:
        with connected() as (client, theirs):
            sent = client.send(behind)  # before the first read
            tracemalloc.start()
            door.take(theirs, os.read(theirs, READ), 0.0)
            transport = (await busy).transport
            assert transport is not None
            async with asyncio.timeout(20):
                while transport.is_reading():
                    with contextlib.suppress(BlockingIOError):
                        sent += client.send(memoryview(behind)[sent:])
                    await asyncio.sleep(0)
            held, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert held <= 8 * READ
        answer.set()


async def test_a_connection_that_is_gone_leaves_nothing_for_the_collector() -> None:
    async def handle(request: web.BaseRequest) -> web.Response:
        await asyncio.sleep(0)
        return web.Response(text="ok\n")

    def left() -> list[object]:
        return [thing for thing in gc.get_objects() if isinstance(thing, Handler | HttpProcessingError)]

    async with opened(handle) as door:
        for sent in (HEAD, HEAD * 9, *MALFORMED, BODY, SLOW + UPGRADE + b"x" * 9_000, SLOW + BODY, HEAD * 40 + b"x"):
            gc.collect()
            gc.disable()
            try:
                with connected() as (client, theirs):
                    door.take(theirs, sent, 0.0)
                    await asyncio.get_running_loop().sock_recv(client, 100)
                async with asyncio.timeout(20):
                    while door.open or left():  # noqa: ASYNC110 - the end of a connection has no event
                        await asyncio.sleep(0.01)
            except TimeoutError:
                raise AssertionError((sent[:200], left())) from None
            finally:
                gc.enable()


MALFORMED = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nx(y): 1\r\n\r\n",
    b"G(T / HTTP/1.1\r\nHost: localhost\r\n\r\n",
)


def test_what_a_stranger_does_wrong_is_counted_and_fills_no_log(tmp_path: Path) -> None:
    port = free_port()
    server = Server(tmp_path, SERENDIP_METRICS__ENABLED="true", SERENDIP_METRICS__PORT=str(port))
    for request in MALFORMED * 5:
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sock:
            sock.sendall(request)
            answer = sock.recv(65536)
            assert answer.startswith(b"HTTP/1.0 400 ")
            assert b"\r\nServer: serendip\r\n" in answer
    scrape = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def counted(sample: str) -> None:
        """Waits until the metrics have that sample."""
        found = ""
        while sample not in found:
            scrape.request("GET", "/metrics")
            answered = scrape.getresponse()
            found = answered.read().decode()
            assert answered.headers["Server"] == "serendip"

    counted('serendip_http_spoilt_total{why="malformed"} 15.0')
    half = [socket.create_connection(("127.0.0.1", server.port), timeout=10) for _ in range(5)]
    for sock in half:
        sock.sendall(b"POST /send HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n")
    for sock in half:
        assert sock.recv(100).startswith(b"HTTP/1.1 100 ")  # the request is in hand: who hangs up now gives it up
    counted("serendip_http_connections 5.0")
    for sock in half:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # a reset
        sock.close()
    counted('serendip_http_spoilt_total{why="aborted"} 5.0')
    scrape.close()
    server.stop()
    assert [line for line in server.said.splitlines() if '"level":"error"' in line] == []
