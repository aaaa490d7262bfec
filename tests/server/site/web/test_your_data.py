"""One's own data, in a real browser without script: seen, downloaded, deleted, taken back, deleted again; then all of it by the rights key alone."""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.server.data.conftest import url
from tests.server.site.web.conftest import Opener, adult, meet
from tests.server.site.web.servers import Server
from tests.server.site.web.test_gallery import AXE, FINDINGS, SIDEWAYS

__all__ = ["url"]
pytestmark = pytest.mark.timeout(180)
SEE = re.compile("See what (is held|this browser's chats left)")  # by a key; by the cookie
SAID = "the herring is ripe"


@pytest.fixture
def kept(url: str, tmp_path: Path) -> Iterator[Server]:
    """A server over each kind of database. One address plays everybody, so that its limits are off."""
    server = Server(tmp_path / "data", SERENDIP_STORE__URL=url, SERENDIP_LIMITS__ENABLED="false")
    yield server
    server.stop()


def report(page: Page) -> None:
    """Report the partner."""
    page.get_by_role("button", name="Report").click()
    page.get_by_role("button", name="Advert, bot or scam").click()
    expect(page.get_by_role("link", name="Read what comes of it")).to_be_visible()


def talked(window: Opener, server: Server) -> tuple[Page, str]:
    """Somebody who chatted, saved, reported and was reported, and the saved chat's address."""
    anna, ben = meet(window, server.url, "herring")
    for who, other, text in ((anna, ben, SAID), (ben, anna, "buy my gold")):
        who.fill("#message", text)
        who.press("#message", "Enter")
        expect(other.locator(".line", has_text=text)).to_be_visible()
    anna.get_by_role("button", name="More").click()
    anna.get_by_role("button", name="Save this chat").click()
    anna.get_by_role("button", name="Save and get the link").click()
    address = anna.locator("#saved-link").input_value()
    anna.get_by_role("button", name="Close").click()
    report(anna)
    report(ben)
    ben.close()
    return anna, address


def press(page: Page, name: str) -> None:
    """A button of the page."""
    page.get_by_role("button", name=name, exact=True).click()


def known(page: Page) -> tuple[dict[str, object], dict[str, bytes]]:
    """What the ZIP holds: know.json, and every file."""
    with page.expect_download() as coming:
        press(page, "Download it (ZIP)")
    with zipfile.ZipFile(io.BytesIO(Path(coming.value.path()).read_bytes())) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    return json.loads(files["know.json"]), files


def shows(page: Page, address: str) -> bool:
    """Whether the saved chat is still shown."""
    return page.request.get(address).status == 200


class Home:
    """Opens the page: by the browser's cookie, or by a rights key in a browser that has none."""

    def __init__(self, server: Server, key: str = "") -> None:
        self._place = server.url + "privacy/request"
        self._key = key

    def __call__(self, page: Page) -> None:
        page.goto(self._place)
        if self._key:
            page.get_by_text("I chatted elsewhere").click()
            page.fill("#proof", self._key)
            press(page, "Go on")
        expect(page.locator("main")).to_contain_text("so you are answered while you wait")


def all_of_it(page: Page, home: Home, address: str) -> None:
    """See, download, delete, take back, delete again."""
    home(page)
    see = page.locator("main button").first
    expect(see).to_have_text(SEE)
    expect(page.locator("#number")).to_be_hidden()
    see.click()
    main = page.locator("main")
    for part in ("chats", "saved_logs", "reports_made", "reports_received"):
        expect(main.locator(f"#part-{part}")).to_contain_text(re.compile(r": 1\b"))
    home(page)
    found, files = known(page)
    assert found["held"]
    assert SAID.encode() in b"".join(files.values())
    assert "README.html" in files
    for go in ("delete", "cancel", "delete again"):
        home(page)
        if go == "cancel":
            press(page, "Take the deletion back")
            expect(main).to_contain_text("Everything is as it was")
            assert shows(page, address)
            continue
        press(page, "Delete")
        expect(page.locator("h1")).to_have_text("Delete what is held about you?")
        assert shows(page, address)
        press(page, "Delete")
        expect(page.locator("h1")).not_to_have_text("Delete what is held about you?")
        assert not shows(page, address)
    home(page)
    page.locator("main button").first.click()
    expect(main.get_by_text("Nothing is held of: ")).to_contain_text("Chats")
    expect(main.locator("#part-chats")).to_have_count(0)


def test_a_person_does_all_of_it_without_script_and_again_by_the_key_alone(kept: Server, window: Opener) -> None:
    anna, address = talked(window, kept)
    anna.goto(kept.url)
    expect(anna.get_by_role("link", name="Your data")).to_have_attribute("href", "/privacy/request")
    cookies = anna.context.cookies()
    anna.close()
    plain = window(java_script_enabled=False, accept_downloads=True)
    plain.context.add_cookies([{k: one[k] for k in ("name", "value", "domain", "path")} for one in cookies])  # type: ignore[misc]
    home = Home(kept)
    home(plain)
    press(plain, "Make a key")
    key = plain.locator(".once").inner_text()
    with plain.expect_download() as coming:
        press(plain, "Save it as a text file")
    assert key in Path(coming.value.path()).read_text()
    all_of_it(plain, home, address)
    home(plain)
    press(plain, "Take the deletion back")
    plain.context.clear_cookies()
    plain.goto(kept.url + "privacy/request")
    expect(plain.locator("main")).to_contain_text("This browser has no cookie of ours")
    elsewhere = window(java_script_enabled=False, accept_downloads=True)
    all_of_it(elsewhere, Home(kept, key), address)
    assert elsewhere.context.cookies() == [], "these pages set none"
    kept.stop()
    kept.start()
    Home(kept, key)(elsewhere)
    press(elsewhere, "How the deletion stands")
    expect(elsewhere.locator("h1")).not_to_have_text("That opens nothing")


@pytest.mark.parametrize("language", ["ar", "ja"])
def test_the_pages_are_axe_clean_and_fit_a_small_screen(server: Server, window: Opener, language: str) -> None:
    page = window(server.url, width=320)
    wrong = []
    for button in ("", "see", "delete", "key", "agent", "object"):
        page.goto(f"{server.url}privacy/request?lang={language}")
        expect(page.locator("html")).to_have_attribute("lang", language)
        if button:
            page.locator(f"form[action^='/privacy/request/{button}?']").evaluate("(form) => form.submit()")
            page.wait_for_url(f"**/{button}?lang={language}")
        page.evaluate(AXE)
        wrong += [f"{button}: {found}" for found in page.evaluate(FINDINGS) + page.evaluate(SIDEWAYS)]
        expect(page.locator("h1")).to_have_count(1)
    assert not wrong


def test_who_forgets_everything_is_shown_the_key_and_the_deletion_before(server: Server, window: Opener) -> None:
    page = adult(window())
    page.goto(server.url)
    page.click("[aria-label=Settings]")
    page.get_by_role("button", name="Forget everything in this browser").click()
    link = page.locator("#forget").get_by_role("link")
    expect(link).to_have_attribute("href", "/privacy/request#key")
    link.click()
    expect(page.locator("h1")).to_have_text("Your data")
