"""A poll held for more than a second leaves aiohttp, and nobody can tell."""

import asyncio
import re
import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from aiohttp import web

from ext.accept.address_limits import Addresses
from ext.accept.handshake import Judge
from server.http.request.reactor_handoff import Door
from server.site.omegle.poll_transports import ParkedPoll, PollRequest
from tests.server.site.omegle.conftest import Caller, pair
from tests.server.site.web.servers import Server

Make = Callable[[], Caller]
PARKED = 2.5  # seconds after which a poll is parked for certain: one, and a tick of a second


class Line:
    """One connection, by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def to(cls, server: Server) -> "Line":
        return cls(*await asyncio.open_connection("127.0.0.1", server.port))

    def post(self, path: str, body: str) -> None:
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        self.writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())

    async def answer(self) -> tuple[str, bytes]:
        """Head and body of the next answer."""
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)).decode()
        found = re.search("Content-Length: ([0-9]+)", head)
        assert found is not None
        return head, await self.reader.readexactly(int(found[1]))


async def test_its_answer_is_whole_and_the_connection_goes_on(caller: Make, wide: Server) -> None:
    one, two = await pair(caller, "parked")
    line = await Line.to(wide)
    for text in ("first", "second"):
        line.post("/events", f"id={one.id}")
        await asyncio.sleep(PARKED)
        await two.post("/send", msg=text)
        head, body = await line.answer()
        assert head.startswith("HTTP/1.1 200 OK\r\n")
        assert "Access-Control-Allow-Origin: *" in head
        assert "application/json" in head
        assert body == b'[["gotMessage","%s"]]' % text.encode()
    line.post("/send", f"id={one.id}&msg=back")
    assert (await line.answer())[1] == b"win"
    assert await two.events() == [["gotMessage", "back"]]
    line.writer.close()


async def test_what_comes_behind_it_on_the_connection_ends_it(caller: Make, wide: Server) -> None:
    one, two = await pair(caller, "behind")
    line = await Line.to(wide)
    line.post("/events", f"id={one.id}")
    await asyncio.sleep(PARKED)
    line.post("/send", f"id={one.id}&msg=now")
    assert (await line.answer())[1] == b"[]"
    assert (await line.answer())[1] == b"win"
    assert await two.events() == [["gotMessage", "now"]]
    line.writer.close()


async def test_half_a_request_behind_it_is_answered_when_the_rest_comes(caller: Make, wide: Server) -> None:
    one, two = await pair(caller, "half")
    line = await Line.to(wide)
    line.post("/events", f"id={one.id}")
    line.writer.write(b"POST /send HTTP/1.1\r\nHost: loc")
    await asyncio.sleep(PARKED)
    await two.post("/send", msg="now")
    assert (await line.answer())[1] == b'[["gotMessage","now"]]'
    body = f"id={one.id}&msg=rest"
    line.writer.write(f"alhost\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
    assert (await line.answer())[1] == b"win"
    assert await two.events() == [["gotMessage", "rest"]]
    line.writer.close()


async def test_one_that_is_dropped_loses_no_event(caller: Make, wide: Server) -> None:
    one, two = await pair(caller, "drops")
    line = await Line.to(wide)
    line.post("/events", f"id={one.id}")
    await asyncio.sleep(PARKED)
    line.writer.transport.abort()
    await asyncio.sleep(0.2)
    await two.post("/send", msg="kept")
    assert await one.events() == [["gotMessage", "kept"]]


async def test_a_newer_poll_answers_it(caller: Make, wide: Server) -> None:
    one, two = await pair(caller, "newest")
    line = await Line.to(wide)
    line.post("/events", f"id={one.id}")
    await asyncio.sleep(PARKED)
    newer = asyncio.ensure_future(one.events())
    assert (await line.answer())[1] == b"[]"
    await two.post("/disconnect")
    assert await newer == [["strangerDisconnected"]]
    line.writer.close()


async def test_a_client_of_http_1_0_is_served_without(caller: Make, wide: Server) -> None:
    one, two = await pair(caller, "old")
    line = await Line.to(wide)
    body = f"id={one.id}"
    line.writer.write(f"POST /events HTTP/1.0\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
    await asyncio.sleep(PARKED)
    await two.post("/send", msg="hi")
    assert (await line.answer())[1] == b'[["gotMessage","hi"]]'
    assert await line.reader.read() == b""
    line.writer.close()


class Keeper:
    """Whoever keeps clients."""

    def written(self, client: Any, number: int) -> None:
        del client.events[:number]

    def cut(self, client: Any) -> None:
        raise AssertionError("nobody hung up")


async def test_a_request_that_comes_while_the_answer_is_on_its_way_is_answered_too() -> None:
    loop = asyncio.get_running_loop()
    client = SimpleNamespace(events=[b'["waiting"]'], carrying=False, gone=False, poll=None)
    parked: list[ParkedPoll] = []

    async def handle(request: web.BaseRequest) -> web.Response:
        if request.path == "/events":
            found = PollRequest(request, cast(Any, client), cast(Any, Keeper())).park()
            assert found is not None
            parked.append(found)
        return web.Response(text="later\n")

    def read_lines() -> None:
        """Let a line come, as sockets are read before the answers of many polls."""
        if parked and len(client.events) == 1:
            client.events.append(b'["gotMessage","hi"]')

    runner = web.ServerRunner(web.Server(handle, access_log=None))
    await runner.setup()
    assert runner.server is not None
    door = Door(
        cast(Any, runner.server),
        Judge(hosts=[], origins=[], proxies=[]),
        Addresses(open_max=9, burst=9, rate=9, limits=True),
        on_step=read_lines,
    )
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as ours:
        ours.setblocking(False)
        theirs, _ = listener.accept()
        door.take(theirs.detach(), b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n", loop.time())
        while not parked:  # noqa: ASYNC110 - no turn of the loop may pass in between
            await asyncio.sleep(0)
        # In one turn of the loop: the poll is answered, then the socket is read; the answer is written in the next.
        ours.send(b"GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n")
        loop.call_soon(parked[0].set_result, True)
        said = b""
        async with asyncio.timeout(20):
            while not said.endswith(b"later\n"):
                said += await loop.sock_recv(ours, 65536)
    assert said.count(b"HTTP/1.1 200 OK") == 2
    assert said.index(b'[["waiting"],["gotMessage","hi"]]') < said.index(b"later")
    await runner.cleanup()
