"""A page of another origin, the one in `examples/`, reads the API and chats, in a browser."""

import functools
import shutil
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.server.site.polling.cutting_proxy import CuttingProxy
from tests.server.site.web.conftest import Opener, Watch
from tests.server.site.web.servers import ROOT, Server
from tests.server.site.web.test_without_websocket import BACK, FAILED
from tests.support.printed_programs import printed


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of that web server."""
    return Path(shutil.copytree(ROOT / "examples", tmp_path_factory.mktemp("elsewhere") / "files"))


@pytest.fixture(scope="module")
def elsewhere(folder: Path) -> Iterator[str]:
    """The origin of a web server that has the examples."""
    handler = functools.partial(Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.fixture(scope="module")
def service(elsewhere: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service that lists that origin."""
    server = Server(tmp_path_factory.mktemp("data"), SERENDIP_SERVER__ORIGINS=elsewhere)
    yield server
    server.stop()


def test_two_windows_of_the_example_page_chat(elsewhere: str, service: Server, window: Opener) -> None:
    one, two = (window(f"{elsewhere}/page.html?{service.url.rstrip('/')}") for _ in range(2))
    for page in (one, two):
        expect(page.locator("#state")).to_have_text("Connected. In common: tea")
    one.fill("#text", "hello over there")
    one.press("#text", "Enter")
    expect(two.locator("#lines")).to_have_text("Stranger: hello over there")
    expect(one.locator("#lines")).to_have_text("You: hello over there")
    two.fill("#text", "and hello back")
    two.press("#text", "Enter")
    expect(one.locator("#lines li")).to_have_text(["You: hello over there", "Stranger: and hello back"])
    two.click("#next")
    expect(one.locator("#state")).to_have_text("The stranger left")


def test_a_page_whose_websockets_do_not_pass_has_its_cookie_with_http_requests_too(
    elsewhere: str, service: Server, window: Opener, watch: Watch
) -> None:
    watch.quiet = FAILED
    proxy = CuttingProxy(service.port)
    try:
        one, two = pages = [window(proxy.url) for _ in range(2)]  # a visit of the service, which gives the cookie
        for page in pages:
            page.goto(f"{elsewhere}/page.html?{proxy.url.rstrip('/')}")
        for page in pages:
            expect(page.locator("#state")).to_have_text("Connected. In common: tea", timeout=BACK)
        one.fill("#text", "hello by another way")
        one.press("#text", "Enter")
        expect(two.locator("#lines")).to_have_text("Stranger: hello by another way", timeout=BACK)
        # the service's own page may have connected, too
        asked = [head for head in proxy.asked if f"\r\nOrigin: {elsewhere}\r\n" in head]
        opened = [head for head in asked if head.startswith("POST /api/poll ")]
        assert len(opened) >= 2
        assert all("\r\nCookie: " in head for head in opened)
    finally:
        proxy.stop()


def test_the_page_to_get_started_with_chats_and_says_what_is_missing(
    elsewhere: str, service: Server, folder: Path, window: Opener, watch: Watch
) -> None:
    watch.quiet = (
        "403",
        "Failed to load",
    )  # what a browser says of a refused WebSocket, and of the icon that is not there
    page = printed("<!-- index.html -->").replace("http://127.0.0.1:8080", service.url.rstrip("/"))
    (folder / "index.html").write_text(page)
    one, two = (window(f"{elsewhere}/index.html") for _ in range(2))
    for tab in (one, two):
        expect(tab.locator("#state")).to_have_text("You talk to a stranger")
    one.fill("#text", "hello")
    one.press("#text", "Enter")
    expect(two.locator("#lines")).to_have_text("Stranger: hello")
    expect(one.locator("#lines")).to_have_text("You: hello")
    other = elsewhere.replace("127.0.0.1", "localhost")
    unlisted = window(f"{other}/index.html")
    expect(unlisted.locator("#state")).to_contain_text(f"Pages of {other} may not use this server")


def test_the_example_page_is_40_lines() -> None:
    assert len((ROOT / "examples/page.html").read_text().splitlines()) <= 40


def test_a_page_of_a_listed_origin_sends_json_and_one_of_another_may_not_even_read(
    elsewhere: str, service: Server, window: Opener, watch: Watch
) -> None:
    watch.quiet = ("CORS", "401", "Failed to load")  # what a browser says of it
    asked = """async (url) => {
      const sent = { method: 'POST', credentials: 'include', headers: { 'Content-Type': 'application/json' }, body: '{"kind":"know"}' };
      try { return (await fetch(url, sent)).status; } catch { return 'kept out'; }
    }"""
    listed = window(f"{elsewhere}/echo_bot.py")
    assert isinstance(listed.evaluate(asked, f"{service.url}api/rights"), int)
    assert listed.evaluate(asked, f"{service.url}api/forget") == 204
    other = window(f"{elsewhere.replace('127.0.0.1', 'localhost')}/echo_bot.py")
    assert other.evaluate(asked, f"{service.url}api/rights") == "kept out"
