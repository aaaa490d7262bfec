"""The page in another language: the browser's, or the one that was chosen; the shell, the first words and the rest."""

import pytest
from playwright.sync_api import Page, expect

from server.http.words.catalogue import words
from tests.server.site.web.conftest import Opener, Watch, meet, opened
from tests.server.site.web.servers import Server


def said(language: str) -> dict[str, str]:
    """The sentences of a language that have one form."""
    return {key: word for key, word in words()[language].table.items() if isinstance(word, str)}


GERMAN = said("de")
NAMES = [
    "As the browser",
    "English",
    "العربية",
    "Deutsch",
    "Español",
    "Français",
    "日本語",
    "Norsk bokmål",
    "Português",
    "Русский",
]


def root(page: Page) -> list[str]:
    """Language and direction of the document."""
    found: list[str] = page.evaluate("[document.documentElement.lang, document.documentElement.dir]")
    return found


def test_the_operators_name_stands_in_every_sentence(window: Opener, server: Server) -> None:
    page = window()
    config = page.request.get(f"{server.url}api/config").json()
    page.route("**/api/config", lambda route: route.fulfill(json={**config, "name": "Lantern $&"}))
    page.goto(server.url)
    expect(page.locator(".brand")).to_have_text("Lantern $&")
    assert page.title() == "Lantern $&: talk to someone new"
    page.click("#start-text")
    opened(page, "#age")
    page.click("#age-under")
    expect(page.locator("h1")).to_have_text("Lantern $& is for adults")


def test_the_page_is_read_in_the_browsers_language_and_in_no_other(window: Opener, server: Server) -> None:
    page = window(locale="de-AT")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[-1]))
    page.goto(server.url)
    expect(page.locator("h1")).to_have_text(GERMAN["home.title"])
    assert root(page) == ["de", "ltr"]
    assert page.title() == GERMAN["title.home"]
    page.click(f"[aria-label={GERMAN['settings.title']}]")
    expect(page.locator("#settings")).to_contain_text(GERMAN["settings.keeps"])
    assert "en.json" not in asked
    assert "en-rest.json" not in asked


def test_a_language_is_chosen_in_the_settings_and_stays(window: Opener, server: Server) -> None:
    page = window(server.url)
    page.click("[aria-label=Settings]")
    expect(page.locator("#words option")).to_have_text(NAMES)
    page.select_option("#words", "de")
    expect(page.locator("#settings h2").first).to_have_text(GERMAN["settings.title"])
    expect(page.locator("h1")).to_have_text(GERMAN["home.title"])
    page.reload()
    expect(page.locator("h1")).to_have_text(GERMAN["home.title"])
    expect(page.locator(".foot a").first).to_have_attribute("href", "/rules?lang=de")
    assert root(page) == ["de", "ltr"]
    page.click(f"[aria-label={GERMAN['settings.title']}]")
    page.select_option("#words", "")
    expect(page.locator("h1")).to_have_text("Talk to someone new.")


@pytest.mark.parametrize(
    ("locale", "language", "direction"),
    [("ar-EG", "ar", "rtl"), ("ja-JP", "ja", "ltr"), ("nn-NO", "nb", "ltr"), ("ko-KR", "en", "ltr")],
)
def test_a_whole_chat_in_the_browsers_language(
    window: Opener, server: Server, locale: str, language: str, direction: str
) -> None:
    table = said(language)
    anna, ben = meet(window, server.url, f"words-{language}", locale=locale)
    assert root(anna) == [language, direction]
    expect(anna.locator("#message")).to_have_attribute("placeholder", table["chat.write"])
    anna.fill("#message", "hello 123")
    anna.press("#message", "Enter")
    expect(ben.locator(".line")).to_contain_text("hello 123")
    expect(ben.locator(".line.them .bubble")).to_have_attribute("lang", locale[:2])
    # who reads from the right has their own lines at the left
    box, middle = anna.locator(".line.me .bubble").bounding_box(), 1280 / 2
    assert box is not None
    assert (box["x"] + box["width"] / 2 < middle) == (direction == "rtl")
    anna.keyboard.press("Escape")
    anna.keyboard.press("Escape")
    expect(ben.get_by_text(table["ended.stranger"]).first).to_be_visible()
    expect(ben.get_by_role("button", name=table["ended.meet"])).to_be_visible()


def test_the_words_say_which_way_they_are_read(window: Opener, server: Server) -> None:
    page = window(locale="de-DE")
    page.route("**/words/de.json", lambda route: route.fulfill(json={**words()["de"].table, "direction": "rtl"}))
    page.goto(server.url)
    expect(page.locator("#start-text")).to_be_visible()
    assert root(page) == ["de", "rtl"]


def test_without_script_the_shell_speaks_the_browsers_language(window: Opener, server: Server) -> None:
    page = window(server.url, locale="de-DE", java_script_enabled=False)
    assert page.title() == GERMAN["title.home"]
    assert GERMAN["home.noscript"] in page.locator("noscript").inner_text()


@pytest.mark.parametrize(
    ("locale", "language", "direction"), [("ar-EG", "ar", "rtl"), ("ja-JP", "ja", "ltr"), ("nn-NO", "nb", "ltr")]
)
@pytest.mark.parametrize("path", ["rules", "about", "parents", "offline"])
def test_a_document_is_in_the_browsers_language(
    window: Opener, server: Server, path: str, locale: str, language: str, direction: str
) -> None:
    page = window(f"{server.url}{path}", locale=locale)
    assert root(page) == [language, direction]
    title = {"rules": "home.rules", "about": "about.title", "parents": "page.parents", "offline": "offline.title"}[path]
    expect(page.locator("h1")).to_have_text(said(language)[title])
    answer = page.request.get(f"{server.url}{path}", headers={"Accept-Language": locale})
    assert "Accept-Language" in answer.headers["vary"].split(", ")


def test_a_document_is_read_in_a_chosen_language_which_its_links_keep(window: Opener, server: Server) -> None:
    page = window(f"{server.url}rules", locale="de-DE")
    page.get_by_role("link", name="日本語").click()
    expect(page.locator("h1")).to_have_text(said("ja")["home.rules"])
    page.get_by_role("navigation").get_by_role("link", name=said("ja")["home.about"]).click()
    expect(page.locator("h1")).to_have_text(said("ja")["about.title"])


def test_an_address_that_has_nothing_says_so_in_the_browsers_language_and_to_programs_in_plain_words(
    window: Opener, server: Server, watch: Watch
) -> None:
    watch.quiet = ("status of 404",)
    page = window(f"{server.url}no-such-thing", locale="de-AT")
    expect(page.locator("h1")).to_have_text("Hier ist nichts.")
    assert root(page) == ["de", "ltr"]
    page.get_by_role("link", name="Chat beginnen").click()
    expect(page.locator("#start-text")).to_be_visible()
    for path, status, kind in (("send", 405, "text/plain"), ("api/no-such-thing", 404, "application/json")):
        answer = page.request.get(f"{server.url}{path}", headers={"Accept": "text/html"})
        assert (answer.status, answer.headers["content-type"]) == (status, f"{kind}; charset=utf-8")
