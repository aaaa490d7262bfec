"""Test the documents as a site: built strictly, whole by itself, and its two clients chat on a real server."""

import fcntl
import functools
import http.server
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.server.site.web.conftest import Opener, Watch
from tests.server.site.web.servers import ROOT, Server
from tests.support.licences import of_tool, refused

pytestmark = pytest.mark.timeout(600)  # its tools may have to be fetched


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A web server of files that writes no log."""

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The site's address."""
    folder = tmp_path_factory.mktemp("site")
    command = ["make", "--no-print-directory", "site", f"SITE={folder}", f"PYTHON={sys.executable}"]
    (ROOT / "build").mkdir(exist_ok=True)
    with (ROOT / "build/site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests in another process would make its tools in the same folder at once
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=served.serve_forever).start()
    yield f"http://127.0.0.1:{served.server_address[1]}"
    served.shutdown()
    served.server_close()


def test_two_clients_of_its_page_chat_with_their_frames_beside_them(
    window: Opener, site: str, tmp_path: Path, watch: Watch
) -> None:
    server = Server(tmp_path, SERENDIP_SERVER__ORIGINS=site)
    page = window()
    page.goto(f"{site}/try/")
    page.fill("#address", server.url)
    page.get_by_role("button", name="Connect both").click()
    one, two = page.locator("[data-pane=A]"), page.locator("[data-pane=B]")
    expect(one.locator(".chat")).to_contain_text("in a chat")
    page.get_by_label("A says").fill("hello from A")
    page.get_by_label("A says").press("Enter")
    expect(two.locator(".chat")).to_contain_text("Stranger: hello from A")
    expect(two.locator(".frames .in").last).to_contain_text('{"type":"message","seq":1,"text":"hello from A"}')
    expect(one.locator(".frames .in").last).to_contain_text('{"type":"sent"')
    page.get_by_label("a frame of B").fill('{"type":"find","mode":"vidoe"}')
    page.get_by_label("a frame of B").press("Enter")
    expect(two.locator(".frames")).to_contain_text('"code":"bad_field"')
    assert server.stop() == 0


def test_every_kind_of_page_is_there_and_the_search_finds_it(window: Opener, site: str, watch: Watch) -> None:
    page = window()
    for path, heading in (
        ("", "Serendip"), ("protocol", "The wire"), ("python", "The Python API"), ("http", "HTTP routes"),
        ("operate/runbook", "Run-book"), ("moderation-api", "The moderation API"), ("source/examples/echo_bot.py", "examples/echo_bot.py"),
    ):  # fmt: skip
        page.goto(f"{site}/{path}{'/' if path else ''}")
        expect(page.locator("h1").first).to_contain_text(heading, ignore_case=True)
    page.goto(f"{site}/python/")
    expect(page.locator("main")).to_contain_text("The partner shows")
    page.locator(".md-search__input").fill("moderation api")
    expect(page.locator(".md-search-result__list")).to_contain_text("The moderation API")


@pytest.mark.usefixtures("site")
def test_the_licence_of_each_package_that_makes_it_is_allowed() -> None:
    packages = of_tool("site")
    assert len(packages) > 20
    assert refused(packages) == {}
