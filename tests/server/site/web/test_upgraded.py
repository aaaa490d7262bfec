"""An upgrade while a page and a program chat: neither notices anything. The page's socket stays, the typed client drops nothing."""

import asyncio
import json
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType

import pytest
from playwright.sync_api import Page, WebSocket, expect

from serendip_client import Client, Dropped, Event, Hello, Matched, Message, NotSent, Partner, Resumed, Sent
from tests.server.site.web.conftest import Opener, adult
from tests.server.site.web.servers import ROOT, Server
from tests.support.forkserver import START

TOPIC = "all the while"
EVERY = 0.1  # seconds between two lines of the program
NOTICES = """() => {
  globalThis.told = [];
  const look = () => {
    for (const place of document.querySelectorAll('.banner, .divider, #alarm, .bar p')) {
      const text = place.textContent.trim();
      if (text && text !== 'Connected' && !told.includes(text)) told.push(text);
    }
  };
  new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""


class Program:
    """The typed client, in a thread of its own: it says numbered lines until it is told to stop, and keeps all that it hears."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = threading.Event()
        self.said = 0
        self.connects = 0
        self.events: list[Event] = []
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> "Program":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(30)

    async def _run(self) -> None:
        async with Client(self._url) as client:
            await client.find(interests=[TOPIC])
            await client.next(Matched)
            listening = asyncio.create_task(self._listen(client))
            while not self._stop.is_set():
                self.said += 1
                await client.say(f"line {self.said}")
                await asyncio.sleep(EVERY)
            while sum(type(event) is Sent for event in self.events) < self.said:  # noqa: ASYNC110 - the list has no event
                await asyncio.sleep(EVERY)
            listening.cancel()
            self.connects = client.connects

    async def _listen(self, client: Client) -> None:
        async for event in client:
            self.events.append(event)

    def heard(self) -> list[str]:
        """The lines of the page."""
        return [event.text for event in self.events if type(event) is Message]


@pytest.mark.timeout(150)
def test_a_page_and_a_program_chat_through_an_upgrade_and_notice_nothing(window: Opener, tmp_path: Path) -> None:
    server = Server(tmp_path, SERENDIP_LIMITS__ENABLED="false")
    try:
        page, sockets, frames = adult(window()), list[WebSocket](), list[str]()
        page.on("websocket", lambda socket: kept(socket, sockets, frames))
        page.goto(server.url)
        page.fill("#topics", f"{TOPIC},")
        page.click("#start-text")
        with Program(f"ws://127.0.0.1:{server.port}/ws") as program:
            expect(page.locator("#message")).to_be_visible()
            page.evaluate(NOTICES)
            said = [say(page, program, f"before {number}") for number in range(2)]
            upgrade = subprocess.Popen(
                [sys.executable, "-c", START, "upgrade", "--json", "--data", str(tmp_path)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
            )
            while upgrade.poll() is None:
                said.append(say(page, program, f"during {len(said)}"))
            done = json.loads(upgrade.communicate()[0])
            assert (done["done"], done["people"], done["chats"]) == (True, 2, 1)
            said += [say(page, program, f"after {number}") for number in range(2)]
        expect(page.locator(".line:not(.me)").last).to_contain_text(f"line {program.said}")
        theirs = page.locator(".line:not(.me) .bubble").all_text_contents()
        assert theirs == [f"line {number + 1}" for number in range(program.said)]
        assert program.heard() == said
        assert any(line.startswith("during") for line in said)
        assert [
            type(event) for event in program.events if type(event) in (Dropped, Hello, NotSent, Partner, Resumed)
        ] == []
        assert program.connects == 1
        assert [json.loads(frame)["type"] for frame in frames].count("hello") == len(sockets) == 1
        over = "The stranger left"  # the program, when all was said
        expect(page.locator(".divider.over")).to_have_text(over)
        assert [text for text in page.evaluate("told") if text != over] == []
        assert not sockets[0].is_closed()
        page.context.close()  # before the server goes, or it would ask for it, and the console would tell
    finally:
        server.stop()


def kept(socket: WebSocket, sockets: list[WebSocket], frames: list[str]) -> None:
    """The page has opened a socket."""
    sockets.append(socket)
    socket.on("framereceived", lambda payload: frames.append(str(payload)))


def say(page: Page, program: Program, text: str) -> str:
    """Type and send, and wait until the program has heard it."""
    page.fill("#message", text)
    page.press("#message", "Enter")
    page.wait_for_timeout(800)  # five in three seconds would be too fast for the page
    for _ in range(600):  # half a minute on a machine without other work
        if text in program.heard():
            return text
        page.wait_for_timeout(50)
    shown = page.locator(".line, .divider, .banner").all_text_contents()
    raise AssertionError(f"{text} was not heard; the page shows {shown[-6:]}, the program had {program.events[-3:]}")
