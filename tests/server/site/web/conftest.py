"""One Chromium for all tests of the page, a site of its own for those that need no chat, and watchers on every window.

Rule: a violation of the Content-Security-Policy, an uncaught error, a console error or a request to another host fails
the test in whose window it happened. Playwright's synchronous face is used; it holds the event loop of the thread, so
no test of this package is a coroutine, and the browser ends with the package.
"""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright

from ext.accept.handshake import Judge
from server.http.pages import PAGES, Pages, add_pages
from server.http.pages.error_pages import PROGRAMS, dress_refusal
from server.http.request.client_info import CLIENT_INFO, ClientInfo
from server.site.front.page_files import Web, add_web
from tests.server.site.web.servers import Network, Server
from tests.support.groups import BROWSERS
from tests.support.pictures import failed

HERE = Path(__file__).parent
# Chromium without windows of its own: a test takes a quarter less CPU, its server's included. What needs those starts the other (test_notified.py).
CHROMIUM = "/usr/bin/chromium-headless-shell"
# Playwright's list, since of two the last one counts; then what costs each window as much as the page in it: two pages of
# the address field, which nobody sees, and a process for the next page.
OFF = (
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning", "OptimizationHints",
    "NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch",
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup", "SpareRendererForSitePerProcess",
)  # fmt: skip
ARGUMENTS = [
    f"--disable-features={','.join(OFF)}",
    "--renderer-process-limit=1",  # of each person: else a window is begun by one process and gone on with by another
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Whatever is asked of another host fails at once (`Watch` hears of that); two windows find each other by names in .local.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE *.local",
    # A moving picture and a beep, in place of a camera that the machine lacks; no test needs more pictures a second, and each is drawn by a core.
    "--use-fake-device-for-media-stream=fps=5",
    "--use-fake-ui-for-media-stream",
]
ORIGIN = "https://chat.example"  # where the page would be on the web
CONFIG = {"grace": 15, "modes": ["text"], "spy": False, "college": False, "video": False, "save": True, "age": "ask"}
# Whose windows they are. What moves is styles alone, no script knows of it; to draw it is an eighth of what a test computes, and to keep the page's
# files for a day without a network two fifths of a visit.
PERSON: dict[str, Any] = {"service_workers": "block", "locale": "en-GB", "reduced_motion": "reduce"}
Opener = Callable[..., Page]
expect.set_options(timeout=10_000)  # ms: a bound, not a measure; other tests may share the machine


@pytest.fixture(scope="package")
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Debian's Chromium, started once for a package.

    Its driver's loop runs until the package ends, and no coroutine test in the same process could start one meanwhile: so each test of the
    package is a browser's, and a package that imports this fixture does so in its conftest (in a module, it would live until the process ends).
    """
    place = request.node.nodeid
    assert f"{place}/".startswith(BROWSERS), f"not in the conftest of a package of browser tests: {place!r}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class Site:
    """The page's files and documents on a free port, without a chat server: for what stands still."""

    def __init__(self) -> None:
        self.web = Web(origin=ORIGIN)
        self._pages = Pages(self.web.static, ORIGIN)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self.url = ""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._ready.set()
        self._loop.run_forever()

    async def _start(self) -> None:
        app = web.Application(middlewares=[dress_refusal])
        app[PAGES], app[PROGRAMS] = self._pages, set()
        app[CLIENT_INFO] = ClientInfo(Judge(hosts=["*"], origins=[], proxies=[]))
        add_web(app, self.web)
        add_pages(app, self._pages)
        app.router.add_get("/api/config", self._config)
        app.router.add_get("/api/status", self._status)
        app.router.add_get("/gallery", self._gallery)
        app.router.add_static("/t/", HERE)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _config(self, _request: web.Request) -> web.Response:
        return web.json_response(CONFIG)

    async def _status(self, _request: web.Request) -> web.Response:
        return web.json_response({"online": 1204, "waiting": {}})

    async def _gallery(self, request: web.Request) -> web.Response:
        """The page's own shell and policy, with the gallery's script in place of app.js."""
        answer = await self.web.page(request)
        shell = self.web.files["index.html"].body.replace(f"{self.web.base}app.js".encode(), b"/t/gallery.mjs")
        return web.Response(
            body=shell.replace(b"<head>", f'<head><meta name="base" content="{self.web.base}">'.encode()),
            content_type="text/html",
            headers={"Content-Security-Policy": answer.headers["Content-Security-Policy"]},
        )

    def close(self) -> None:
        """Stop the thread."""
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@pytest.fixture(scope="package")
def site() -> Iterator[Site]:
    """The page without a chat server."""
    site = Site()
    yield site
    site.close()


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The real server, shared by the tests that do not stop it."""
    server = Server(tmp_path_factory.mktemp("data"))
    yield server
    server.stop()


@pytest.fixture
def network(server: Server) -> Iterator[Network]:
    """A way to the shared server that can be cut."""
    network = Network(server.port)
    yield network
    network.close()


class Watch:
    """What no window may do."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.hosts: set[str] = set()
        self.quiet: tuple[str, ...] = ()

    def over(self, context: BrowserContext) -> None:
        """Watch every window of a context."""
        context.expose_binding("tellViolation", lambda _source, text: self.wrong.append(f"policy: {text}"))
        context.add_init_script(
            "addEventListener('securitypolicyviolation', (event) => "
            "tellViolation(`${event.effectiveDirective} ${event.blockedURI} ${event.sample}`))"
        )
        context.on("page", self._page)

    def _page(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("console", lambda said: self._said(said.type, said.text, said.location["url"]))
        # Of those that fail alone, as all of other hosts do (ARGUMENTS): to hear of each request costs Python and node two messages.
        page.on(
            "requestfailed", lambda request: self.hosts.add(request.url.split("/")[2] if "//" in request.url else "")
        )

    def _said(self, kind: str, text: str, at: str) -> None:
        if kind == "error" and not any(known in text for known in self.quiet):
            self.wrong.append(f"console: {text} ({at})")


@pytest.fixture
def watch() -> Iterator[Watch]:
    """Fails the test at its end for anything that happened in its windows and must not."""
    watch = Watch()
    yield watch
    assert not watch.wrong, "\n".join(watch.wrong)
    strange = {host for host in watch.hosts if host and not host.startswith(("127.0.0.1", "localhost"))}
    assert not strange, f"asked other hosts: {strange}"


@pytest.fixture
def window(request: pytest.FixtureRequest, browser: Browser, watch: Watch) -> Iterator[Opener]:
    """Opens windows, each a person of their own (own storage, own cookies); of a test that fails they are kept as pictures."""
    contexts: list[BrowserContext] = []
    failures = request.session.testsfailed

    def opened(url: str = "", width: int = 1280, height: int = 800, **more: Any) -> Page:
        more = {**PERSON, **more}
        context = browser.new_context(viewport={"width": width, "height": height}, **more)
        context.set_default_timeout(10_000)
        contexts.append(context)
        watch.over(context)
        page = context.new_page()
        if url:
            page.goto(url)
        return page

    yield opened
    if request.session.testsfailed > failures:
        failed(request.node, contexts)
    for context in contexts:
        context.close()


def adult(page: Page) -> Page:
    """The person has answered the age question before."""
    return keep(page, adult=True)


def keep(page: Page, **choices: Any) -> Page:
    """The browser has kept these choices from a visit before (nothing, where storage is refused)."""
    page.context.add_init_script(f"try {{ localStorage.serendip ??= `{json.dumps(choices)}` }} catch {{}}")
    return page


def hold(page: Page, pattern: str) -> list[Route]:
    """Requests for `pattern` wait in the list that is returned until the test lets them go."""
    held: list[Route] = []
    page.route(pattern, lambda route: held.append(route))
    return held


def meet(window: Opener, url: str, *topics: str, **more: Any) -> tuple[Page, Page]:
    """Two windows in one chat, over topics of a visit before. With no `topics` both look for anybody."""
    pages = [keep(window(**more), adult=True, tags=topics) for _ in range(2)]
    for page in pages:
        page.goto(url)
        page.click("#start-text")
    for page in pages:
        expect(page.locator("#message")).to_be_visible()
    return pages[0], pages[1]


def opened(page: Page, dialog: str) -> None:
    """A dialog is there, and takes keys by now."""
    expect(page.locator(f"{dialog}:not([data-deaf])")).to_be_visible()


def lines(page: Page) -> list[str]:
    """What the log shows, as a screen reader hears it."""
    return [text.strip() for text in page.locator(".line").all_text_contents()]


def refuse(page: Page, text: str, code: str) -> None:
    """Say `text`, and let the page hear that the server refused it (which it does to nobody who is served this well)."""
    page.fill("#message", text)
    page.press("#message", "Enter")
    expect(page.locator('.line[data-state="sent"]').last).to_contain_text(text)
    page.evaluate(
        """async (code) => {
          const store = await import(document.querySelector('script[type=module]').src.replace('app.js', 'store.js'));
          const id = store.get().chat.lines.at(-1).key;
          store.send('frame', {frame: {type: 'error', code, of: 'message', id, message: ''}});
        }""",
        code,
    )
