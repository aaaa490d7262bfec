"""Test the connection by HTTP requests against the server for tests: which way is tried first, frames both ways, codes, and cuts."""

import json

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from serendip_client import Client, Dropped, Hello
from serendip_client.polling import PollSocket, is_served
from serendip_client.testing import FakeClock, FakeServer

TEXT, CLOSED = aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.CLOSED


async def test_it_is_known_whether_the_server_would_accept_a_websocket() -> None:
    async with aiohttp.ClientSession() as http:
        async with FakeServer(blocks=True) as server:
            assert await is_served(http, server.url, None)
            assert not await is_served(http, server.url.replace("/ws", "/elsewhere"), None)
            gone = server.url
        for url in (gone, "no address"):
            assert not await is_served(http, url, None)


async def test_a_server_that_refuses_by_its_limits_is_asked_by_no_other_way() -> None:
    async with FakeClock() as clock, FakeServer(blocks=True) as server:
        server.refuses = 429
        async with Client(server.url, patience=None) as me:
            told = []
            for _ in range(4):
                await clock.advance(20)
                told.append(await me.next(Dropped))
            assert [(event.status, "HTTP requests" in event.reason) for event in told] == [(429, False)] * 4
            server.refuses = 0
            await clock.advance(20)
            await me.next(Hello)


async def test_frames_pass_both_ways_and_a_cut_is_1006() -> None:
    async with aiohttp.ClientSession() as http, FakeServer(raw=True, blocks=True) as server:
        socket = await PollSocket.connect(http, server.url, None)
        for number in range(3):
            await socket.send_frame(json.dumps({"type": "ping", "number": number}).encode(), TEXT)
        assert [(await server.next())["number"] for _ in range(3)] == [0, 1, 2]
        for number in range(3):
            await server.tell({"type": "pong", "number": number})
        assert [json.loads((await socket.receive(10)).data)["number"] for _ in range(3)] == [0, 1, 2]
        await server.drop()
        assert (await socket.receive(10)).type is CLOSED
        assert (socket.closed, socket.close_code) == (True, 1006)
        with pytest.raises(ConnectionResetError):
            await socket.send_frame(b"{}", TEXT)


async def test_the_server_s_close_code_arrives() -> None:
    async with aiohttp.ClientSession() as http, FakeServer(raw=True, blocks=True) as server:
        socket = await PollSocket.connect(http, server.url, None)
        await server.drop(4009)
        assert (await socket.receive(10)).type is CLOSED
        assert socket.close_code == 4009


async def test_a_ping_is_answered_while_a_poll_is_held() -> None:
    async with aiohttp.ClientSession() as http, FakeServer(raw=True, blocks=True) as server:
        socket = await PollSocket.connect(http, server.url, None)
        for _ in range(2):
            await socket.ping()
            assert (await socket.receive(10)).type is aiohttp.WSMsgType.PONG
        await server.tell({"type": "pong"})
        assert (await socket.receive(10)).type is TEXT
        await socket.close()


async def test_what_answers_in_the_server_s_place_is_no_server() -> None:
    async def broken(_: web.Request) -> web.Response:
        return web.Response(text="{", content_type="application/json")

    app = web.Application()
    app.router.add_post("/api/poll", broken)
    async with TestServer(app) as other, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.ClientError):
            await PollSocket.connect(http, f"ws://127.0.0.1:{other.port}/ws", None)
