"""Two browser windows behind a proxy that refuses WebSockets: they meet by HTTP requests, talk, and come back after a cut."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.server.site.polling.cutting_proxy import CuttingProxy
from tests.server.site.web.conftest import Opener, Watch, adult, lines
from tests.server.site.web.servers import Server

FAILED = (
    "WebSocket connection to",
    "Failed to load resource",
    "net::ERR_",
)  # what Chromium writes of a refused socket and of a cut
BACK = 60_000  # ms: a bound for coming back by oneself


@pytest.fixture(params=["403", "strips"])
def proxy(request: pytest.FixtureRequest, server: Server) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy(server.port, request.param)
    yield proxy
    proxy.stop()


def test_two_windows_talk_where_no_websocket_passes_and_a_cut_loses_nothing(
    window: Opener, proxy: CuttingProxy, watch: Watch
) -> None:
    watch.quiet = FAILED
    pages = [adult(window()) for _ in range(2)]
    for page in pages:
        page.goto(proxy.url)
        page.fill("#topics", "no socket,")
        page.click("#start-text")
    for page in pages:
        expect(page.locator("#message")).to_be_visible(timeout=BACK)
    anna, ben = pages
    expected = []
    for line in range(1, 7):
        if line % 3 == 0:
            proxy.cut()
        anna.fill("#message", f"line {line}")
        anna.press("#message", "Enter")
        expected.append(f"line {line}")
        expect(ben.locator(".bubble")).to_have_text(expected, timeout=BACK)
    expect(anna.locator('.line[data-state="sent"]')).to_have_count(6)
    assert lines(ben) == [f"Stranger: line {line}" for line in range(1, 7)]
    assert proxy.upgrades >= 4
    anna.goto(f"{proxy.url}statistics")
    while not any("&close=1001 " in head for head in proxy.asked):  # the test's limit ends it
        ben.wait_for_timeout(50)
