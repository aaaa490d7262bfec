"""Test a statement of age below 18 in a browser: the chat is held, its writer is asked, and the answer is believed once."""

import re

import pytest
from playwright.sync_api import FloatRect, Page, expect

from tests.server.site.web.conftest import Opener, meet, opened
from tests.server.site.web.servers import Server
from tests.support.pictures import picture

pytestmark = pytest.mark.timeout(180)


SIZES = [(1280, 800), (1366, 768), (1440, 900), (1920, 1080), (390, 844)]


def box(page: Page, selector: str) -> FloatRect:
    """Where a thing is on the screen."""
    found = page.locator(selector).bounding_box()
    assert found
    return found


def meets(one: FloatRect, other: FloatRect) -> bool:
    """Whether two have a point in common."""
    return all(
        one[at] < other[at] + other[size] and other[at] < one[at] + one[size]
        for at, size in (("x", "width"), ("y", "height"))
    )


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_double_click_on_a_start_button_answers_nothing(
    window: Opener, server: Server, width: int, height: int
) -> None:
    page = window(server.url, width=width, height=height)
    start, starts = box(page, "#start-text"), box(page, ".starts")
    for share in (0.15, 0.5, 0.85):
        page.mouse.dblclick(start["x"] + share * start["width"], start["y"] + start["height"] / 2)
        opened(page, "#age")
        assert page.evaluate("JSON.parse(localStorage.serendip ?? '{}').adult") is not True
        for answer in ("#age-under", "#age-over"):
            assert not meets(box(page, answer), starts)
        picture(page, f"gallery/age-first-{width}")
        page.keyboard.press("Escape")
        expect(page.locator("#age")).to_have_count(0)


def test_a_dialog_hears_no_key_as_it_opens(window: Opener, server: Server) -> None:
    page = window(server.url)
    page.locator("#start-text").focus()
    page.evaluate(
        """() => {
          const press = (key, node) => node.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}));
          document.querySelector('#start-text').click();
          document.querySelector('#age-over').click();
          globalThis.stopped = !press('Escape', document.querySelector('#age h2'));
        }"""
    )
    assert page.evaluate("stopped")
    opened(page, "#age")
    page.locator("#age-over").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".waiting")).to_be_visible()


def claimed(window: Opener, server: Server, topic: str) -> tuple[Page, Page]:
    """Two who met, of whom the first said it."""
    one, other = meet(window, server.url, topic)
    one.fill("#message", "im 14, you?")
    one.press("#message", "Enter")
    return one, other


def test_an_adult_says_so_by_keyboard_and_the_chat_goes_on(window: Opener, server: Server) -> None:
    page, other = claimed(window, server, "keyboards")
    dialog = page.get_by_role("dialog", name="You wrote that you are 14")
    expect(dialog).to_contain_text("Serendip is for adults")
    expect(dialog).to_contain_text("The chat waits for your answer")
    expect(dialog.locator("h2")).to_be_focused()
    expect(other.get_by_role("note")).to_have_text("They may be under 18.")
    expect(other.locator(".banner")).to_contain_text("The stranger is asked for their age")
    other.fill("#message", "are you there?")
    expect(other.locator("button.send")).to_have_attribute("aria-disabled", "true")
    other.press("#message", "Enter")
    picture(page, "gallery/chat-claimed-real")
    picture(other, "gallery/chat-asked-real")
    opened(page, "#claimed")
    page.keyboard.press("Escape")
    expect(dialog).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator("#claimed-over")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.locator("#message")).to_be_focused()
    expect(other.locator("button.send")).not_to_have_attribute("aria-disabled", "true")
    other.press("#message", "Enter")
    expect(page.locator(".line", has_text="are you there?")).to_be_visible()
    page.fill("#message", "yes")
    page.press("#message", "Enter")
    expect(other.locator(".line", has_text="yes")).to_be_visible()


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
