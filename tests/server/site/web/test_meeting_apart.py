"""Two who liked each other meet again on a service of several processes and of two hosts, after a decline, after a ban, and not after a block."""

import asyncio
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.server.fleet.cluster.test_proxy_hosts import both
from tests.server.site.web.conftest import Opener, Watch, keep
from tests.server.site.web.servers import ROOT, Network, Server
from tests.server.site.web.test_meeting_again import home, kept
from tests.server.site.web.test_two_windows import say
from tests.support.forkserver import START

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(150)]  # runs servers and waits for them


class Person(NamedTuple):
    """A window, what its connections heard, and the name that its user knows the other by."""

    page: Page
    heard: list[str]
    name: str

    def asks_who_is_here(self) -> None:
        """Load the page again, and wait until it was told which of its pairs are here; a question that came too soon is repeated."""
        self.heard.clear()
        while not any('"type":"here"' in frame for frame in self.heard):
            self.heard.clear()
            self.page.reload()
            while not any('"here"' in frame for frame in self.heard):
                self.page.wait_for_timeout(50)


def somebody(window: Opener, url: str, topic: str) -> tuple[Page, list[str]]:
    """Who looks for somebody over a topic."""
    page, heard = keep(window(), adult=True, tags=[topic]), list[str]()

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda payload: heard.append(str(payload)))

    page.on("websocket", listen)
    page.goto(url)
    page.click("#start-text")
    return page, heard


def leave(page: Page) -> None:
    """End the chat, and go home."""
    for _ in range(2):
        page.locator(".leave").first.click()
    expect(page.locator(".divider.over")).to_be_visible()


def befriended(window: Opener, urls: tuple[str, str], topic: str) -> tuple[Person, Person]:
    """Two who both pressed it, one of them when their chat was over, at home again."""
    found = [somebody(window, url, topic) for url in urls]
    for page, _ in found:
        expect(page.locator("#message")).to_be_visible()
    anna, ben = [Person(page, heard, page.locator(".bar h1").inner_text()) for page, heard in found]
    say(anna.page, "this was lovely")
    expect(ben.page.locator(".line.them")).to_have_count(1)
    leave(anna.page)
    for person in (anna, ben):
        expect(person.page.locator(".divider.over")).to_be_visible()
        person.page.locator(".deck #keep").click()
    for person in (anna, ben):
        person.page.wait_for_function("() => (JSON.parse(localStorage.serendip).pairs ?? []).length === 1")
        home(person.page)
    return anna, ben


def calls(caller: Person, called: Person) -> None:
    """One calls the other, who searches."""
    caller.asks_who_is_here()
    caller.page.get_by_role("button", name=f"Call {caller.name}").click()
    expect(called.page.locator(".calls")).to_contain_text(f"{called.name} is here and would like to talk.")


def meet_again(window: Opener, anna: Person, ben: Person, urls: tuple[str, str]) -> None:
    """Declined once, and then taken, while two strangers beside them meet each other."""
    ben.page.click("#start-text")
    calls(anna, ben)
    ben.page.get_by_role("button", name="Not now").click()
    expect(ben.page.locator(".calls")).to_have_count(0)
    expect(anna.page.locator("h1")).to_have_text("Calling someone you liked")
    anna.page.get_by_role("button", name="Stop").click()
    calls(anna, ben)
    strangers = [somebody(window, url, "beside them")[0] for url in urls]
    for page in strangers:
        expect(page.locator("#message")).to_be_visible()
    ben.page.get_by_role("button", name="Talk", exact=True).click()
    for person in (anna, ben):
        expect(person.page.locator(".bar h1")).to_have_text(person.name)
    say(anna.page, "it is you")
    expect(ben.page.locator(".line.them .bubble")).to_have_text("it is you")
    say(strangers[0], "hello beside")
    expect(strangers[1].locator(".line.them .bubble")).to_have_text("hello beside")


def blocks(anna: Person, ben: Person) -> None:
    """In their chat one chooses not to meet again: then neither is shown to the other."""
    ben.page.get_by_role("button", name="More", exact=True).click()
    ben.page.locator("#more #block").click()
    ben.page.wait_for_function("() => (JSON.parse(localStorage.serendip).pairs ?? []).length === 0")
    ben.page.keyboard.press("Escape")
    leave(ben.page)
    home(anna.page)
    home(ben.page)
    ben.page.click("#start-text")
    expect(ben.page.locator(".waiting")).to_be_visible()
    anna.asks_who_is_here()
    expect(anna.page.locator("#start-text")).to_be_visible()
    expect(anna.page.locator(".pairs")).to_have_count(0)
    assert (kept(anna.page), kept(ben.page)) == (1, 0)


class Store:
    """What a moderator decides on a server, and the end of it, at once."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def command(self, *words: str) -> str:
        """A command of `serendip safety`; what it prints."""
        command = [sys.executable, "-c", START, "safety", *words, "--data", str(self._data)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout

    def case(self) -> str:
        """The one that is open, once it is stored."""
        while not (found := re.findall(r"\b[0-9a-f]{12,32}\b", self.command("cases"))):
            pass
        return str(found[0])

    def change(self, what: str) -> None:
        """Write into the table of bans, as time or an appeal does."""
        with closing(sqlite3.connect(self._data / "serendip.db", timeout=20)) as database, database:
            database.execute(f"UPDATE ban SET {what}, changed = unixepoch()")  # noqa: S608 - the words of this file


def banned(window: Opener, store: Store, ben: Person, urls: tuple[str, str]) -> None:
    """A stranger reports one of them, who is banned; then the ban is over."""
    ben.page.get_by_role("button", name="Stop").click() if ben.page.locator(".waiting").count() else None
    ben.page.get_by_role("button", name="Remove apart").click()
    ben.page.fill("#topics", "spam,")
    carl, _ = somebody(window, urls[0], "spam")
    ben.page.click("#start-text")
    expect(carl.locator("#message")).to_be_visible()
    say(ben.page, "buy my pills")
    expect(carl.locator(".line.them")).to_have_count(1)
    carl.get_by_role("button", name="Report").first.click()
    carl.get_by_role("button", name="Advert, bot or scam").click()
    case = store.case()
    store.command("decide", case, "--measure", "ban", "--rule", "R5", "--why", "adverts", "--operator", "ada")
    expect(ben.page.locator("main.notice h1")).to_contain_text("You can't use Serendip until")
    store.change("until = unixepoch() - 1")
    while not ben.page.locator("#start-text").count():
        if ben.page.locator("#again[aria-busy=false]").count():
            ben.page.locator("#again").click()
        ben.page.wait_for_timeout(100)


ENDS = ("WebSocket connection", "Failed to load resource")  # what windows say of a server that ends before them
# What a browser does that kept a copy.
RESTORE = "(pairs) => { localStorage.serendip = JSON.stringify({ ...JSON.parse(localStorage.serendip), pairs }) }"


def test_two_meet_again_over_two_workers_and_not_by_a_token_from_before_a_ban(
    window: Opener, watch: Watch, tmp_path: Path
) -> None:
    server = Server(tmp_path / "data", SERENDIP_WORKERS="2", SERENDIP_SAFETY__MODERATED="true")
    elsewhere = Network(server.port, "127.9.0.1")  # a network of one's own, which is banned too
    try:
        urls = (server.url, elsewhere.url)
        anna, ben = befriended(window, urls, "apart")
        store = Store(tmp_path / "data")
        copied = ben.page.evaluate("JSON.parse(localStorage.serendip).pairs")
        banned(window, store, ben, urls)
        assert kept(ben.page) == 0, "the page forgot them by itself"
        ben.page.evaluate(RESTORE, copied)
        ben.page.reload()
        ben.page.click("#start-text")
        expect(ben.page.locator(".waiting")).to_be_visible()
        anna.asks_who_is_here()
        expect(anna.page.locator(".pairs")).to_have_count(0)
        store.change("until = unixepoch() + 5, lifted = unixepoch()")  # as a review does
        while True:  # until the decision is read
            ben.page.get_by_role("button", name="Stop").click()
            ben.page.click("#start-text")
            expect(ben.page.locator(".waiting")).to_be_visible()
            anna.asks_who_is_here()
            if any('"pairs":[0]' in frame for frame in anna.heard):
                break
            anna.page.wait_for_timeout(1000)
        ben.page.get_by_role("button", name="Stop").click()
        meet_again(window, anna, ben, urls)
        blocks(anna, ben)
    finally:
        watch.quiet = ENDS
        elsewhere.close()
        server.stop()


@contextmanager
def running(make: Callable[[], AbstractAsyncContextManager[Any]]) -> Iterator[Any]:
    """Run an asynchronous context in a loop of its own, since the browser holds this thread's."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def do(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(120)

    async def made() -> AbstractAsyncContextManager[Any]:
        return make()

    context = do(made())
    try:
        yield do(context.__aenter__())
    finally:
        do(context.__aexit__(None, None, None))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.mark.thorough
def test_two_meet_again_over_two_hosts(window: Opener, watch: Watch, tmp_path: Path) -> None:
    with running(lambda: both(tmp_path)) as two:
        urls = (f"http://127.0.0.1:{two.here.port}/", f"http://127.0.0.1:{two.there.port}/")
        anna, ben = befriended(window, urls, "apart")
        meet_again(window, anna, ben, urls)
        blocks(anna, ben)
        watch.quiet = ENDS
