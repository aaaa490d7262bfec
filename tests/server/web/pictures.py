"""Takes the two pictures of the README from the real server: `python -m tests.server.web.pictures`.

Rule: what they show happened; nothing is drawn by hand. They are committed under docs/pictures/.
"""

import base64
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.server.web.conftest import ARGUMENTS
from tests.server.web.servers import ROOT, Server

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
        pages[who].wait_for_timeout(700)  # as people write, and slower than the page's guard against floods
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


def main() -> None:
    """Both pictures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        server = Server(Path(data))
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        try:
            home(browser, server.url)
            chat(browser, server.url)
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    main()
