"""The page as an installed application: its worker keeps the shell, nothing else, and opens without a network."""

from playwright.sync_api import expect

from tests.server.site.web.conftest import Opener, Watch, opened
from tests.server.site.web.servers import Network, Server

KEPT = """async () => {
  const found = [];
  for (const name of await caches.keys()) {
    for (const request of await (await caches.open(name)).keys()) found.push(new URL(request.url).pathname);
  }
  return found;
}"""


def test_the_shell_opens_without_a_network_and_says_so(
    window: Opener, server: Server, network: Network, watch: Watch
) -> None:
    watch.quiet = ("WebSocket connection to", "Failed to load resource", "net::ERR_")
    page = window(network.url, service_workers="allow")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    expect(page.locator("#start-text")).to_be_visible()
    network.cut()
    page.context.set_offline(True)
    page.reload()
    expect(page.locator("h1")).to_have_text("Talk to someone new.")
    expect(page.locator(".banner")).to_have_text("You are offline. We go on as soon as you are back.")
    page.goto(f"{network.url}privacy")
    expect(page.locator("h1")).to_have_text("You are offline.")
    page.context.set_offline(False)
    network.mend()
    page.goto(network.url)
    expect(page.locator(".banner")).to_have_count(0)


def test_what_was_opened_without_a_network_is_whole_when_there_is_one(
    window: Opener, server: Server, network: Network, watch: Watch
) -> None:
    watch.quiet = ("WebSocket connection to", "Failed to load resource", "net::ERR_")
    page = window(network.url, service_workers="allow")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    network.cut()
    page.context.set_offline(True)
    page.reload()
    expect(page.locator(".banner")).to_contain_text("You are offline.")
    expect(page.locator("#start-video")).to_have_count(0)
    page.click("[aria-label=Settings]")  # a module of later, its words and its style: the worker has them
    opened(page, "#settings")
    page.keyboard.press("Escape")
    network.mend()
    page.context.set_offline(False)
    expect(page.locator("#start-video")).to_be_visible()
    expect(page.locator("#start-spy")).to_be_visible()
    expect(page.locator(".banner")).to_have_count(0)


def test_the_worker_keeps_the_shell_and_nothing_else(window: Opener, server: Server) -> None:
    page = window(server.url, service_workers="allow")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.reload()
    page.click("[aria-label=Settings]")
    expect(page.locator("#settings")).to_be_visible()
    page.evaluate("fetch('/api/status').then((answer) => answer.json())")
    kept = page.evaluate(KEPT)
    assert "/" in kept
    assert any(path.endswith("/app.js") for path in kept)
    assert [path for path in kept if not path.startswith("/s/") and path not in ("/", "/offline")] == []


def test_chromium_would_install_it(window: Opener, server: Server) -> None:
    page = window(server.url)
    session = page.context.new_cdp_session(page)
    manifest = session.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert manifest["url"].endswith("/manifest.webmanifest")
    problems = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [found["errorId"] for found in problems if found["errorId"] != "in-incognito"] == []
