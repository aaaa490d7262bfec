"""Connections that drop, come back, come back too late; a server that restarts; a browser that is offline."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.server.site.web.conftest import Opener, Watch, adult, lines, meet
from tests.server.site.web.servers import Network, Server

# What Chromium itself writes to the console where a socket or a request fails; the page's own errors still count.
FAILED = ("WebSocket connection to", "Failed to load resource", "net::ERR_")
# ms: a bound for coming back by oneself. A start that takes long lets the waits of client/js/backoff.js grow to 20 s, and a handshake has 5 s.
BACK = 60_000


@pytest.fixture(autouse=True)
def network_may_fail(watch: Watch) -> None:
    """These tests cut the network, so its errors are expected."""
    watch.quiet = FAILED


def say(page: Page, text: str) -> None:
    """Type and send."""
    page.fill("#message", text)
    page.press("#message", "Enter")


def one_through(window: Opener, server: Server, network: Network, topic: str) -> tuple[Page, Page]:
    """Two in a chat: the first through the network that can be cut, the second not."""
    anna, ben = adult(window()), adult(window())
    for page, url in ((anna, network.url), (ben, server.url)):
        page.goto(url)
        page.fill("#topics", f"{topic},")
        page.click("#start-text")
    for page in (anna, ben):
        expect(page.locator("#message")).to_be_visible()
    return anna, ben


def test_a_network_gone_for_three_seconds_loses_nothing(window: Opener, server: Server, network: Network) -> None:
    anna, ben = one_through(window, server, network, "three seconds")
    say(anna, "before")
    expect(ben.locator(".bubble")).to_have_text(["before"])
    network.cut()
    expect(ben.locator(".bar p")).to_contain_text("Away,")
    expect(ben.locator("#say")).to_have_text("The stranger lost connection. They have 15 seconds.")
    expect(anna.locator(".banner")).to_contain_text("Reconnecting… they are asked to wait for you.")
    say(anna, "written while away")
    say(ben, "one for you")
    say(ben, "and another")
    anna.wait_for_timeout(1500)  # it is the length of the cut that is tested
    network.mend()
    order = ["before", "one for you", "and another", "written while away"]
    expect(anna.locator(".bubble")).to_have_text(order)
    expect(anna.locator(".divider")).to_have_text("2 messages came while you were away.")
    expect(ben.locator(".bubble")).to_have_text(order)
    expect(ben.locator(".bar p")).to_have_text("Connected")
    expect(anna.locator(".banner")).to_have_count(0)
    for page in (anna, ben):
        expect(page.locator('.line[data-state="sending"], .line[data-state="refused"]')).to_have_count(0)


def test_a_network_gone_for_longer_than_the_grace_tells_both(window: Opener, tmp_path: Path) -> None:
    server = Server(tmp_path, SERENDIP_SESSION__GRACE="3")
    network = Network(server.port)
    try:
        anna, ben = one_through(window, server, network, "too long")
        network.cut()
        expect(ben.locator(".divider.over")).to_have_text("The stranger's connection was lost")
        network.mend()  # the chat is over for good by now
        expect(anna.locator(".divider.over")).to_have_text("You were away too long. This chat is over.", timeout=BACK)
        expect(anna.locator("#meet")).to_be_focused()
    finally:
        network.close()
        server.stop()


def test_cut_again_and_again_while_both_write_nothing_is_lost_or_doubled(
    window: Opener, server: Server, network: Network
) -> None:
    anna, ben = one_through(window, server, network, "again and again")
    for number in range(6):
        say(anna, f"a{number}")
        if number % 2 == 0:
            network.cut()
        say(ben, f"b{number}")
        network.mend()
    for page in (anna, ben):
        expect(page.locator(".line")).to_have_count(12, timeout=15_000)
        expect(page.locator('.line[data-state="sending"]')).to_have_count(0)
    texts = anna.locator(".line .bubble").all_text_contents()
    assert ben.locator(".line .bubble").all_text_contents() == texts  # one order for both
    for who in "ab":
        assert [text for text in texts if text[0] == who] == [f"{who}{number}" for number in range(6)]


def test_a_browser_that_is_offline_says_so_and_goes_on_as_soon_as_it_is_back(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "offline")
    anna.context.set_offline(True)
    expect(anna.locator(".banner")).to_have_text("You are offline. We go on as soon as you are back.")
    expect(anna.locator("#alarm")).to_have_text("You are offline. We go on as soon as you are back.")
    say(anna, "kept")
    expect(ben.locator(".bar p")).to_contain_text("Away,")
    anna.context.set_offline(False)
    expect(ben.locator(".bubble")).to_have_text("kept")
    expect(anna.locator(".banner")).to_have_count(0)


def test_a_silent_network_is_found_out_when_the_device_wakes(window: Opener, server: Server, network: Network) -> None:
    anna, ben = one_through(window, server, network, "asleep")
    network.hush()
    say(ben, "are you there?")
    network.mend()
    anna.evaluate(
        """async () => {  // as if the device had slept: the clock is later, and the page is told that it is visible again
          const now = Date.now;
          Date.now = () => now() + 15000;
          dispatchEvent(new Event('online'));
        }"""
    )
    network.hush()
    anna.wait_for_timeout(500)
    network.cut()
    network.mend()
    expect(anna.locator(".bubble")).to_have_text("are you there?")


def test_leaving_while_the_network_is_gone_reaches_the_other_when_it_is_back(
    window: Opener, server: Server, network: Network
) -> None:
    anna, ben = one_through(window, server, network, "leaving")
    network.cut()
    expect(ben.locator(".bar p")).to_contain_text("Away,")
    anna.click(".leave")
    anna.click(".leave")
    expect(anna.locator(".divider.over")).to_have_text("You left")
    network.mend()
    expect(ben.locator(".divider.over")).to_have_text("The stranger left")


def test_a_reload_comes_back_into_the_chat(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "reload")
    say(anna, "mine")
    say(ben, "yours")
    expect(anna.locator(".line")).to_have_count(2)
    anna.reload()
    expect(anna.locator("#message")).to_be_visible()
    expect(anna.locator(".line .bubble")).to_have_text(["mine", "yours"])
    say(anna, "again")
    expect(ben.locator(".line")).to_have_count(3)
    assert lines(ben)[-1] == "Stranger: again"
    say(ben, "hello again")
    expect(anna.locator(".line")).to_have_count(4)


def test_a_second_tab_with_the_same_session_takes_it_over(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "second tab")
    way = anna.evaluate("sessionStorage.getItem('serendip.way')")
    second = anna.context.new_page()
    second.add_init_script(f"sessionStorage.setItem('serendip.way', `{way}`)")
    second.goto(server.url)
    expect(second.locator("#message")).to_be_visible()
    expect(anna.locator("h1")).to_have_text("This chat went on in another tab.")
    say(second, "from here")
    expect(ben.locator(".bubble")).to_have_text("from here")
    anna.get_by_role("button", name="Start a new chat here").click()
    expect(anna.locator("#start-text")).to_be_visible()
    expect(second.locator("#message")).to_be_visible()


@pytest.mark.timeout(240)
def test_a_restart_is_told_and_the_search_starts_again_by_itself(window: Opener, tmp_path: Path) -> None:
    server = Server(tmp_path)
    try:
        anna, ben = meet(window, server.url, "restart")
        waiting = adult(window())
        waiting.goto(server.url)
        waiting.fill("#topics", "nobody has this,")
        waiting.click("#start-text")
        expect(waiting.locator(".steps")).to_be_visible()
        server.stop()
        for page in (anna, waiting):
            expect(page.locator(".banner")).to_have_text("The server is restarting. Back in a few seconds.")
        server.start()
        for page in (anna, ben):
            expect(page.locator(".divider.over")).to_have_text(
                "The server restarted. This chat could not be kept.", timeout=BACK
            )
        expect(waiting.locator(".banner")).to_have_count(0, timeout=BACK)
        expect(waiting.locator("li[aria-current=step]")).to_be_visible()
        anna.click("#meet")
        ben.click("#meet")
        expect(anna.locator(".waiting, .chatting")).to_be_visible()
    finally:
        server.stop()
