"""What is printed, and how a keyboard gets past the head of a document."""

import pytest
from playwright.sync_api import expect

from tests.server.site.web.conftest import Opener, Site, keep, meet
from tests.server.site.web.servers import Server
from tests.support.pictures import picture


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_chat_is_printed_whole_light_and_without_what_is_pressed(window: Opener, server: Server, theme: str) -> None:
    anna, ben = meet(window, server.url, f"paper {theme}", color_scheme=theme)
    for number in range(8):
        speaker = (anna, ben)[number % 2]
        speaker.fill("#message", f"line {number}\n" + "of several\n" * 5)
        speaker.press("#message", "Enter")
        expect(anna.locator(".line")).to_have_count(number + 1)
    anna.emulate_media(media="print", color_scheme=theme)
    picture(anna, f"gallery/chat-print-{theme}", whole=True)
    for hidden in ("#message", ".leave", ".bar .end"):
        expect(anna.locator(hidden)).to_be_hidden()
    colours = "(node) => [getComputedStyle(node).color, getComputedStyle(node).backgroundColor]"
    for bubble in anna.locator(".bubble").all():
        assert bubble.evaluate(colours) == ["rgb(23, 32, 30)", "rgba(0, 0, 0, 0)"]
    whole = anna.evaluate(
        "() => [document.scrollingElement.scrollHeight, document.querySelector('.inner').scrollHeight]"
    )
    assert whole[0] >= whole[1] > 800  # nothing of it scrolls within


def test_documents_are_printed_light_without_what_is_pressed_whatever_was_chosen(window: Opener, site: Site) -> None:
    page = keep(window(color_scheme="dark"), theme="dark")
    page.goto(f"{site.url}/rules")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(15, 20, 19)"
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(245, 244, 240)"
    for hidden in ("header .button", "footer", ".skip"):
        expect(page.locator(hidden)).to_be_hidden()


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_the_first_key_in_a_document_leads_past_its_head(window: Opener, site: Site, direction: str) -> None:
    page = window(width=320)
    page.goto(f"{site.url}/rules")
    page.evaluate("(dir) => { document.documentElement.dir = dir; }", direction)
    skip = page.get_by_role("link", name="Skip to the text")
    assert skip.evaluate("(node) => getComputedStyle(node).clipPath") == "inset(50%)"
    page.keyboard.press("Tab")
    expect(skip).to_be_focused()
    assert skip.evaluate("(node) => getComputedStyle(node).clipPath") == "none"
    assert skip.evaluate(
        "(node) => { const box = node.getBoundingClientRect(); return box.left >= 0 && box.right <= innerWidth; }"
    )
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
