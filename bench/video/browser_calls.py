"""Measure how soon two browser windows see each other: from the arrival of `matched` to the first painted picture.

Debian's Chromium with its false camera, the real page, a new chat each time. Whether the picture is blurred makes no difference: it is decoded
either way.
"""

from typing import Final

from playwright.sync_api import Browser, Page, sync_playwright

ARGUMENTS: Final = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
# An adult who looks at once; when a frame `matched` came, and when the stranger's first picture was painted.
WATCH: Final = """
  localStorage.serendip = JSON.stringify({adult: true, blur: false, hide: %s});
  globalThis.times = {};
  const Real = WebSocket;
  globalThis.WebSocket = class extends Real {
    constructor(...given) {
      super(...given);
      this.addEventListener('message', ({data}) => {
        if (data.startsWith('{"type":"matched"')) times = {matched: performance.now(), relay: !data.includes('"stun:')};
      });
    }
  };
  document.addEventListener('loadedmetadata', ({target}) => {
    if (target.id === 'theirs') target.requestVideoFrameCallback((now) => { times.picture ??= now; });
  }, true);
"""
PATIENCE: Final = 20_000  # ms for each step


def first_pictures(url: str, calls: int, *, relay: bool) -> list[float]:
    """Return seconds from `matched` to a first picture, sorted: both sides of each call."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        try:
            found: list[float] = []
            for number in range(calls + 1):  # the first loads codecs
                pages = [_window(browser, relay) for _ in range(2)]
                call(pages, url, f"windows {relay} {number}")
                if number:
                    found += [_took(page, relay) for page in pages]
                for page in pages:
                    page.context.close()
            return sorted(found)
        finally:
            browser.close()


def _window(browser: Browser, relay: bool) -> Page:
    context = browser.new_context(permissions=["camera", "microphone"], locale="en-GB")
    context.set_default_timeout(PATIENCE)
    context.add_init_script(WATCH % str(relay).lower())
    return context.new_page()


def call(pages: list[Page], url: str, topic: str) -> None:
    """Run a call from the home page until each side has the other's first picture (`times.picture`)."""
    for page in pages:
        page.goto(url)
        page.fill("#topics", topic)
        page.press("#topics", "Enter")
        page.click("#start-video")
    for page in pages:
        page.click("#ready-go:not([aria-disabled])")
    for page in pages:
        page.wait_for_function("() => globalThis.times.picture")


def _took(page: Page, relay: bool) -> float:
    if page.evaluate("times.relay") is not relay:
        raise AssertionError("the call did not go the way that was asked for")
    return float(page.evaluate("(times.picture - times.matched) / 1000"))
