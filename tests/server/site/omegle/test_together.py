"""People of both faces in the same pools: an HTTP client with a native one (with the page: tests/server/site/web/test_programs.py)."""

import asyncio
from collections.abc import Callable
from typing import Any

from serendip_client import Client, Left, Matched, Message, Typing, Waiting
from tests.server.site.omegle.conftest import Caller
from tests.server.site.web.servers import Server

Make = Callable[[], Caller]


async def until(me: Client, kind: type) -> Any:
    """The next event of that kind."""
    async with asyncio.timeout(10):
        async for event in me:
            if isinstance(event, kind):
                return event
    raise AssertionError(f"closed without {kind.__name__}")


async def test_an_http_client_talks_with_a_native_one(caller: Make, wide: Server) -> None:
    async with Client(wide.url.replace("http", "ws") + "ws") as me:
        await me.find(interests=["tidal pools"], language="en")
        await until(me, Waiting)  # or the other one might be first, on a connection of its own
        http = caller()
        batch = await http.start(topics='["Tidal  Pools"]')
        assert batch[:2] == [["connected"], ["commonLikes", ["Tidal  Pools"]]]
        assert (await until(me, Matched)).common == ("tidal pools",)
        await http.post("/typing")
        assert (await until(me, Typing)).typing is True
        await http.post("/send", msg="hello over there")
        assert (await until(me, Message)).text == "hello over there"
        await me.say("hello \u201cback\u201d")
        assert await http.until("gotMessage") == ["gotMessage", "hello \u201cback\u201d"]
        await http.post("/disconnect")
        assert (await until(me, Left)).by == "stranger"


async def test_a_native_one_who_leaves_is_told_to_the_http_client(caller: Make, wide: Server) -> None:
    http = caller()
    await http.start(lang="ps")
    async with Client(wide.url.replace("http", "ws") + "ws") as me:
        await me.find(language="ps")
        await until(me, Matched)
        await http.until("connected")
        await me.leave()
        assert await http.until("strangerDisconnected") == ["strangerDisconnected"]
