"""Takes the two pictures of the README from the real server, and draws the one that goes with a link to the page (share.png):
`python -m tests.server.site.web.pictures [share]`.

Rule: what the README's show happened; nothing is drawn by hand, and the card is made of the page's own style. They are committed
under docs/pictures/ and server/site/web/icons/.
"""

import base64
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.server.site.web.conftest import ARGUMENTS, CHROMIUM
from tests.server.site.web.servers import ROOT, Server

FOLDER = ROOT / "docs" / "pictures"
SIZE = (1280, 800)
TALK = (
    (0, "hi! sailing AND sourdough? that is suspiciously specific"),
    (0, "where do you sail?"),
    (1, "ha, mostly small dinghies on a lake. nothing heroic"),
    (1, "the sourdough is for when there's no wind"),
    (0, "that's the best reason to bake i've heard"),
    (1, "how old is your starter?"),
    (0, "four years. it has a name but i'm not telling a stranger"),
)


def window(browser: Browser, width: int, height: int, theme: str) -> Page:
    """A window whose person has answered the age question."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        service_workers="block",
        reduced_motion="reduce",
        locale="en-GB",
    )
    context.add_init_script("localStorage.serendip ??= JSON.stringify({adult: true})")
    return context.new_page()


def fill(page: Page, url: str) -> None:
    """Home with two topics in the field."""
    page.goto(url)
    page.fill("#topics", "sailing, sourdough,")


def home(browser: Browser, url: str) -> None:
    """The home page as somebody sees it who comes back."""
    page = window(browser, *SIZE, "light")
    fill(page, url)
    page.evaluate("document.activeElement.blur()")
    page.screenshot(path=FOLDER / "home.png")
    page.context.close()


def chat(browser: Browser, url: str) -> None:
    """Two strangers, two windows, one light and one dark, side by side."""
    pages = [window(browser, 608, 736, theme) for theme in ("light", "dark")]
    for page in pages:
        fill(page, url)
        page.click("#start-text")
    for page in pages:
        expect(page.locator("#message")).to_be_visible()
    for number, (who, text) in enumerate(TALK):
        pages[who].wait_for_timeout(700)  # as people write
        pages[who].fill("#message", text)
        pages[who].press("#message", "Enter")
        for page in pages:
            expect(page.locator(".line")).to_have_count(number + 1)
    pages[1].type("#message", "it is called")
    expect(pages[0].locator(".bar p")).to_have_text("Typing…")
    shots = [base64.b64encode(page.screenshot()).decode() for page in pages]
    sheet = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
    sheet.set_content(
        "<style>body{margin:0;display:flex;gap:24px;padding:32px 20px;background:#dcdad3}"
        "img{border-radius:18px;box-shadow:0 8px 28px rgb(23 32 30/18%)}</style>"
        + "".join(f'<img src="data:image/png;base64,{shot}">' for shot in shots)
    )
    sheet.screenshot(path=FOLDER / "chat.png")


CARD = """
<style>
  body { display: grid; grid-template-columns: 1fr 440px; align-items: center; height: 630px; padding: 0 72px 0 84px; }
  h1 { font-size: 92px; line-height: 1.02; letter-spacing: -.035em; margin: 44px 0 28px; }
  p { font-size: 34px; line-height: 1.35; color: var(--muted); }
  b { font-size: 38px; letter-spacing: -.015em; }
  svg.mark { width: 440px; height: 285px; stroke-width: 1.3; }
</style>
<main><b>Serendip</b><h1>Talk to<br>someone new.</h1><p>No account, no profile.<br>Just a conversation.</p></main>
<svg class="mark" viewBox="0 0 34 22"><path class="lens" d="M17 3.8a8.9 8.9 0 0 1 0 14.4a8.9 8.9 0 0 1 0-14.4Z"/>
<circle class="one" cx="11.75" cy="11" r="8.9"/><circle class="two" cx="22.25" cy="11" r="8.9"/></svg>
"""


def share(browser: Browser, url: str) -> None:
    """What others show beside a link to the page: 1200 x 630, the size that all of them take."""
    context = browser.new_context(viewport={"width": 1200, "height": 630}, bypass_csp=True)
    page = context.new_page()
    page.goto(f"{url}rules")
    page.evaluate("(card) => { document.body.className = ''; document.body.innerHTML = card; }", CARD)
    page.evaluate("document.fonts.ready.then(() => true)")
    page.screenshot(path=ROOT / "server/site/web/icons/share.png")
    context.close()


def main() -> None:
    """All pictures, or the card alone."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        server = Server(Path(data))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            share(browser, server.url)
            if sys.argv[1:] != ["share"]:
                home(browser, server.url)
                chat(browser, server.url)
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    main()
