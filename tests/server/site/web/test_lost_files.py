"""A file of the page that cannot be had is said, and tried again; so is what the server offers, once there is a network."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.server.site.web.conftest import Opener, Watch, adult
from tests.server.site.web.servers import ROOT, Server
from tests.server.site.web.test_gallery import AXE, FINDINGS
from tests.support.pictures import picture

LOST = ("Failed to load resource", "net::ERR_", "WebSocket connection to", "error: no words", "Failed to fetch")


@pytest.fixture(autouse=True)
def files_may_fail(watch: Watch) -> None:
    """These tests take files away; what Chromium itself writes about that is expected."""
    watch.quiet = LOST


def missing(page: Page, name: str, times: int | None = None) -> None:
    """The file is answered 429, so many times."""
    page.route(f"**/{name}", lambda route: route.fulfill(status=429, body=""), times=times)


@pytest.mark.parametrize("name", ["first.js", "app.js"])
def test_a_module_that_failed_once_is_had_by_the_next_try(window: Opener, server: Server, name: str) -> None:
    page = adult(window())
    missing(page, name, 1)
    page.goto(server.url)
    expect(page.locator("#start-text")).to_be_visible()


@pytest.mark.parametrize("name", ["first.js", "words/en.json"])
def test_a_file_that_goes_on_failing_is_said_with_a_way_on(
    window: Opener, server: Server, watch: Watch, name: str
) -> None:
    page = adult(window(width=390, height=740, color_scheme="dark"))
    missing(page, name)
    page.goto(server.url)
    page.wait_for_function("() => performance.getEntriesByType('navigation')[0].type === 'reload'")
    expect(page.get_by_role("link", name="Reload")).to_be_visible()
    expect(page.locator("main")).to_contain_text("That did not work. Please try again.")
    expect(page.get_by_text("One moment")).to_be_hidden()
    picture(page, f"gallery/lost-{name.replace('/', '-')}")
    page.evaluate(AXE)
    assert page.evaluate(FINDINGS) == []
    page.unroute_all()
    page.get_by_role("link", name="Reload").click()
    expect(page.locator("#start-text")).to_be_visible()
    watch.wrong = [wrong for wrong in watch.wrong if "no words" not in wrong]  # told to the console as well


def test_without_script_the_shell_does_not_ask_for_a_moment(window: Opener, server: Server) -> None:
    page = window(java_script_enabled=False)
    page.goto(server.url)
    expect(page.locator("#app")).to_be_hidden()
    assert "Chatting needs JavaScript." in page.locator("noscript").inner_text()
    picture(page, "gallery/home-noscript-data")
    page.get_by_role("link", name="Your data").click()
    expect(page.locator("h1")).to_have_text("Your data")


def test_what_is_offered_is_asked_again_when_the_network_is_back(window: Opener, server: Server) -> None:
    page = adult(window())

    def away(route: Route) -> None:
        route.abort()

    page.route("**/api/config", away)
    page.goto(server.url)
    expect(page.locator("#start-text")).to_be_visible()
    page.unroute_all()
    page.context.set_offline(True)
    expect(page.locator(".banner")).to_contain_text("You are offline.")
    page.context.set_offline(False)
    expect(page.locator("#start-video")).to_be_visible()
    expect(page.locator("#start-spy")).to_be_visible()


def another_version(folder: Path) -> Path:
    """The sources with a page that differs in one file."""
    shutil.copytree(ROOT / "server", folder / "server")
    for shared in ("client", "engine", "ext"):
        (folder / shared).symlink_to(ROOT / shared)
    settings = folder / "server/site/web/views/settings.js"
    settings.write_text(settings.read_text() + "export const later = true;\n")
    return folder


def test_a_page_from_before_a_deploy_goes_on_with_its_own_files(window: Opener, tmp_path: Path) -> None:
    server = Server(tmp_path / "data")
    try:
        page = adult(window(server.url))
        expect(page.locator("#start-text")).to_be_visible()
        before = page.locator("script[type=module]").get_attribute("src")
        server.stop()
        server.root = another_version(tmp_path / "later")
        server.start()
        answers: dict[str, int] = {}
        page.on("response", lambda answer: answers.update({answer.url.split("/", 3)[3]: answer.status}))
        page.click("[aria-label=Settings]")  # comes with its words, style and decisions, all of them of before
        expect(page.locator("#settings")).to_be_visible()
        assert {path.split("/")[1] for path in answers if path.startswith("s/")} == {before.split("/")[2]}
        assert set(answers.values()) == {200}
        page.reload()
        expect(page.locator("#start-text")).to_be_visible()
        after = page.locator("script[type=module]").get_attribute("src")
        assert after != before
        old = page.request.get(f"{server.url[:-1]}{before}")
        assert old.headers["cache-control"] == "public, max-age=31536000, immutable"
    finally:
        server.stop()
