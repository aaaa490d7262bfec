"""The end of a chat as a person meets it: while they write, while they look for the next one, while the path is dead."""

import pytest
from playwright.sync_api import Page, expect

from tests.server.site.web.conftest import Opener, Watch, adult, meet
from tests.server.site.web.servers import Network, Server

FAILED = ("WebSocket connection to", "Failed to load resource", "net::ERR_")


def leave(page: Page) -> None:
    """Both presses."""
    page.click(".leave")
    page.click(".leave")


def over_a_path_that_dies(
    window: Opener, server: Server, network: Network, watch: Watch, topic: str
) -> tuple[Page, Page]:
    """Two in a chat, the first of them over a network that has just gone silent."""
    watch.quiet = FAILED
    anna, ben = adult(window()), adult(window())
    for page, url in ((anna, network.url), (ben, server.url)):
        page.goto(url)
        page.fill("#topics", topic)
        page.click("#start-text")
    expect(anna.locator("#message")).to_be_visible()
    network.hush()
    return anna, ben


def test_who_writes_as_the_stranger_leaves_keeps_the_chat_the_words_and_the_focus(
    window: Opener, server: Server
) -> None:
    anna, ben = meet(window, server.url, "leaves midway")
    ben.fill("#message", "last words")
    ben.press("#message", "Enter")
    expect(anna.locator(".bubble")).to_have_text("last words")
    anna.click("#message")
    anna.keyboard.type("I was about to say")
    leave(ben)
    expect(anna.locator(".divider.over")).to_have_text("The stranger left")
    anna.keyboard.type(" so much more")
    anna.keyboard.press("Enter")
    expect(anna.locator("#message")).to_be_focused()
    expect(anna.locator("#message")).to_have_value("I was about to say so much more")
    expect(anna.locator("#under")).to_have_text("Not sent: the chat is over. You can still copy it.")
    expect(anna.locator(".bubble")).to_have_text("last words")
    expect(anna.get_by_role("button", name="Save chat")).to_be_visible()
    above, below = anna.locator("#meet").bounding_box(), anna.locator("#message").bounding_box()
    assert above is not None
    assert below is not None
    assert below["y"] - above["y"] - above["height"] >= 8
    anna.click("#meet")
    expect(anna.locator(".waiting")).to_be_visible()


def test_a_key_in_the_moment_of_the_end_starts_nothing_and_one_that_is_meant_does(
    window: Opener, server: Server
) -> None:
    anna, ben = meet(window, server.url, "moment")
    leave(ben)
    expect(anna.locator("#meet")).to_be_focused()
    anna.keyboard.type("hi there ")  # a letter before each space: a sentence, not a press
    expect(anna.locator(".divider.over")).to_have_text("The stranger left")
    anna.wait_for_timeout(800)  # the length of the pause is what is tested
    anna.keyboard.press("Enter")
    expect(anna.locator(".waiting")).to_be_visible()


def test_the_last_chat_is_reported_and_saved_from_the_search_that_follows(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "the last one")
    ben.fill("#message", "something bad")
    ben.press("#message", "Enter")
    expect(anna.locator(".bubble")).to_have_text("something bad")
    leave(ben)
    anna.click("#meet")
    expect(anna.locator("li[aria-current=step]")).to_be_visible()
    anna.click("#back")
    expect(anna.locator(".bubble")).to_have_text("something bad")
    anna.get_by_role("button", name="Save chat").click()
    anna.get_by_role("button", name="Save and get the link").click()
    expect(anna.locator("#saved-link")).to_be_visible()
    anna.get_by_role("button", name="Close").click()
    anna.get_by_role("button", name="Report").click()
    anna.get_by_role("button", name="Hate or harassment").click()
    expect(anna.locator(".divider.over")).to_contain_text("Reported. Thank you.")
    anna.click("#meet")
    expect(anna.locator(".waiting")).to_be_visible()


@pytest.mark.timeout(90)
def test_a_path_that_dies_without_a_sign_is_noticed_by_who_writes_and_the_chat_goes_on(
    window: Opener, server: Server, network: Network, watch: Watch
) -> None:
    anna, ben = over_a_path_that_dies(window, server, network, watch, "dead path,")
    anna.fill("#message", "are you there?")
    anna.press("#message", "Enter")
    expect(anna.locator(".banner")).to_contain_text("Reconnecting", timeout=10_000)
    network.renew()
    expect(ben.locator(".bubble")).to_have_text("are you there?", timeout=12_000)
    expect(anna.locator('.line[data-state="sent"]')).to_have_count(1)


@pytest.mark.timeout(90)
def test_a_path_that_dies_while_nobody_writes_is_noticed_too(
    window: Opener, server: Server, network: Network, watch: Watch
) -> None:
    anna, ben = over_a_path_that_dies(window, server, network, watch, "quiet path,")
    ben.fill("#message", "unheard")
    ben.press("#message", "Enter")
    expect(anna.locator(".banner")).to_contain_text("Reconnecting", timeout=25_000)
    network.renew()
    expect(anna.locator(".bubble")).to_have_text("unheard", timeout=12_000)


@pytest.mark.timeout(90)
def test_a_closed_tab_lets_the_other_go_soon_and_a_reload_is_back_in_time(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "tab")
    anna.reload()
    expect(anna.locator("#message")).to_be_visible()
    expect(ben.locator(".bar p")).to_have_text("Connected")
    expect(ben.locator(".divider.over")).to_have_count(0)
    anna.close()
    expect(ben.locator(".bar p")).to_contain_text("Away, 5 s left")
    expect(ben.locator(".divider.over")).to_have_text("The stranger's connection was lost", timeout=8_000)


def test_the_log_follows_lines_that_are_higher_than_was_guessed(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "following", width=390, height=664)
    hidden = "(node) => node.scrollHeight - node.scrollTop - node.clientHeight"
    at_the_end = f"() => ({hidden})(document.querySelector('.middle')) < 2"
    for number in range(8):
        ben.evaluate("document.querySelector('#message').value = 'a line\\n'.repeat(30)")
        ben.press("#message", "Enter")
        expect(anna.locator(".line")).to_have_count(number + 1)
        anna.wait_for_function(at_the_end)
    anna.fill("#message", "one\ntwo\nthree\nfour\nfive")
    leave(ben)
    expect(anna.locator(".divider.over")).to_be_in_viewport(ratio=1)
    anna.wait_for_function(at_the_end)
