"""Somebody writes that they are under 18, in a browser: the chat is over, they are asked, and what they answer is believed once."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.server.web.conftest import Opener, meet
from tests.server.web.servers import Server

pytestmark = pytest.mark.timeout(180)


def claimed(window: Opener, server: Server, topic: str) -> tuple[Page, Page]:
    """Two who met, of whom the first said it."""
    one, other = meet(window, server.url, topic)
    one.fill("#message", "im 14, you?")
    one.press("#message", "Enter")
    return one, other


def test_an_adult_says_so_by_keyboard_and_goes_on(window: Opener, server: Server) -> None:
    page, other = claimed(window, server, "keyboards")
    dialog = page.get_by_role("dialog", name="You wrote that you are 14")
    expect(dialog).to_contain_text("Serendip is for adults")
    expect(dialog.locator("h2")).to_be_focused()
    expect(page.locator(".divider.over")).to_have_text("You wrote that you are under 18, so this chat is over")
    expect(other.locator(".divider.over")).to_contain_text("They may be under 18, so this chat is over")
    expect(other.get_by_role("note")).to_have_text("They may be under 18.")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.locator("#meet").click()
    expect(dialog).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator("#claimed-over")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(page.locator(".steps")).to_be_visible()  # the search was taken


def test_a_minor_is_shown_the_door_without_blame_and_it_stays_so(window: Opener, server: Server) -> None:
    page, _ = claimed(window, server, "doors")
    with page.expect_response("**/api/under-18") as answered:
        page.get_by_role("button", name="I am under 18").click()
    assert answered.value.status == 204
    expect(page.locator("h1")).to_have_text("Serendip is for adults")
    expect(page.locator("main")).to_contain_text(re.compile("can't chat here until .* written down nowhere"))
    assert page.context.cookies() == []
    page.reload()
    page.locator("#start-text").click()
    expect(page.locator("h1")).to_have_text("Serendip is for adults")
