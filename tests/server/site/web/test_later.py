"""What the first load leaves out: it is asked for when it is wanted, answered at once, and need not come from a network."""

from playwright.sync_api import expect

from tests.server.site.web.conftest import Opener, Watch, adult, hold, meet, opened
from tests.server.site.web.servers import Network, Server

FAILED = ("WebSocket connection to", "Failed to load resource", "net::ERR_")


def test_the_first_screen_asks_for_nothing_of_the_rest(window: Opener, server: Server) -> None:
    page = window()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(server.url)
    expect(page.locator("#start-text")).to_be_visible()
    page.wait_for_load_state("networkidle")
    for part in (
        "second.",
        "reduce/rest.js",
        "-rest.json",
        "rest.css",
        "views/report.js",
        "views/settings.js",
        "video/",
    ):
        assert not any(part in url for url in asked), part


def test_a_press_on_settings_waits_for_them_in_a_dialog_of_its_own(window: Opener, server: Server) -> None:
    page = window(server.url)
    held = hold(page, "**/words/en-rest.json")
    page.click("[aria-label=Settings]")
    expect(page.locator("#opening h2")).to_have_text("One moment…")
    expect(page.locator("#opening h2")).to_be_focused()
    opened(page, "#opening")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator("[aria-label=Settings]")).to_be_focused()
    page.click("[aria-label=Settings]")
    expect(page.locator("#opening")).to_be_visible()
    assert len(held) == 1  # asked for once
    held[0].continue_()
    expect(page.locator("#settings h2").first).to_be_focused()
    expect(page.locator("#opening")).to_have_count(0)
    opened(page, "#settings")
    page.keyboard.press("Escape")
    expect(page.locator("[aria-label=Settings]")).to_be_focused()


def test_what_cannot_be_had_says_so_and_is_asked_for_again(window: Opener, server: Server, watch: Watch) -> None:
    watch.quiet = FAILED
    page = window(server.url)
    page.route("**/words/en-rest.json", lambda route: route.abort())
    page.click("[aria-label=Settings]")
    expect(page.locator(".banner")).to_have_text("That did not work. Please try again.")
    expect(page.locator("dialog")).to_have_count(0)
    page.unroute("**/words/en-rest.json")
    page.click("[aria-label=Settings]")
    expect(page.locator("#settings")).to_be_visible()


def test_a_press_that_the_rest_decides_is_kept_until_it_is_here(window: Opener, server: Server) -> None:
    page = adult(window(server.url))
    page.reload()
    held = hold(page, "**/second.js")
    page.click("#start-video")
    expect(page.locator("h1")).to_have_text("One moment…")
    page.keyboard.press("Escape")  # ready.stop: only the rest knows it
    held[0].continue_()
    expect(page.locator("#start-text")).to_be_visible()


def test_a_report_needs_no_network(window: Opener, server: Server, network: Network, watch: Watch) -> None:
    watch.quiet = FAILED
    anna, ben = meet(window, network.url, "report without a network")
    anna.wait_for_load_state("networkidle")
    network.cut()
    expect(anna.locator(".banner")).to_contain_text("Reconnecting")
    anna.click("[aria-label=Report]")
    anna.get_by_role("button", name="Advert, bot or scam").click()
    expect(anna.locator(".divider.over")).to_contain_text("Reported. Thank you.")
    network.mend()
    expect(ben.locator(".divider.over")).to_have_text("The stranger left", timeout=20_000)


def test_an_installed_page_has_every_part_without_a_network(
    window: Opener, server: Server, network: Network, watch: Watch
) -> None:
    watch.quiet = FAILED
    page = window(network.url, service_workers="allow")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    network.cut()
    page.context.set_offline(True)
    page.reload()
    page.click("[aria-label=Settings]")
    expect(page.locator("#settings")).to_be_visible()
    page.locator("#settings [aria-label=Close]").click()
    page.click("#start-spy")
    expect(page.locator("#ask")).to_be_visible()
