"""Coming back, end to end: the real server behind a network that is cut at chosen bytes (rules 4 and 5)."""

import asyncio
from collections.abc import Iterator
from typing import Any

import aiohttp
import orjson
import pytest

from bench.load.cutting_proxy import Cutter
from serendip_client import Backoff, Client, Left, Matched, Message, Partner, Pong, Resumed, Sent, Waiting
from tests.server.site.web.servers import Server

AT_ONCE = 40  # pairs that are tried at the same time


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of this file that do not stop it."""
    server = Server(tmp_path_factory.mktemp("data"), SERENDIP_LIMITS__ENABLED="false")
    yield server
    server.stop()


class Raw:
    """A client without any cleverness: it sends what it is told, and keeps what comes."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = url
        self.token = ""

    async def open(self, **headers: str) -> dict[str, Any]:
        """Connect; gives `hello`."""
        self._socket = await self._http.ws_connect(self._url, headers=headers, compress=0)
        return await self.hear("hello")

    async def say(self, **frame: Any) -> None:
        """Send a frame."""
        await self._socket.send_str(orjson.dumps(frame).decode())

    async def hear(self, *kinds: str) -> dict[str, Any]:
        """The next frame of one of `kinds`, all kinds where none is given."""
        while True:
            frame: dict[str, Any] = orjson.loads(await self._socket.receive_str(timeout=10))
            if not kinds or frame["type"] in kinds:
                return frame

    def cut(self) -> None:
        """Reset the connection."""
        connection = self._socket._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()

    async def close(self) -> None:
        """Leave."""
        await self._socket.close(code=1000)


async def chatting(http: aiohttp.ClientSession, url: str, word: str) -> tuple[Raw, Raw, str]:
    """Two raw clients in a chat, and the first one's token."""
    a, b = Raw(http, url), Raw(http, url)
    token = (await a.open())["token"]
    await b.open()
    await a.say(type="find", interests=[word])
    await a.hear("waiting")
    await b.say(type="find", interests=[word])
    await a.hear("matched")
    await b.hear("matched")
    return a, b, token


def url(server: Server) -> str:
    return f"ws://127.0.0.1:{server.port}/ws"


# every byte


async def cut_downward(server: Server, at: int) -> bool:
    """A person's connection ends after `at` bytes from the server; gives whether anything was cut at all."""
    budgets = iter([(None, at)])
    async with Cutter(server.port, lambda: next(budgets, (None, None))) as network:
        pace = Backoff(0.01, 0.05), Backoff(0.01, 0.05)
        async with Client(network.url, backoff=pace[0]) as a, Client(url(server), backoff=pace[1]) as b:
            await a.find(interests=[f"down {at}"])
            await b.find(interests=[f"down {at}"])
            await b.next(Matched)
            for number in range(4):
                await b.say(f"{number}")
            got = [(await a.next(Message)).text for _ in range(4)]
            assert got == ["0", "1", "2", "3"]
            await a.say("and back")
            assert (await b.next(Message)).text == "and back"
            await a.leave()
            left = await b.next(Left)
            assert left == Left("stranger")
            return network.cuts > 0


async def cut_upward(server: Server, at: int) -> bool:
    """The same from the person to the server, over every kind of frame that a person sends in a text chat."""
    budgets = iter([(at, None)])
    async with Cutter(server.port, lambda: next(budgets, (None, None))) as network:
        pace = Backoff(0.01, 0.05), Backoff(0.01, 0.05)
        async with Client(network.url, backoff=pace[0]) as a, Client(url(server), backoff=pace[1]) as b:
            await a.find(interests=[f"up {at}"])
            await b.find(interests=[f"up {at}"])
            await b.next(Matched)
            await a.next(Matched)
            said = []
            for text in ("zero", "one \u00e9\u4e16\U0001f600", 'two "quoted"\n', "three \u0000"):
                said.append(await a.say(text))
            await a.typing(True)
            await a.ping()
            await a.say("four")
            got = [(await b.next(Message)).text for _ in range(4)]
            assert got == ["zero", "one \u00e9\u4e16\U0001f600", 'two "quoted"\n', "four"]
            await a.leave()
            left = await b.next(Left)
            assert left == Left("stranger")
            return network.cuts > 0


@pytest.mark.parametrize("direction", [cut_downward, cut_upward], ids=["to the client", "to the server"])
@pytest.mark.timeout(120)
async def test_a_cut_at_every_byte_costs_nobody_a_message(server: Server, direction: Any) -> None:
    at, more = 1, True
    while more:
        more = all(await asyncio.gather(*(direction(server, byte) for byte in range(at, at + AT_ONCE))))
        at += AT_ONCE
    assert at > 300, "the whole conversation has to be longer than that"


@pytest.mark.timeout(120)
async def test_a_cut_at_every_byte_of_resume_and_resumed_leaves_the_session_to_be_asked_for_again(
    server: Server,
) -> None:
    async def attempt(up: int | None, down: int | None) -> None:
        budgets = iter([(None, None), (up, down)])
        async with Cutter(server.port, lambda: next(budgets, (None, None))) as network:
            pace = Backoff(0.01, 0.05), Backoff(0.01, 0.05)
            async with Client(network.url, backoff=pace[0]) as a, Client(url(server), backoff=pace[1]) as b:
                await a.find(interests=[f"resume {up} {down}"])
                await b.find(interests=[f"resume {up} {down}"])
                await a.next(Matched)
                for cable in list(network.open):
                    cable.cut()
                await b.next(Partner)
                await b.say("missed")
                assert (await a.next(Message)).text == "missed"
                await a.say("here")
                assert (await b.next(Message)).text == "here"

    for first in range(1, 800, AT_ONCE):
        await asyncio.gather(*(attempt(None, byte) for byte in range(first, first + AT_ONCE, 3)))
    for first in range(1, 400, AT_ONCE):
        await asyncio.gather(*(attempt(byte, None) for byte in range(first, first + AT_ONCE, 3)))


# tokens


async def refused(http: aiohttp.ClientSession, server: Server, token: str, **headers: str) -> None:
    """The token is `no_session`, and the connection goes on as a new one."""
    late = Raw(http, url(server))
    await late.open(**headers)
    await late.say(type="resume", token=token, last=0)
    answer = await late.hear()
    assert (answer["type"], answer["code"], answer["of"]) == ("error", "no_session", "resume")
    await late.say(type="find", interests=["nobody else"], strict=True)
    assert (await late.hear())["type"] == "waiting"
    await late.close()


async def test_forged_and_foreign_tokens_are_no_session(server: Server) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        a, b, token = await chatting(http, url(server), "forged")
        for forged in (
            "",
            "x",
            token[:-1],
            token[:-1] + ("A" if token[-1] != "A" else "B"),
            token[::-1],
            "é" * 76,
            token + token,
        ):
            await refused(http, server, forged)
        await a.close()
        await b.close()


async def test_a_used_token_is_no_session_and_the_next_one_is_good(server: Server) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        a, b, token = await chatting(http, url(server), "used")
        a.cut()
        await b.hear("partner")
        again = Raw(http, url(server))
        second = (await again.open())["token"]
        await again.say(type="resume", token=token, last=0)
        assert (await again.hear())["type"] == "resumed"
        await again.say(type="message", text="confirms", id="1")
        await again.hear("sent")
        again.cut()
        await b.hear("partner")
        await refused(http, server, token)
        third = Raw(http, url(server))
        await third.open()
        await third.say(type="resume", token=second, last=1)
        assert (await third.hear())["type"] == "resumed"
        await third.close()
        assert (await b.hear("left"))["by"] == "stranger"
        await b.close()


async def test_resumed_lost_on_the_way_is_asked_for_again_with_the_same_token(server: Server) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        a, b, token = await chatting(http, url(server), "lost on the way")
        a.cut()
        await b.hear("partner")
        for _ in range(3):
            again = Raw(http, url(server))
            await again.open()
            await again.say(type="resume", token=token, last=0)
            await b.hear("partner")
            again.cut()
            await b.hear("partner")
        last = Raw(http, url(server))
        await last.open()
        await last.say(type="resume", token=token, last=0)
        assert (await last.hear())["type"] == "resumed"
        await last.close()
        await b.close()


async def visit(server: Server) -> str:
    """Look at the page once; gives the identity cookie."""
    async with aiohttp.ClientSession() as http, http.get(server.url) as page:
        return page.cookies["id"].value


async def test_a_token_of_one_cookie_is_no_session_for_another(server: Server) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        mine, other = await visit(server), await visit(server)
        a = Raw(http, url(server))
        token = (await a.open(Cookie=f"id={mine}"))["token"]
        a.cut()
        await refused(http, server, token, Cookie=f"id={other}")
        await refused(http, server, token)
        again = Raw(http, url(server))
        await again.open(Cookie=f"id={mine}")
        await again.say(type="resume", token=token, last=0)
        assert (await again.hear())["type"] == "resumed"
        await again.close()


async def test_resume_that_is_not_the_first_frame_is_bad_type_and_the_connection_goes_on(server: Server) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        a, b, token = await chatting(http, url(server), "not first")
        a.cut()
        late = Raw(http, url(server))
        await late.open()
        await late.say(type="find", interests=["nobody here"], strict=True)
        await late.hear("waiting")
        await late.say(type="resume", token=token, last=0)
        assert (await late.hear())["code"] == "bad_type"
        await late.say(type="leave")
        await late.say(type="ping")
        assert (await late.hear())["type"] == "pong"
        await late.close()
        await b.close()


async def test_two_connections_resume_at_the_same_moment_and_one_wins(server: Server) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        a, b, token = await chatting(http, url(server), "two at once")
        a.cut()
        await b.hear("partner")
        both = Raw(http, url(server)), Raw(http, url(server))
        await asyncio.gather(*(one.open() for one in both))
        await asyncio.gather(*(one.say(type="resume", token=token, last=0) for one in both))
        last = [await one.hear() for one in both]  # both are answered before either goes on, or it was not one moment
        for at, one in enumerate(both):
            if last[at]["type"] == "resumed":
                await one.say(type="ping")
                last[at] = await one.hear("pong", "error")
        ends = [(frame["type"], frame.get("code")) for frame in last]
        assert sorted(ends, key=str) == [("error", "replaced"), ("pong", None)]
        winner = both[ends.index(("pong", None))]
        await winner.say(type="message", text="I am the one")
        assert (await b.hear("message"))["text"] == "I am the one"
        await winner.close()
        await b.close()


# being away


async def test_both_away_at_once_come_back_into_their_chat(server: Server) -> None:
    async with Cutter(server.port) as network:
        a, b = Client(network.url, backoff=Backoff(0.05, 0.1)), Client(network.url, backoff=Backoff(0.05, 0.1))
        async with a, b:
            await a.find(interests=["both away"])
            await a.next(Waiting)
            await b.find(interests=["both away"])
            await b.next(Matched)
            await a.next(Matched)
            for cable in list(network.open):
                cable.cut()
            ids = [await a.say("from a"), await b.say("from b")]
            for me, text, id in ((a, "from b", ids[0]), (b, "from a", ids[1])):
                got = [await me.next(Message, Sent), await me.next(Message, Sent)]
                assert {type(event): event for event in got}[Message].text == text
                assert {type(event): event for event in got}[Sent].id == id


async def test_left_while_away_is_told_behind_what_was_missed(server: Server) -> None:
    up: list[int | None] = [None]  # 0: no byte of a new connection reaches the server
    async with Cutter(server.port, lambda: (up[0], None)) as network:
        a, b = Client(network.url, backoff=Backoff(0.05, 0.1)), Client(url(server))
        async with a, b:
            await a.find(interests=["left while away"])
            await a.next(Waiting)
            await b.find(interests=["left while away"])
            await a.next(Matched)
            up[0] = 0
            for cable in list(network.open):
                cable.cut()
            await b.next(Partner)
            await b.say("bye then")
            await b.next(Sent)
            await b.leave()
            await b.ping()
            await b.next(Pong)  # `leave` has no answer, and must be heard before the other is back
            up[0] = None
            assert (await a.next(Resumed)).missed == 1
            assert await a.next(Message, Left) == Message(1, "bye then")
            assert await a.next(Message, Left) == Left("stranger")


async def test_after_the_grace_both_are_told_and_the_old_token_is_no_session(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    server = await asyncio.to_thread(Server, tmp_path_factory.mktemp("data"), SERENDIP_SESSION__GRACE="0.5")
    try:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
            a, b, token = await chatting(http, url(server), "too late")
            a.cut()
            assert (await b.hear())["state"] == "away"
            assert await b.hear() == {"type": "left", "by": "lost"}
            await refused(http, server, token)
            await b.close()
    finally:
        await asyncio.to_thread(server.stop)


async def test_a_restart_sends_all_back_at_different_moments_and_tells_that_the_chat_is_over(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    server = await asyncio.to_thread(Server, tmp_path_factory.mktemp("data"))
    try:
        async with Client(url(server)) as a, Client(url(server)) as b, Client(url(server)) as waiting:
            await a.find(interests=["restart"])
            await a.next(Waiting)
            await b.find(interests=["restart"])
            await b.next(Matched)
            await waiting.find(interests=["still looking"], strict=True)
            await waiting.next(Waiting)
            await asyncio.to_thread(server.stop)
            await asyncio.to_thread(server.start)
            assert await a.next(Left) == Left("lost")
            assert await b.next(Left) == Left("lost")
            await waiting.next(Waiting)
            assert (a.connects, b.connects, waiting.connects) >= (1, 1, 2)
    finally:
        await asyncio.to_thread(server.stop)
