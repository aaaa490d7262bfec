"""A line in another language: by the browser's own translator, by LibreTranslate, and by nobody.

Chromium without a head has a translator, and no model for it that it could fetch, so a test puts another in its place before the page loads:
the page's own code runs against it. One test has the browser's own.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.server.site.web.conftest import Opener, Watch, keep, lines
from tests.server.site.web.servers import Server
from tests.support.libretranslate import LibreTranslate
from tests.support.pictures import picture

# What the specification says of the two, as far as a page can see it; a model that is not here is fetched for a press alone, in two steps.
BROWSERS = """
globalThis.made = {translators: 0, texts: [], models: new Set(%s)};
const table = {'Wie geht es dir?': {en: 'How are you?', ar: 'كيف حالك؟'}, 'Und dir?': {en: 'And you?'}};
const monitored = async ({monitor}) => {
  if (!monitor) return;
  const target = new EventTarget();
  monitor(target);
  for (const loaded of [0, 0.5, 1]) {
    target.dispatchEvent(Object.assign(new Event('downloadprogress'), {loaded}));
    await new Promise((done) => globalThis.step ? (globalThis.go = done) : done());
  }
};
globalThis.Translator = class Translator {
  static async availability({sourceLanguage, targetLanguage}) {
    const pair = `${sourceLanguage} ${targetLanguage}`;
    if (made.models.has(pair)) return 'available';
    return ['de en', 'de ar'].includes(pair) ? 'downloadable' : 'unavailable';
  }
  static async create(options) {
    const pair = `${options.sourceLanguage} ${options.targetLanguage}`;
    if (!made.models.has(pair)) {
      if (!navigator.userActivation.isActive) throw new DOMException('no press', 'NotAllowedError');
      await monitored(options);
      made.models.add(pair);
    }
    made.translators += 1;
    const one = new Translator();
    one.target = options.targetLanguage;
    return one;
  }
  async translate(text) {
    made.texts.push(text);
    return table[text]?.[this.target] ?? text.split('').reverse().join('');
  }
};
globalThis.LanguageDetector = class LanguageDetector {
  static async availability() { return 'available'; }
  static async create() { return new LanguageDetector(); }
  async detect(text) {
    return [{detectedLanguage: /\\b(how|and|hello)\\b/i.test(text) ? 'en' : 'de', confidence: text.length > 4 ? 0.9 : 0.1}];
  }
};
"""
ALL = '["de en", "de ar"]'
SILENT = "globalThis.Translator = {availability: async () => 'downloadable'}; delete globalThis.LanguageDetector;"
NONE = "delete globalThis.Translator; delete globalThis.LanguageDetector;"  # as in Firefox and Safari


@pytest.fixture(scope="module")
def theirs() -> Iterator[LibreTranslate]:
    """LibreTranslate."""
    server = LibreTranslate()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def translating(theirs: LibreTranslate, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has one."""
    server = Server(tmp_path_factory.mktemp("data"), SERENDIP_TRANSLATION__URL=theirs.url)
    yield server
    server.stop()


def pair(window: Opener, url: str, script: str = "", locale: str = "en-GB", **more: int) -> tuple[Page, Page]:
    """Somebody who takes any language and reads English, or that of `locale`, and somebody who chats in German."""
    me, other = window(locale=locale, **more), window(locale="de-DE")
    keep(me, adult=True, language="*")
    keep(other, adult=True, language="de")
    if script:
        me.add_init_script(script)
    for page in (other, me):
        page.goto(url)
        page.click("#start-text")
    for page in (other, me):
        expect(page.locator("#message")).to_be_visible()
    return me, other


def say(page: Page, *texts: str) -> None:
    for text in texts:
        page.fill("#message", text)
        page.press("#message", "Enter")
        expect(page.locator(".line.me").last).to_have_attribute("data-state", "sent")


def test_the_browser_translates_a_line_and_the_original_is_a_press_away(window: Opener, server: Server) -> None:
    me, other = pair(window, server.url, BROWSERS % ALL)
    asked: list[str] = []
    me.on("request", lambda request: asked.append(request.url))
    say(other, "Wie geht es dir?")
    bubble, press = me.locator(".line.them .bubble"), me.locator("button.translate")
    expect(bubble).to_have_attribute("lang", "de")
    expect(press).to_have_text("Translate")
    press.focus()
    me.keyboard.press("Enter")
    expect(bubble).to_have_text("How are you?")
    assert [bubble.get_attribute(name) for name in ("lang", "dir")] == ["en", "ltr"]
    expect(me.locator(".translated span")).to_have_text("Translated from German")
    expect(press).to_be_focused()
    me.keyboard.press("Enter")
    expect(bubble).to_have_text("Wie geht es dir?")
    assert [bubble.get_attribute(name) for name in ("lang", "dir")] == ["de", "auto"]
    expect(press).to_have_text("Show the translation")
    me.keyboard.press("Enter")
    expect(bubble).to_have_text("How are you?")
    assert not [url for url in asked if "translate" in url.rpartition("/")[2] and ".js" not in url]
    assert not me.evaluate("JSON.stringify([localStorage, sessionStorage]).includes('How are you')")
    say(me, "gut")
    expect(other.locator("button.translate")).to_have_count(1)  # of this one it is known that they write English


def test_a_model_is_fetched_with_its_progress_told(window: Opener, server: Server) -> None:
    me, other = pair(window, server.url, "globalThis.step = true;" + BROWSERS % "[]")
    say(other, "Wie geht es dir?")
    me.click("button.translate")
    for percent in ("0", "50", "100"):
        expect(me.locator(".translated span")).to_have_text(f"Getting the language: {percent} %")
        expect(me.locator("button.translate")).to_have_attribute("aria-disabled", "true")
        me.evaluate("go()")
    expect(me.locator(".line.them .bubble")).to_have_text("How are you?")
    assert me.evaluate("made.translators") == 1


def test_all_of_a_chat_is_asked_once_and_holds_for_that_chat(window: Opener, server: Server) -> None:
    me, other = pair(window, server.url, BROWSERS % ALL)
    say(other, "Wie geht es dir?", "Und dir?")
    me.locator("button.translate").first.click()
    expect(me.locator(".every")).to_have_count(1)
    me.click(".every button >> nth=0")
    expect(me.locator("button.translate").first).to_be_focused()
    expect(me.locator(".every")).to_have_count(0)
    expect(me.locator(".line.them .bubble").last).to_have_text("And you?")
    say(other, "Guten Tag")
    expect(me.locator(".line.them .bubble").last).to_have_text("gaT netuG")
    assert me.evaluate("made.translators") == 1
    me.click("[aria-label=More]")
    expect(me.locator("#every")).to_have_attribute("aria-checked", "true")
    me.click("#every")
    me.keyboard.press("Escape")
    say(other, "Bis bald")
    expect(me.locator(".line.them .bubble").last).to_have_text("Bis bald")
    expect(me.locator(".every")).to_have_count(0)


def test_what_is_in_ones_own_language_already_is_said_so(window: Opener, server: Server) -> None:
    me, other = pair(window, server.url, BROWSERS % ALL)
    say(other, "and how are you?")
    me.click("button.translate")
    expect(me.locator(".translated span")).to_have_text("This is in your language.")
    expect(me.locator("button.translate")).to_be_focused()
    expect(me.locator(".line.them .bubble")).to_have_text("and how are you?")


def test_what_was_quoted_stays_as_it_was_said(window: Opener, server: Server) -> None:
    me, other = pair(window, server.url, BROWSERS % ALL)
    say(me, "how are you?")
    say(other, "> how are you?\nUnd dir?")
    me.click("button.translate")
    bubble = me.locator(".line.them .bubble")
    expect(bubble).to_contain_text("And you?")
    expect(bubble.locator("blockquote")).to_have_text("how are you?")
    assert me.evaluate("made.texts") == ["Und dir?"]


def test_without_a_translator_of_its_own_the_browser_asks_the_server(
    window: Opener, translating: Server, theirs: LibreTranslate
) -> None:
    me, other = pair(window, translating.url, NONE, locale="ar-EG", width=360, height=740)
    say(other, "Wie geht es dir?")
    me.click("button.translate")
    bubble = me.locator(".line.them .bubble")
    expect(bubble).to_have_text("كيف حالك؟")
    assert [bubble.get_attribute(name) for name in ("lang", "dir")] == ["ar", "rtl"]
    assert theirs.asked[-1] == {"q": "Wie geht es dir?", "source": "de", "target": "ar", "format": "text"}
    picture(me, "gallery/translated-ar-360")


def test_a_pair_that_the_browser_does_not_have_is_asked_of_the_server(
    window: Opener, translating: Server, theirs: LibreTranslate
) -> None:
    me, other = pair(window, translating.url, BROWSERS % ALL, locale="fr-FR")
    say(other, "Wie geht es dir?")
    me.click("button.translate")
    expect(me.locator(".line.them .bubble")).to_have_text("?rid se theg eiW")
    assert theirs.asked[-1]["target"] == "fr"


@pytest.mark.parametrize("never", ["availability", "create"])
def test_where_nothing_is_heard_of_the_browsers_own_the_server_is_asked(
    never: str, window: Opener, translating: Server, theirs: LibreTranslate
) -> None:
    me, other = pair(window, translating.url, f"{SILENT} Translator.{never} = () => new Promise(() => {{}});")
    say(other, "Wie geht es dir?")
    me.click("button.translate")
    expect(me.locator(".line.them .bubble")).to_have_text("How are you?", timeout=30_000)
    assert theirs.asked[-1]["target"] == "en"
    say(other, "Und dir?")
    me.locator("button.translate").last.click()
    expect(me.locator(".line.them .bubble").last).to_have_text("?rid dnU", timeout=5_000)  # it is not waited for again


def test_what_fails_is_said_and_a_press_tries_again(
    window: Opener, watch: Watch, translating: Server, theirs: LibreTranslate
) -> None:
    watch.quiet = ("503",)  # a browser says it of each such answer
    me, other = pair(window, translating.url, NONE)
    say(other, "Wie geht es dir?")
    theirs.wrong = 500, b""
    try:
        me.click("button.translate")
        expect(me.locator(".translated span")).to_have_text("No translation just now.")
    finally:
        theirs.wrong = None
    me.click("button.translate")
    expect(me.locator(".line.them .bubble")).to_have_text("How are you?")


def test_without_either_there_is_nothing_to_press(window: Opener, server: Server) -> None:
    me, other = pair(window, server.url, NONE)
    say(other, "Wie geht es dir?")
    expect(me.locator(".line.them .bubble")).to_have_text("Wie geht es dir?")
    expect(me.locator("button.translate")).to_have_count(0)


def test_a_saved_log_and_a_copy_keep_the_original_only(window: Opener, server: Server) -> None:
    me, other = pair(window, server.url, BROWSERS % ALL)
    say(other, "Wie geht es dir?")
    me.click("button.translate")
    expect(me.locator(".line.them .bubble")).to_have_text("How are you?")
    say(me, "gut")
    me.evaluate("navigator.clipboard.writeText = async (text) => { globalThis.copied = text }")
    me.click("[aria-label=More]")
    me.get_by_role("button", name="Copy the text").click()
    assert "Wie geht es dir?" in me.evaluate("copied")
    assert "How are you?" not in me.evaluate("copied")
    me.get_by_role("button", name="Save this chat").click()
    me.get_by_role("button", name="Save and get the link").click()
    address = me.locator("#save input").first.input_value()
    other.goto(address)
    expect(other.locator("body")).to_contain_text("Wie geht es dir?")
    expect(other.locator("body")).not_to_contain_text("How are you?")


def test_each_of_two_of_any_language_learns_what_the_other_writes(window: Opener, server: Server) -> None:
    me, other = window(locale="en-GB"), window(locale="ja-JP")
    for page in (me, other):
        keep(page, adult=True, language="*")
        page.add_init_script(BROWSERS % ALL)
        page.goto(server.url)
        page.click("#start-text")
    expect(me.locator(".card")).to_contain_text("Japanese")
    say(other, "こんにちは")
    expect(me.locator(".line.them .bubble")).to_have_attribute("lang", "ja")
    assert len(lines(me)) == 1
