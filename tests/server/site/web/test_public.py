"""Pages for everybody in a real browser: without a script, by keyboard, in both themes, at two sizes; axe finds nothing."""

import json
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Route, expect

from server.data.privacy.registry import REGISTRY
from server.data.statement.current_statement import PublishedStatement
from server.data.statement.term_translations import SAID
from server.data.statistics.published_statistics import month as use
from server.data.statistics.statistics_page import tables as of_use
from server.http.pages import Pages
from server.http.words.sentence_formatter import said
from server.ops.config.settings import Settings
from server.trust.moderation_protocol import NoticeForm
from server.trust.publication.figure_tables import tables
from server.trust.publication.monthly_figures import month
from tests.server.site.web.conftest import CONFIG, Site, Watch
from tests.server.site.web.servers import Server
from tests.server.site.web.test_gallery import AXE, FINDINGS, SIDEWAYS, SMALL, WRONG
from tests.support.pictures import picture

MONTH = month("2026-10", {
    "report/acted/spam": 120, "report/acted/hate": 30, "report/acted/threat": 14, "report/none/spam": 44, "report/none/other": 25,
    "report/aged/other": 11, "decision/person/nothing": 60, "decision/person/R5/7 days": 41, "decision/person/R4/a day": 22,
    "decided/14400": 60, "decided/86400": 40, "appeal/upheld/person": 14, "answered/86400": 18, "lifted": 2, "operators": 3,
})  # fmt: skip


LEDGER = {"day": "1 November 2026", "hash": "5f" * 32}
USE = use("2026-10", {
    **{f"hour/{kind}/{hour:02}/text": 31 * (40 if hour > 17 else 3) for kind in ("weekday", "weekend") for hour in range(24)},
    "length/60": 31 * 300, "length/0": 31 * 40, "ending/left": 31 * 400, "ending/lost": 31 * 20, "language/en": 31 * 400, "language/ar": 31 * 30,
}, 0)  # fmt: skip


class Operator:
    """Whom to write to."""

    email, address = "desk@chat.example", "Street 1, Town"


SETTLED = "document.getAnimations().forEach((moving) => moving.finish())"  # transitions are at their ends
ABOUT = {"operator": Operator, "moderated": False, "puzzle": ""}
RECEIPT = {"at": "3 October 2026", "closed": "4 October 2026", "answer": ""}
SENT = NoticeForm("log", "", "Somebody sells passports here.", "me@example.org")
STATES = {
    "parents": ("parents.html", {"labelled": True, "screened": True}),
    "notice": ("notice.html", {**ABOUT, "state": "ask", "written": NoticeForm("child", "", "", ""), "problems": {}}),
    "notice-wrong": (
        "notice.html",
        {**ABOUT, "state": "ask", "written": SENT, "problems": {"about": "Say which chat.", "kind": "Choose."}},
    ),
    "notice-full": ("notice.html", {**ABOUT, "state": "full", "written": SENT, "problems": {}}),
    "notice-open": ("notice-receipt.html", {**ABOUT, **RECEIPT, "state": "open"}),
    "notice-acted": ("notice-receipt.html", {**ABOUT, **RECEIPT, "state": "acted", "answer": "Thank you. It is gone."}),
    "statistics": (
        "statistics.html",
        {"state": "", "months": [(name, of_use(USE, said()["en"])) for name in ("October", "May")]},
    ),
    "transparency": (
        "transparency.html",
        {"state": "", "ledger": LEDGER, "months": [("October 2026", tables(MONTH, said()["en"]))]},
    ),
}


BAN = {
    "measure": "ban", "rule": "R5", "said": "buy gold elsewhere", "length": "7", "until": "3", "network": True, "running": True,
    "warning": False, "appealed": "", "answer": "", "again": "", "empty": True, "path": "/appeal/x", "state": "found", "found": "", "young": "",
}  # fmt: skip


def elsewhere(language: str) -> dict[str, tuple[str, dict[str, object]]]:
    """Documents as somebody of a language reads them: what each is made by."""
    t, published = said()[language], PublishedStatement(Settings.model_validate({"mail": {"host": "m"}}))
    reader = {"t": t, "query": f"?lang={language}"}
    statement = {
        "doc": published.answer(published.version, language),
        "say": SAID[language],
        "heading": REGISTRY.heading,
        "current": True,
        "rights": True,
    }
    until = {"since": t.day(0), "until": t.day(7 * 86_400), "length": t.span(7 * 86_400)}
    return {
        "statement": ("privacy.html", {**reader, **statement}),
        "statistics": ("statistics.html", {**reader, "state": "", "months": [(t.month("2026-10"), of_use(USE, t))]}),
        "appeal": ("appeal.html", {**reader, **BAN, **until}),
        "report": ("report.html", {**reader, "state": "none", "at": t.day(0), "closed": t.day(0), "moderated": True}),
        "transparency": (
            "transparency.html",
            {**reader, "state": "", "ledger": LEDGER, "months": [(t.month("2026-10"), tables(MONTH, t))]},
        ),
    }


@pytest.mark.timeout(120)
@pytest.mark.parametrize("language", ["ar", "ja"])
def test_documents_are_accessible_and_fit_a_small_screen_in_other_scripts(
    browser: Browser, watch: Watch, site: Site, language: str
) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True)
    watch.over(context)
    page, pages, wrong = context.new_page(), Pages(site.web.static), []
    for name, (template, values) in elsewhere(language).items():
        page.route("**/public", answering(pages.text(template, **values)))
        page.goto(f"{site.url}/public")
        expect(page.locator("html")).to_have_attribute("dir", said()[language].direction)
        page.evaluate(AXE)
        page.evaluate(SETTLED)
        picture(page, f"gallery/{name}-{language}-360")
        wrong += [f"{name}: {found}" for found in page.evaluate(FINDINGS) + page.evaluate(SIDEWAYS)]
        page.unroute("**/public")
    context.close()
    assert not wrong


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that keeps."""
    server = Server(tmp_path_factory.mktemp("public"))
    yield server
    server.stop()


def answering(text: str, kind: str = "text/html") -> Callable[[Route], None]:
    """A handler that answers with a document."""
    return lambda route: route.fulfill(body=text, content_type=kind)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("width", [390, 1280])
def test_each_page_is_accessible_and_keeps_its_picture_in_both_themes(
    browser: Browser, watch: Watch, site: Site, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 844}, has_touch=width < 500)
    watch.over(context)
    page = context.new_page()
    pages, wrong = Pages(site.web.static), []
    for name, (template, values) in STATES.items():
        text = pages.text(template, **values)
        page.route("**/public", answering(text))
        page.goto(f"{site.url}/public")
        page.evaluate(AXE)
        page.emulate_media(color_scheme="dark")  # which changes colours alone
        page.evaluate(SETTLED)
        picture(page, f"gallery/{name}-{width}-dark", whole=True)
        wrong += [f"{name}, dark: {found}" for found in page.evaluate(WRONG, [0, True])]
        page.emulate_media(color_scheme="light")
        page.evaluate(SETTLED)  # else a button is looked at half way from one colour to the other
        picture(page, f"gallery/{name}-{width}-light", whole=True)
        wrong += [f"{name}: {found}" for found in page.evaluate(FINDINGS)]
        small = page.evaluate(SMALL, 44 if width < 500 else 24)
        wrong += [f"{name}: too small: {found}" for found in small if 'type="radio"' not in found]  # its label reacts
        wrong += [
            f"{name}: a label of {box['height']} px"
            for label in page.locator("label.radio").all()
            if (box := label.bounding_box()) and box["height"] < 44
        ]
        if page.evaluate("document.scrollingElement.scrollWidth > innerWidth + 1"):
            wrong.append(f"{name}: scrolls sideways")
        page.unroute("**/public")
    context.close()
    assert not wrong, "\n".join(wrong)


def test_a_notice_is_told_of_in_the_language_in_which_it_was_written(
    browser: Browser, watch: Watch, public: Server
) -> None:
    context = browser.new_context(locale="ar-EG")
    watch.over(context)
    page = context.new_page()
    arabic = said()["ar"]
    page.goto(f"{public.url}parents")
    page.get_by_role("link", name=arabic.text("parents.tell.go")).click()
    expect(page.get_by_label(arabic.text("notice.kind.child"))).to_be_checked()
    page.get_by_label(arabic.text("notice.words"), exact=True).fill("words")
    page.get_by_label(arabic.text("notice.about"), exact=True).fill("today")
    page.get_by_role("button", name=arabic.text("notice.send")).click()
    expect(page.locator("h1")).to_have_text(arabic.text("notice.yours"))
    assert page.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["ar", "rtl"]
    context.close()


def test_a_notice_is_sent_by_keyboard_without_a_script(browser: Browser, watch: Watch, public: Server) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{public.url}parents")
    page.get_by_role("link", name="Tell us about a child").press("Enter")
    expect(page.get_by_label("A child or young person who uses this server")).to_be_checked()
    page.get_by_label("A child or young person who uses this server").press("ArrowDown")
    expect(page.get_by_label("Something else")).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.type("Yesterday, about six in the evening")
    page.keyboard.press("Tab")
    page.keyboard.type("Somebody sells passports.")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your notice")
    expect(page.locator("main")).to_contain_text("Keep the address of this page")
    assert "/notice/" in page.url
    context.close()


def test_the_home_page_says_when_people_are_here_in_the_reader_s_own_time(
    browser: Browser, watch: Watch, public: Server
) -> None:
    context = browser.new_context(locale="de-DE", timezone_id="Asia/Kolkata")
    watch.over(context)
    page = context.new_page()
    for hours, words in (([18, 22], "zwischen 23:30 und 03:30, deiner Zeit"), (None, "")):
        config = json.dumps(CONFIG | ({"hours": hours} if hours else {}))
        page.route("**/api/config", answering(config, "application/json"))
        page.goto(public.url)
        expect(page.locator(".foot nav")).to_be_visible()
        expect(page.locator(".foot")).to_contain_text(words)
        assert page.get_by_text("Die meisten Chats").count() == (1 if hours else 0)
        page.unroute("**/api/config")
    context.close()
