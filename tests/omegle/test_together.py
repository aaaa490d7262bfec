"""People of both faces in the same pools: an HTTP client with a native one, and with the page in a browser."""

import asyncio
import json
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from client import Client, Left, Matched, Message, Typing
from tests.omegle.conftest import Caller
from tests.page.conftest import Opener, adult, browser, lines, watch, window  # noqa: F401 - fixtures
from tests.page.servers import Server

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


def post(server: Server, path: str, **fields: str) -> Any:
    """One request of an HTTP client that blocks, as a thread beside a browser may."""
    data = urllib.parse.urlencode(fields).encode()
    with urllib.request.urlopen(server.url.rstrip("/") + path, data, timeout=20) as answer:  # noqa: S310 - our own server
        text = answer.read().decode()
    return json.loads(text) if text not in {"win", "fail"} else text


def test_an_http_client_talks_with_the_page(wide: Server, window: Opener) -> None:  # noqa: F811
    page = adult(window())
    page.goto(wide.url)
    page.fill("#topics", "bookbinding")
    page.press("#topics", "Enter")
    page.click("#start-text")
    expect(page.locator(".waiting")).to_be_visible()
    found = post(wide, "/start", firstevents="1", lang="en", topics='["bookbinding"]')
    assert found["events"][0] == ["connected"]
    id = found["clientID"]
    expect(page.locator("#message")).to_be_visible()
    expect(page.locator(".card").first).to_contain_text("bookbinding")
    assert post(wide, "/send", id=id, msg="<b>hi</b> from a program") == "win"
    expect(page.get_by_text("<b>hi</b> from a program")).to_be_visible()
    page.fill("#message", "hi from a browser")
    page.press("#message", "Enter")
    got: list[Any] = []
    while not any(event[0] == "gotMessage" for event in got):
        got += post(wide, "/events", id=id)
    assert ["gotMessage", "hi from a browser"] in got
    assert len(lines(page)) >= 2
    assert post(wide, "/disconnect", id=id) == "win"
    expect(page.locator("#meet")).to_be_visible()
