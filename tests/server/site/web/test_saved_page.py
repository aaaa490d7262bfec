"""The page of a saved chat: worth showing to others, and nothing that a stranger wrote can look like a word of ours."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from server.data.chat_logs.chat_log_rendering import context
from server.data.records.transcript import Line, Transcript
from server.http.pages import Pages
from server.http.words.sentence_formatter import said
from tests.server.site.web.conftest import Site, Watch
from tests.server.site.web.test_gallery import AXE, FINDINGS, SIDEWAYS, SMALL
from tests.support.pictures import paper, picture

AT = 1_795_536_309  # 24 November 2026, 16:05:09 UTC
TALK = (
    (0, 0, "hi! sailing AND sourdough? that is suspiciously specific"),
    (0, 8, "where do you sail?"),
    (1, 31, "ha, mostly small dinghies on a lake. nothing heroic"),
    (1, 44, "the sourdough is for when there's no wind"),
    (0, 95, "that's the best reason to bake i've heard"),
    (1, 130, "how old is your starter?"),
    (0, 2190, "four years. it has a name but i'm not telling a stranger"),
)
FACES: dict[int, tuple[tuple[int, str], ...]] = {0: ((0, "wow"), (1, "laugh")), 3: ((0, "heart"),)}  # by line
GOOD = Transcript(
    "text",
    AT,
    tuple(Line(side, AT + after, text, FACES.get(number, ())) for number, (side, after, text) in enumerate(TALK)),
    common=("sailing", "sourdough"),
)
TOWER = "Z" + "\u0336\u0350\u035c" * 400  # signs piled upon signs
FORGED = "Stranger 2 16:06\nSerendip: this page has moved. Write to help@evil.example"
BAD = Transcript(
    "spy",
    AT + 7 * 3600 + 50 * 60,
    tuple(
        Line(side, AT + 7 * 3600 + 50 * 60 + 200 * number, text)
        for number, (side, text) in enumerate(
            (
                (0, TOWER),
                (1, "photo\u202egnp.exe"),
                (0, "\u3164\u3164"),
                (1, FORGED),
                (0, "x\n" * 999 + "x"),
                (1, "\ufdfd" * 120),
                (0, "\u202b\u05e9\u05dc\u05d5\u05dd, 3 \u05de\u05d9\u05dc\u05d9\u05dd"),
                (1, "w" * 2000),
                (1, "<b>Saved chats</b> # A heading\n=========="),
            )
        )
    ),
    cut=True,
    common=(
        TOWER,
        "\u202esdrawkcab",
        "w" * 64,
        ". Serendip says: pay here",
        *(f"topic {number}" for number in range(28)),
    ),
    colleges=("uio.no", ""),
    question=TOWER + " h1: Your account was closed \u202e" + "q" * 300,
    account=True,
)
CHATS = {"good": GOOD, "bad": BAD}


def answering(text: str) -> Callable[[Route], None]:
    """A handler that answers with a document."""
    return lambda route: route.fulfill(body=text, content_type="text/html")


def shown(page: Page, site: Site, chat: Transcript, direction: str = "ltr") -> None:
    """The page of a chat, as the server makes it."""
    text = Pages(site.web.static).text("saved-log.html", path="/log/" + "A" * 22, log=context(chat, said()["en"]))
    page.route("**/log/*", answering(text.replace('dir="ltr"', f'dir="{direction}"', 1)))
    page.goto(f"{site.url}/log/{'A' * 22}")


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", CHATS)
def test_it_is_accessible_in_every_size_theme_and_direction(
    browser: Browser, watch: Watch, site: Site, name: str
) -> None:
    wrong: list[str] = []
    for width, theme, direction in (
        (320, "light", "ltr"),
        (390, "dark", "rtl"),
        (1280, "light", "rtl"),
        (1280, "dark", "ltr"),
    ):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=theme, has_touch=width < 500
        )
        watch.over(context)
        page = context.new_page()
        shown(page, site, CHATS[name], direction)
        page.evaluate("document.fonts.ready.then(() => true)")
        picture(page, f"gallery/saved-{name}-{width}-{theme}-{direction}", whole=True)
        page.evaluate(AXE)
        found = page.evaluate(FINDINGS) + page.evaluate(SIDEWAYS) + page.evaluate(SMALL, 44 if width < 500 else 24)
        wrong += [f"{width} {theme} {direction}: {problem}" for problem in found]
        context.close()
    assert not wrong, "\n".join(wrong)


# Where the letters of a node are painted, as far as they are not clipped by what they stand in.
OUTSIDE = """() => [...document.querySelectorAll('.transcript p, .overlap li, .asked blockquote')].filter((node) => {
  const style = getComputedStyle(node);
  const clips = ['clip', 'hidden', 'auto'];
  return !clips.includes(style.overflowX) || !clips.includes(style.overflowY) || style.unicodeBidi !== 'isolate'
    || style.borderTopWidth === '0px' || node.getBoundingClientRect().height > 60 * 16 + 1;
}).map((node) => node.outerHTML.slice(0, 80))"""
OURS = """() => {
  const copy = document.querySelector('main').cloneNode(true);
  copy.querySelectorAll('.transcript p, .overlap li, .asked blockquote').forEach((node) => node.remove());
  return copy.textContent;
}"""


def test_what_strangers_wrote_stays_in_its_frames(browser: Browser, watch: Watch, site: Site) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800})
    watch.over(context)
    page = context.new_page()
    shown(page, site, BAD)
    assert page.evaluate(OUTSIDE) == []
    ours = page.evaluate(OURS)
    for theirs in ("Serendip", "account", "evil", "topic", "\u0336", "drawkcab", "www"):
        assert theirs not in ours
    assert not any(turning in page.content() for turning in "\u202e\u202b")
    expect(page.locator(".transcript .blank")).to_have_text("Only invisible characters")
    expect(page.get_by_role("heading")).to_have_text(
        ["A chat between two strangers", "They both liked", "The question that somebody asked"]
    )
    assert page.locator(".transcript .day").all_text_contents() == ["25 November 2026"]
    flood = page.locator(".transcript p.long").nth(1)
    flood.focus()
    page.keyboard.press("End")
    page.wait_for_function("(node) => node.scrollTop > 1000", arg=flood.element_handle())
    context.close()


PAPER = "() => getComputedStyle(document.documentElement).backgroundColor"


@pytest.mark.parametrize("chosen", ["", "dark"])
def test_on_paper_it_is_the_text_alone_and_light(browser: Browser, watch: Watch, site: Site, chosen: str) -> None:
    context = browser.new_context(viewport={"width": 794, "height": 1123}, color_scheme="dark")
    watch.over(context)
    context.add_init_script(f"try {{ localStorage.serendip = JSON.stringify({{theme: '{chosen}'}}) }} catch {{}}")
    page = context.new_page()
    for name, chat in CHATS.items():
        shown(page, site, chat)
        page.emulate_media(media="print", color_scheme="dark")
        picture(page, f"gallery/saved-{name}-print{chosen}", whole=True)
        for hidden in ("header .button", "footer", "#share", ".skip"):
            expect(page.locator(hidden)).to_be_hidden()
        expect(page.get_by_role("link", name="Plain text")).to_be_hidden()
        expect(page.locator(".brand")).to_be_visible()
        assert page.evaluate(PAPER) == "rgb(245, 244, 240)"
        paper(page, f"gallery/saved-{name}")
    context.close()


SHARES = "navigator.share = (told) => { globalThis.shared = told; return Promise.resolve(); };"
COPIES = """delete Navigator.prototype.share;
Object.defineProperty(navigator, 'clipboard', { value: { writeText: (text) => { globalThis.copied = text; return Promise.resolve(); } } });"""


def test_its_link_is_shared_or_copied_without_what_was_asked_of_it(browser: Browser, watch: Watch, site: Site) -> None:
    link = f"{site.url}/log/{'A' * 22}"
    for how in (SHARES, COPIES):
        context = browser.new_context()
        watch.over(context)
        context.add_init_script(how)
        page = context.new_page()
        shown(page, site, GOOD)
        page.get_by_role("button", name="Share this page").click()
        if how is SHARES:
            assert page.evaluate("shared") == {"title": "A chat between two strangers: Serendip", "url": link}
        else:
            expect(page.locator("#share")).to_have_text("The link is copied")
            assert page.evaluate("copied") == link
        context.close()


def test_without_script_it_is_whole_and_has_no_button_that_does_nothing(browser: Browser, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    shown(page, site, GOOD)
    expect(page.locator("#share")).to_be_hidden()
    expect(page.locator(".transcript p")).to_have_count(len(TALK))
    expect(page.get_by_role("link", name="Ask for removal")).to_be_visible()
    context.close()
