"""Test the pause of first lines in a browser whose network began many chats alike."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from playwright.sync_api import expect

from engine.conduct.opener_counts import MANY
from serendip_client.client import Client
from serendip_client.events import Matched, Message, Tip
from tests.server.site.web.conftest import Opener, keep
from tests.server.site.web.servers import Server
from tests.support.pictures import picture

pytestmark = pytest.mark.timeout(180)
LINE = "hey handsome come and watch me on my private page tonight"
ALIKE = 8  # chats of ten minutes that begin alike (`server.trust.screening.opener_clusters`)


@pytest.fixture(scope="module")
def spread(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on which the network of this machine began many chats with one line."""
    settings = {"CHALLENGE__ENABLED": "false", "SERVER__PROXIES": "127.0.0.1"}
    server = Server(tmp_path_factory.mktemp("data"), **{f"SERENDIP_{name}": value for name, value in settings.items()})
    with ThreadPoolExecutor(1) as other:  # this thread has the browser's loop
        other.submit(asyncio.run, spread_line(server.port)).result()
    yield server
    server.stop()


def partner_of(port: int, number: int) -> Client:
    """Return a client of a network of its own."""
    return Client(f"ws://127.0.0.1:{port}/ws", headers={"X-Forwarded-For": f"203.0.{number}.7"})


async def spread_line(port: int) -> None:
    """Begin chats with the line, each with another partner, until enough partners were told that many people got it."""
    told = 0
    for number in range(4 * ALIKE):
        async with Client(f"ws://127.0.0.1:{port}/ws") as one, partner_of(port, number) as other:
            await asyncio.gather(one.find([f"spread {number}"]), other.find([f"spread {number}"]))
            await asyncio.gather(one.next(Matched), other.next(Matched))
            await one.say(LINE)
            await other.next(Message)
            if number + 1 >= ALIKE:
                await other.next(Tip)
                told += 1
        if told == MANY:
            return


def test_lines_are_kept_until_the_stranger_writes_and_the_page_says_so(window: Opener, spread: Server) -> None:
    async def answer() -> str:
        async with partner_of(spread.port, 250) as partner:
            await partner.find(["paused"])
            await partner.next(Matched)
            ready.set_result(None)
            await asyncio.wrap_future(written)
            await partner.say("hello you")
            return (await partner.next(Message)).text

    ready: Future[None] = Future()
    written: Future[None] = Future()
    page = keep(window(), adult=True, tags=("paused",))
    page.goto(spread.url)
    with ThreadPoolExecutor(1) as other:
        got = other.submit(asyncio.run, answer())
        page.click("#start-text")
        ready.result(30)
        expect(page.locator(".banner")).to_contain_text("Your lines are sent when the stranger writes")
        page.fill("#message", "just an ordinary question")
        page.press("#message", "Enter")
        expect(page.locator(".line", has_text="ordinary question")).to_be_visible()
        picture(page, "gallery/opener-paused")
        written.set_result(None)
        assert got.result(30) == "just an ordinary question"
    expect(page.locator(".banner", has_text="Your lines")).to_have_count(0)
    expect(page.locator(".line", has_text="hello you")).to_be_visible()
