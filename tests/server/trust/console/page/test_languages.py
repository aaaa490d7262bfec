"""Test the console in Chromium right to left, and in a language chosen by one press: axe finds nothing, and no page is too wide."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.server.site.web.conftest import Opener, Watch, meet
from tests.server.trust.console.page.conftest import Operated
from tests.server.trust.console.page.test_console import tab_to, well
from tests.server.trust.console.page.test_work import enter, report, until

pytestmark = pytest.mark.timeout(180)


def speaks(page: Page, language: str, direction: str) -> None:
    """The page is in a language, and well."""
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("html")).to_have_attribute("dir", direction)
    well(page)


def test_a_language_is_the_browsers_until_another_is_chosen_by_keyboard(
    window: Opener, operated: Operated, quiet: Watch
) -> None:
    mona = window(locale="ar")
    mona.goto(operated.origin + "/sign-in")
    speaks(mona, "ar", "rtl")
    mona = enter(lambda **more: window(locale="ar", **more), operated, "mona", "moderator", "lead", "admin")
    anna, ben = meet(window, operated.server.url)
    report(anna, ben)
    until(mona, f"{operated.origin}/cases?queue=spam", ".cases tbody tr")
    speaks(mona, "ar", "rtl")
    mona.keyboard.press("Enter")
    expect(mona.locator(".said .reported p")).to_have_text("buy my <b>gold</b>")
    speaks(mona, "ar", "rtl")
    for place in ("search", "figures", "answers", "examples", "appeals", "approvals", "notices", "accounts"):
        mona.goto(f"{operated.origin}/{place}")
        speaks(mona, "ar", "rtl")
    tab_to(mona, "button[value=de]")
    mona.keyboard.press("Enter")
    expect(mona.locator("h1")).to_have_text("Konten")
    speaks(mona, "de", "ltr")
    mona.goto(operated.origin + "/nothing")
    expect(mona.locator("h1")).to_have_text("Hier ist nichts")
    speaks(mona, "de", "ltr")


def test_the_keys_of_the_work_are_in_their_places_on_every_keyboard(
    window: Opener, operated: Operated, quiet: Watch
) -> None:
    rita = enter(lambda **more: window(locale="ru", **more), operated, "rita", "moderator")
    anna, ben = meet(window, operated.server.url)
    report(anna, ben)
    until(rita, f"{operated.origin}/cases?queue=spam", ".cases tbody tr:not(.claimed)")
    rita.keyboard.press("Enter")
    expect(rita.locator("#decide")).to_be_visible()
    rita.wait_for_load_state()  # its script listens from then on
    press = (
        "([key, code]) => dispatchEvent.call(document.body, new KeyboardEvent('keydown', {key, code, bubbles: true}))"
    )
    rita.evaluate(press, ["é", "Digit2"])  # of a French keyboard
    expect(rita.locator("[name=choice][value=warning]")).to_be_checked()
    rita.evaluate(press, ["1", "Digit1"])
    expect(rita.locator("[name=choice][value=none]")).to_be_checked()
    rita.evaluate(press, ["т", "KeyN"])  # of a Russian one
    rita.wait_for_url("**/cases?queue=spam")
