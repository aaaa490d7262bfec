"""A challenge before the search, in a browser, under the page's own policy: solved by itself, stopped, and never seen by whom nobody asks."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.server.site.web.conftest import Opener, adult, opened
from tests.server.site.web.servers import Server

pytestmark = pytest.mark.timeout(180)
# Work that does not end, in the place of the puzzle's: what is seen meanwhile can be looked at.
ENDLESS = "self.onmessage = () => {};"
BROKEN = "self.onmessage = () => postMessage({ error: true });"


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that asks everybody first."""
    server = Server(
        tmp_path_factory.mktemp("asking"), SERENDIP_CHALLENGE__ENABLED="true", SERENDIP_CHALLENGE__FIRST="true"
    )
    yield server
    server.stop()


def searching(page: Page, url: str) -> Page:
    adult(page).goto(url)
    page.locator("#start-text").click()
    return page


def test_the_browser_solves_it_by_itself_and_two_meet(window: Opener, asking: Server) -> None:
    pages = [searching(window(), asking.url) for _ in range(2)]
    for page in pages:
        expect(page.locator("#message")).to_be_visible(timeout=60_000)
        expect(page.locator("#check")).to_have_count(0)
    pages[0].fill("#message", "hello")
    pages[0].press("#message", "Enter")
    expect(pages[1].locator(".line")).to_have_count(1)


def test_it_can_be_stopped_and_says_where_it_fails(window: Opener, asking: Server) -> None:
    page = window()
    solver = [ENDLESS]  # in one route: between two of them the browser has the real one

    def answer(route: Route) -> None:
        if solver:
            route.fulfill(body=solver[0], content_type="text/javascript")
        else:
            route.continue_()

    page.route(re.compile("/vendor/pbkdf2.js$"), answer)
    searching(page, asking.url)
    dialog = page.get_by_role("dialog", name="One moment")
    expect(dialog).to_contain_text("No pictures, no other company.")
    expect(dialog.get_by_role("progressbar")).to_be_visible()
    opened(page, "#check")
    page.keyboard.press("Escape")
    expect(page.locator("#start-text")).to_be_focused()
    solver[0] = BROKEN
    page.locator("#start-text").click()
    expect(dialog).to_contain_text("That did not work.")
    solver.clear()
    dialog.get_by_role("button", name="Try again").click()
    expect(dialog).to_have_count(0, timeout=60_000)
    expect(page.get_by_role("button", name="Stop")).to_be_visible()


def test_who_is_not_asked_loads_nothing_of_it(window: Opener, server: Server) -> None:
    page = window()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    searching(page, server.url)
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if re.search(r"pbkdf2|challenge\.js|views/check", url)]
