"""Notifications as a person has them: real tabs of which one is in front, and a desktop that shows what Chromium gives it.

Rule: nothing is made up but the desktop (tests/support/desktop.py). Playwright tells each window that it starts that it is in front, so
this Chromium is started here, and only joined.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.server.site.web.conftest import ARGUMENTS, Opener, Watch, adult, keep
from tests.server.site.web.servers import Server
from tests.server.site.web.test_called import look, say
from tests.support.desktop import Desktop

LISTENING = "DevTools listening on "


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[Desktop]:
    """Where notifications are shown."""
    desktop = Desktop(tmp_path)
    yield desktop
    desktop.close()


@pytest.fixture
def chromium(tmp_path: Path, desktop: Desktop) -> Iterator[str]:
    """A browser of a person's own on that desktop: where it is joined."""
    own = [f"--user-data-dir={tmp_path / 'profile'}", "--remote-debugging-port=0", "--headless=new", "about:blank"]
    environment = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": desktop.address, "LANGUAGE": "en_GB"}
    process = subprocess.Popen(
        ["/usr/bin/chromium", *ARGUMENTS, *own], env=environment, stderr=subprocess.PIPE, text=True
    )
    with process:
        assert process.stderr is not None
        said = next(line for line in process.stderr if line.startswith(LISTENING))
        yield said.removeprefix(LISTENING).strip()
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture
def tabs(browser: Browser, chromium: str, watch: Watch, server: Server) -> Iterator[BrowserContext]:
    """Its tabs: somebody who allowed notifications."""
    joined = browser.browser_type.connect_over_cdp(chromium, no_defaults=True)
    (tabs,) = joined.contexts
    tabs.grant_permissions(["notifications"], origin=server.url)
    tabs.set_default_timeout(10_000)
    watch.over(tabs)
    yield tabs
    joined.close()


def in_front(tabs: BrowserContext) -> list[str]:
    """The tabs that can be seen."""
    return [page.url for page in tabs.pages if not page.evaluate("document.hidden")]


def left(tabs: BrowserContext, window: Opener, server: Server, topic: str) -> tuple[Page, Page]:
    """Somebody who chats and went to another tab of ours, a third being open; and whom they chat with."""
    anna, ben = keep(tabs.new_page(), adult=True, called=True, notify=True), adult(window())
    look(anna, topic, server.url)
    anna.evaluate("navigator.serviceWorker.ready.then(() => true)")
    look(ben, topic, server.url)
    for each in (anna, ben):
        expect(each.locator("#message")).to_be_visible()
    for path in ("", "rules"):
        tabs.new_page().goto(server.url + path)
    anna.wait_for_function("() => document.hidden")
    assert in_front(tabs) == [f"{server.url}rules"]
    return anna, ben


def test_a_press_leads_back_to_the_tab_that_chats_and_a_desktop_is_told_nothing_of_it(
    window: Opener, server: Server, tabs: BrowserContext, desktop: Desktop
) -> None:
    anna, ben = left(tabs, window, server, "pressed")
    say(ben, "my secret name is Ben")
    desktop.until(lambda: desktop.shown)
    (notice,) = desktop.shown
    assert (notice.title, notice.body) == ("New message", server.url.split("/")[2])  # the browser says whose it is
    assert not [word for word in ("secret", "Ben", "pressed") if word in notice.text]
    open_before = len(tabs.pages)
    desktop.press(notice.number)
    anna.wait_for_function("() => !document.hidden && document.hasFocus()")
    assert in_front(tabs) == [anna.url]
    assert len(tabs.pages) == open_before
    expect(anna.locator(".line")).to_contain_text("my secret name is Ben")
    assert desktop.withdrawn == [notice.number]


def test_who_comes_back_by_themselves_finds_no_notification(
    window: Opener, server: Server, tabs: BrowserContext, desktop: Desktop
) -> None:
    anna, ben = left(tabs, window, server, "back alone")
    say(ben, "are you there?")
    desktop.until(lambda: desktop.shown)
    anna.bring_to_front()
    desktop.until(lambda: desktop.withdrawn == [desktop.shown[0].number])


def test_a_press_when_no_tab_has_the_page_opens_it_and_leaves_a_document_alone(
    window: Opener, server: Server, tabs: BrowserContext, desktop: Desktop
) -> None:
    _, ben = left(tabs, window, server, "closed")
    say(ben, "are you there?")
    desktop.until(lambda: desktop.shown)
    for page in tabs.pages:
        if not page.url.endswith("/rules"):
            page.close()
    with tabs.expect_page() as opened:
        desktop.press(desktop.shown[0].number)
    assert opened.value.url == server.url
    expect(opened.value.locator("#start-text")).to_be_visible()
