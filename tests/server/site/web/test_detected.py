"""Test what two people read in their browsers when a program detects something in a line."""

import pytest
from playwright.sync_api import Page, expect

from tests.server.site.web.conftest import Opener, meet
from tests.server.site.web.servers import Server
from tests.support.pictures import picture

pytestmark = pytest.mark.timeout(120)

LINES = {
    "threat": ("i will find you and kill you", None, "Nobody may threaten you. Save the chat, report it"),
    "self-harm": (
        "i want to kill myself tonight",
        "You are not alone with this",
        "They may be thinking of hurting themselves",
    ),
    "hate": ("muslims are vermin", "That reads like hate against a group", None),
    "secrecy": ("dont tell your parents about us", None, "Whoever asks you to keep this secret may want to harm you"),
    "private": ("my card is 4111 1111 1111 1111", "That looks like private data", None),
}


def say(page: Page, text: str) -> None:
    page.fill("#message", text)
    page.press("#message", "Enter")


@pytest.mark.parametrize("name", LINES)
def test_each_side_reads_the_tip_that_concerns_it(window: Opener, server: Server, name: str) -> None:
    line, own, theirs = LINES[name]
    one, other = meet(window, server.url, f"tips {name}")
    say(one, line)
    for page, text in ((one, own), (other, theirs)):
        if text is not None:
            expect(page.get_by_role("note")).to_contain_text(text)
    say(other, "what?")
    expect(one.locator(".line", has_text="what?")).to_be_visible()  # the chat goes on
    for page, text, side in ((one, own, "writer"), (other, theirs, "receiver")):
        if text is None:
            expect(page.get_by_role("note")).to_have_count(0)
        picture(page, f"gallery/detected-{name}-{side}")


def test_a_hint_at_an_age_brings_a_question_and_the_chat_goes_on(window: Opener, server: Server) -> None:
    one, other = meet(window, server.url, "hints")
    say(one, "im in high school")
    dialog = one.get_by_role("dialog", name="Are you 18 or over?")
    expect(dialog).to_be_visible()
    picture(one, "gallery/detected-hint-writer")
    say(other, "what year?")
    expect(one.locator(".line", has_text="what year?")).to_be_visible()
    expect(other.locator(".banner", has_text="asked for their age")).to_have_count(0)
    dialog.get_by_role("button", name="I am 18 or over").click()
    say(one, "senior, and 18")
    expect(other.locator(".line", has_text="senior, and 18")).to_be_visible()


def test_a_number_after_the_question_is_asked_about_and_a_request_then_ends_the_chat(
    window: Opener, server: Server
) -> None:
    one, other = meet(window, server.url, "numbers")
    say(one, "dont tell your parents we talk")
    expect(other.get_by_role("note")).to_contain_text("keep this secret")
    say(one, "how old are you")
    say(other, "15")
    dialog = other.get_by_role("dialog", name="You wrote that you are 15")
    expect(dialog).to_be_visible()
    expect(one.locator(".banner")).to_contain_text("The stranger is asked for their age")
    picture(one, "gallery/detected-number-receiver")
    picture(other, "gallery/detected-number-writer")
    dialog.get_by_role("button", name="I am under 18").click()
    expect(other.locator("h1")).to_have_text("Serendip is for adults")
    expect(one.locator(".divider.over")).to_be_visible()
    picture(one, "gallery/detected-number-over")
