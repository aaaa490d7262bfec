"""Where a request ends is known at every byte: what is taken for an end is one, and the end of each kind of request is found."""

import asyncio
import gc
import socket
from typing import Any, cast

import pytest
from aiohttp import web

from ext.accept.address_limits import Addresses
from ext.accept.handshake import Judge
from server.http.request.reactor_handoff import Door, Handler

GET = b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n"
FORM = b"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\na=\r\n\r\n&b="
EMPTY = b"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
CHUNKS = b"POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n\r\n\r\n\r\n0\r\n\r\n"


class Connection:
    """A handler on a real transport, which is told what came."""

    def __init__(self) -> None:
        self.handler: Handler
        self.transport: asyncio.Transport
        self.ours: socket.socket

    @classmethod
    async def opened(cls) -> "Connection":
        async def handle(request: web.BaseRequest) -> web.Response:
            await request.read()
            return web.Response()

        made = cls()
        addresses = Addresses(open_max=9, burst=9, rate=9, limits=True)
        door = Door(cast(Any, web.Server(handle, access_log=None)), Judge(hosts=[], origins=[], proxies=[]), addresses)
        made.ours, theirs = socket.socketpair()
        made.handler = Handler(door, None, b"")
        made.transport, _ = await asyncio.get_running_loop().connect_accepted_socket(lambda: made.handler, theirs)
        return made

    async def close(self) -> None:
        self.transport.abort()
        self.ours.close()
        while self.handler.transport is not None:  # noqa: ASYNC110 - turns of the loop, no time
            await asyncio.sleep(0)

    @property
    def between(self) -> bool:
        return bool(cast(Any, self.handler)._between)


@pytest.mark.parametrize("first", [GET, FORM, EMPTY, CHUNKS], ids=["get", "form", "empty", "chunks"])
@pytest.mark.parametrize("second", [GET, FORM, EMPTY, CHUNKS], ids=["get", "form", "empty", "chunks"])
async def test_an_end_is_found_where_it_is_and_nowhere_else(first: bytes, second: bytes) -> None:
    stream = first + second
    for cut in range(1, len(stream)):
        connection = await Connection.opened()
        connection.handler.data_received(stream[:cut])
        assert connection.between == (cut == len(first)), cut
        connection.handler.data_received(stream[cut:])
        assert connection.between or connection.handler._buffer_paused, cut  # two are ahead: more is not told apart
        await connection.close()


async def test_a_connection_is_idle_when_its_answer_was_taken_and_not_before() -> None:
    connection = await Connection.opened()
    loop = asyncio.get_running_loop()
    connection.ours.setblocking(False)
    for request in (GET, FORM, CHUNKS):
        connection.handler.data_received(request)
        assert not connection.handler.idle
        assert (await loop.sock_recv(connection.ours, 65536)).startswith(b"HTTP/1.1 200")
        while not connection.handler.idle:  # noqa: ASYNC110 - turns of the loop, no time
            await asyncio.sleep(0)
    connection.handler.data_received(GET[:5])
    assert not connection.handler.idle
    await connection.close()
    assert not connection.handler.idle


async def test_what_is_no_request_is_answered_once_and_its_connection_stays_nobodys() -> None:
    connection = await Connection.opened()
    loop = asyncio.get_running_loop()
    connection.ours.setblocking(False)
    connection.handler.data_received(b"G(T / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert not connection.between
    said = b""
    while part := await loop.sock_recv(connection.ours, 65536):
        said += part
    assert said.count(b"HTTP/1.0 400") == 1
    await connection.close()


async def test_who_asks_and_is_gone_in_the_same_moment_is_no_fault_of_ours() -> None:
    faults: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    connection = await Connection.opened()
    task = cast(Any, connection.handler)._task_handler
    await asyncio.sleep(0)  # it waits for a request
    connection.handler.data_received(GET)
    connection.handler.connection_lost(None)
    await asyncio.wait([task])
    del task
    await connection.close()
    gc.collect()
    assert faults == []
