"""Run two real browser windows for the canary test: `python -m tests.server.data.privacy.windows PORT`.

It is a program of its own, since Playwright blocks the event loop of its thread. It reads its script from standard input and writes to standard
output, a JSON line each, what each window stored and received. The first line asks for the code of its mail (`{"mail": address}`), the last one is
`{"windows": [...]}`. Input: `[{"source", "shared", "private", "talk", "address"}, ...]`, later `{"code"}`.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from playwright.sync_api import BrowserContext, Page, WebSocket, expect, sync_playwright

from tests.server.site.web.conftest import opened
from tests.server.site.web.servers import Network

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
KEPT = """async () => {
  const all = (store) => Object.fromEntries(Object.keys(store).map((key) => [key, store.getItem(key)]));
  const cached = [];
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) cached.push(request.url, await (await cache.match(request)).text());
  }
  const databases = (await indexedDB.databases()).map(({name}) => name);
  return {local: all(localStorage), session: all(sessionStorage), cached, databases, seen: document.documentElement.outerHTML};
}"""


WRITTEN = "(talk) => sessionStorage.getItem('serendip.talk')?.includes(talk)"  # the page writes at most every 300 ms


class Window:
    """One browser with storage, cookies and a network address of its own."""

    def __init__(self, context: BrowserContext, network: Network, person: dict[str, str]) -> None:
        self.context = context
        self.network = network
        self.person = person
        self.frames: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("websocket", self._watch)

    def _watch(self, socket: WebSocket) -> None:
        socket.on("framereceived", lambda payload: self.frames.append(str(payload)))

    def home(self) -> None:
        """The first page, as somebody who has said that they are adult."""
        self.context.add_init_script("""localStorage.serendip ??= '{"adult":true}'""")
        self.page.goto(self.network.url)

    def prove(self) -> None:
        """College mode, by the code of a mail."""
        self.page.click("#start-college")
        opened(self.page, "dialog")
        self.page.fill("#college-address", self.person["address"])
        self.page.press("#college-address", "Enter")
        expect(self.page.locator("#college-code")).to_be_visible()
        tell({"mail": self.person["address"]})
        self.page.fill("#college-code", hear()["code"])
        self.page.press("#college-code", "Enter")
        expect(self.page.locator("dialog")).to_contain_text("You are in:")
        self.page.keyboard.press("Escape")
        expect(self.page.locator("dialog")).to_have_count(0)

    def seek(self) -> None:
        """Two interests, then a stranger."""
        for topic in (self.person["shared"], self.person["private"]):
            self.page.fill("#topics", topic)
            self.page.press("#topics", "Enter")
        self.page.click("#start-text")

    def kept(self) -> dict[str, Any]:
        """All that the browser keeps now, once it has written down what was said, and all that it was sent by its connection."""
        self.page.wait_for_function(WRITTEN, arg=self.person["talk"])
        found: dict[str, Any] = self.page.evaluate(KEPT)
        found["cookies"] = {str(cookie["name"]): str(cookie["value"]) for cookie in self.context.cookies()}
        found["frames"] = self.frames
        return found


def tell(line: object) -> None:
    """One line to who started us."""
    print(json.dumps(line), flush=True)


def hear() -> Any:
    """One line of theirs."""
    return json.loads(sys.stdin.readline())


def main(port: int) -> None:
    """Prove a college, meet, talk and keep in touch; what is kept is read while the chat is open, when most is."""
    people = hear()
    networks = [Network(port, person["source"]) for person in people]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium-headless-shell", args=ARGUMENTS)
        windows = [
            Window(browser.new_context(locale="en-GB"), network, person)
            for network, person in zip(networks, people, strict=True)
        ]
        one, two = windows
        for window in windows:
            window.context.set_default_timeout(20_000)
            window.home()
        one.prove()
        for window in windows:
            window.seek()
        for window, other in ((one, two), (two, one)):
            expect(window.page.locator("#message")).to_be_visible(timeout=20_000)
            window.page.fill("#message", window.person["talk"])
            window.page.press("#message", "Enter")
            expect(other.page.locator(".bubble").last).to_have_text(window.person["talk"], timeout=20_000)
        for window in windows:
            window.page.get_by_role("button", name="More", exact=True).click()
            window.page.locator("#more #keep").click()
        for window in windows:
            window.page.wait_for_function("() => (JSON.parse(localStorage.serendip).pairs ?? []).length === 1")
        tell({"windows": [window.kept() for window in windows]})
        browser.close()
    for network in networks:
        network.close()


if __name__ == "__main__":
    main(int(sys.argv[1]))
