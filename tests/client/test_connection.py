"""Test failed attempts to connect: explained in words, raised to waiting callers, repeated only if that makes sense."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from serendip_client import Backoff, Client, Closed, Disconnected, Dropped, Matched, Partner
from tests.server.site.web.servers import Server

QUICK = {"first": 0.02, "most": 0.2}


@asynccontextmanager
async def answering(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """A server that is none of ours; gives its address."""
    app = web.Application()
    app.router.add_get("/ws", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"ws://127.0.0.1:{runner.addresses[0][1]}/ws"
    finally:
        await runner.cleanup()
        await asyncio.sleep(0)  # transports close their sockets in the next turn


@pytest.mark.parametrize(
    ("path", "headers", "status", "words"),
    [
        ("elsewhere", {}, 404, "ends in /ws"),
        ("", {}, 404, "ends in /ws"),
        ("ws", {"Host": "nobody.example"}, 421, "SERENDIP_SERVER__HOSTS"),
        ("ws", {"Origin": "https://elsewhere.example"}, 403, "SERENDIP_SERVER__ORIGINS"),
    ],
)
async def test_a_refusal_for_good_is_raised_with_status_body_and_what_to_do(
    server: Server, path: str, headers: dict[str, str], status: int, words: str
) -> None:
    async with Client(f"ws://127.0.0.1:{server.port}/{path}", headers=headers) as me:
        with pytest.raises(Disconnected, match=words) as raised:
            await me.find(interests=["chess"])
        closed = raised.value.closed
        assert closed.status == status
        assert closed.body
        assert [event async for event in me] == [closed]
        with pytest.raises(Disconnected):
            await me.leave()


async def test_who_finds_nobody_listening_gives_up_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async with Client("ws://127.0.0.1:9/ws", patience=0.2, backoff=Backoff(**QUICK)) as me:
        with pytest.raises(Disconnected, match=r"no server answers there.*gave up after 0.2 s"):
            await me.find(interests=["chess"])
        with pytest.raises(Disconnected):
            await me.next(Matched)
    assert "trying again" in caplog.text


async def test_a_refusal_for_now_is_waited_for_as_long_as_the_server_asks() -> None:
    answers = iter([web.Response(status=429, headers={"Retry-After": "0.01"}), web.Response(status=404)])

    async def busy(request: web.Request) -> web.Response:
        return next(answers, web.Response(status=404))

    async with answering(busy) as url, Client(url, backoff=Backoff(first=1_000, most=1_000)) as me:
        dropped = await me.next(Dropped)
        assert (dropped.after, dropped.status) == (0.01, 429)
        assert "too many connections" in dropped.reason
        assert (await me.next(Closed)).status == 404


async def test_a_websocket_that_speaks_something_else_is_no_server_of_ours() -> None:
    async def other(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str("welcome")
        await socket.receive()
        return socket

    async with answering(other) as url, Client(url) as me:
        with pytest.raises(Disconnected, match="does not speak"):
            await me.find()


async def test_an_address_that_is_none_and_a_client_that_was_not_started_hang_nobody() -> None:
    for address in ("no address", "localhost:8080", "ftp://localhost/ws"):
        async with Client(address) as me:
            with pytest.raises(Disconnected, match="not an address of a WebSocket: it begins with ws://"):
                await me.find()
    with pytest.raises(RuntimeError, match="not started"):
        await Client("ws://127.0.0.1:9/ws").find()


async def test_a_port_without_tls_is_not_tried_again(server: Server) -> None:
    async with Client(f"wss://127.0.0.1:{server.port}/ws", patience=None) as me:
        with pytest.raises(Disconnected, match="no TLS is spoken"):
            await me.find()


async def test_only_away_and_back_say_whether_the_partner_is_away() -> None:
    me, seen = Client("ws://127.0.0.1:9/ws"), []
    for state in ("away", "paused", "asked", "back"):
        await me._told(Partner(state, None))
        seen.append(me.partner_away)
    assert seen == [True, True, True, False]


async def test_a_close_is_answered_with_its_own_code_so_that_a_proxy_that_goes_away_ends_no_session() -> None:
    answered: asyncio.Queue[int] = asyncio.Queue()

    async def going_away(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(autoclose=False)
        await socket.prepare(request)
        await socket.send_str('{"type":"hello","session":"1","token":"t","online":1,"grace":15}')
        await socket.close(code=1001)
        await answered.put(socket.close_code or 0)
        return socket

    async with answering(going_away) as url, Client(url, backoff=Backoff(**QUICK)):
        assert await asyncio.wait_for(answered.get(), 10) == 1001
