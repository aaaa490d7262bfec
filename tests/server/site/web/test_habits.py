"""What people do by habit: paste a list, go back, scroll, look at the bar, press Escape. None of it costs them anything."""

import pytest
from playwright.sync_api import Page, expect

from tests.server.site.web.conftest import Opener, Watch, adult, hold, meet, opened
from tests.server.site.web.servers import Server
from tests.support.pictures import picture

PASTE = """([selector, text]) => {
  const data = new DataTransfer();
  data.setData('text', text);
  document.querySelector(selector).dispatchEvent(
    new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}));
}"""

STEP = "() => history.state?.room"  # what makes it one comes behind the first picture


def back(page: Page) -> None:
    """Go a step back once the room is one.

    The page's script asks for it, behind its step on the same pipe: the browser's process may not know of the step yet, and its own button
    would have nothing to go back to.
    """
    page.wait_for_function(STEP)
    page.evaluate("history.back()")


def home(window: Opener, url: str, **more: object) -> Page:
    """An adult's home."""
    page = adult(window(**more))
    page.goto(url)
    expect(page.locator("#start-text")).to_be_visible()
    return page


def test_a_pasted_list_becomes_its_topics_and_one_that_is_too_long_stays_to_be_shortened(
    window: Opener, server: Server
) -> None:
    page = home(window, server.url)
    page.evaluate(PASTE, ["#topics", "chess\r\ngo\tshogi\nbackgammon, " + "x" * 70])
    expect(page.locator(".tag")).to_have_text(["chess", "go", "shogi", "backgammon"])
    expect(page.locator("#topics")).to_have_value("x" * 70)
    page.click("#start-text")
    expect(page.locator("#topics-hint")).to_have_text("A bit long. 64 characters at most.")
    page.fill("#topics", "x" * 60)
    page.click("#start-text")
    expect(page.locator(".waiting .sub")).to_contain_text("x" * 60)


def test_going_back_before_all_of_the_page_is_here_leaves_neither_the_search_nor_the_site(
    window: Opener, server: Server, watch: Watch
) -> None:
    watch.quiet = ("Failed to load resource",)
    page = adult(window())
    page.route("**/second.js", lambda route: route.abort())
    page.goto(server.url)
    page.fill("#topics", "not here yet,")
    page.click("#start-text")
    expect(page.locator(".waiting")).to_be_visible()
    page.wait_for_function(STEP)
    # the step is taken back and, by the next word of the search, made again: who only looks may miss that
    page.evaluate(
        "new Promise((gone) => { addEventListener('popstate', () => gone(), { once: true }); history.back(); })"
    )
    assert page.url == server.url
    expect(page.locator(".waiting")).to_be_visible()


def test_going_back_stops_a_search_and_asks_before_it_leaves_a_chat(window: Opener, server: Server) -> None:
    page = home(window, server.url)
    page.fill("#topics", "nobody has this one,")
    page.click("#start-text")
    expect(page.locator(".waiting")).to_be_visible()
    back(page)
    expect(page.locator("#start-text")).to_be_visible()
    assert page.url == server.url
    anna, ben = meet(window, server.url, "going back")
    back(anna)
    expect(anna.locator(".leave")).to_contain_text("Sure?")
    expect(anna.locator("#message")).to_be_visible()
    ben.fill("#message", "still there?")
    ben.press("#message", "Enter")
    expect(anna.locator(".bubble")).to_have_text("still there?")


def test_who_stops_begins_and_stops_again_at_once_is_still_on_the_page(window: Opener, server: Server) -> None:
    page = home(window, server.url)
    page.fill("#topics", "nobody has this one either,")
    page.click("#start-text")
    page.wait_for_function(STEP)
    # as fast as no hand is on a quick machine: a step back in the history takes its time
    page.evaluate("""async () => {
      const store = await import(document.querySelector('script[type=module]').src.replace('app.js', 'store.js'));
      const arrived = new Promise((gone) => { addEventListener('popstate', () => gone(), { once: true }); });
      for (const type of ['stop', 'start', 'stop']) store.send(type, { mode: 'text' });
      await arrived;
    }""")
    page.click("#start-text")
    expect(page.locator(".waiting")).to_be_visible()
    back(page)
    expect(page.locator("#start-text")).to_be_visible()
    assert page.url == server.url


def test_a_search_that_is_stopped_before_all_of_the_page_is_here_leaves_no_step_behind(
    window: Opener, server: Server
) -> None:
    page = adult(window())
    held = hold(page, "**/second.js")
    page.goto(server.url)
    page.fill("#topics", "stopped early,")
    page.click("#start-text")
    page.wait_for_function(STEP)
    page.click(".waiting .other")
    expect(page.locator("#start-text")).to_be_visible()
    for route in held:
        route.continue_()
    page.wait_for_function("() => !history.state?.room")


def test_the_bar_does_not_say_connected_while_the_browser_is_offline(
    window: Opener, server: Server, watch: Watch
) -> None:
    watch.quiet = ("WebSocket connection to", "Failed to load resource", "net::ERR_")
    anna, _ = meet(window, server.url, "offline bar", width=390, height=740)
    expect(anna.locator(".bar p")).to_have_text("Connected")
    anna.context.set_offline(True)
    expect(anna.locator(".bar p")).to_have_text("Not connected")
    anna.context.set_offline(False)
    expect(anna.locator(".bar p")).to_have_text("Connected")


def test_a_refusal_of_video_is_seen_by_who_has_scrolled_down(window: Opener, server: Server) -> None:
    page = adult(window(width=320, height=480, has_touch=True))
    page.add_init_script("delete globalThis.RTCPeerConnection")
    page.goto(server.url)
    page.locator(".foot").scroll_into_view_if_needed()
    page.locator("#start-video").dispatch_event("click")  # where it is on the screen is not what is tested
    expect(page.locator(".banner")).to_be_in_viewport(ratio=1)
    picture(page, "gallery/video-cannot-320")


def test_a_browser_without_a_word_for_whole_text_can_speak(window: Opener, server: Server) -> None:
    anna, ben = adult(window()), adult(window())
    anna.add_init_script("delete String.prototype.toWellFormed; delete String.prototype.isWellFormed")
    for page in (anna, ben):
        page.goto(server.url)
        page.fill("#topics", "older browsers,")
        page.click("#start-text")
    expect(anna.locator("#message")).to_be_visible()
    anna.evaluate("document.querySelector('#message').value = 'half \\ud83d of it'")
    anna.press("#message", "Enter")
    expect(ben.locator(".bubble")).to_have_text("half \ufffd of it")


@pytest.mark.parametrize(("width", "theme"), [(320, "dark"), (1280, "light")])
def test_a_report_with_a_note_shows_which_reason_is_chosen(
    window: Opener, server: Server, width: int, theme: str
) -> None:
    anna, _ = meet(window, server.url, f"note {width}", width=width, height=740, color_scheme=theme)
    anna.get_by_role("button", name="Report").click()
    anna.get_by_role("button", name="Add a note first").click()
    chosen = anna.get_by_role("radio", name="Advert, bot or scam")
    chosen.click()
    expect(chosen).to_have_attribute("aria-checked", "true")
    aligned = "(node) => getComputedStyle(node).justifyContent"
    assert anna.get_by_role("button", name="Send report").evaluate(aligned) == "center"
    picture(anna, f"gallery/report-note-{width}")


def test_a_press_on_the_words_of_a_switch_turns_it(window: Opener, server: Server) -> None:
    page = home(window, server.url)
    page.click("[aria-label=Settings]")
    switch = page.locator("#auto")
    for words, on in ((page.get_by_text("Go on by itself"), "true"), (page.locator("#auto-more"), "false")):
        words.click()
        expect(switch).to_have_attribute("aria-checked", on)
    expect(page.get_by_role("switch", name="Go on by itself", exact=True)).to_have_count(1)


def test_titles_say_where_one_is(window: Opener, server: Server) -> None:
    page = home(window, server.url, permissions=["camera", "microphone"])
    page.click("#start-video")
    expect(page).to_have_title("Check your picture: Serendip")
    page.keyboard.press("Escape")
    expect(page).to_have_title("Serendip: talk to someone new")


def test_who_reloads_is_not_told_to_have_been_away(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "read before")
    ben.fill("#message", "read before")
    ben.press("#message", "Enter")
    expect(anna.locator(".bubble")).to_have_text("read before")
    anna.reload()
    expect(anna.locator(".bubble")).to_have_text("read before")
    expect(anna.locator(".divider")).to_have_count(0)


GROUND = "() => getComputedStyle(document.documentElement).backgroundColor"
STYLED = "() => getComputedStyle(document.documentElement).backgroundColor !== 'rgba(0, 0, 0, 0)'"
DARK, LIGHT = "rgb(15, 20, 19)", "rgb(245, 244, 240)"


def ground(page: Page) -> str:
    """The first ground that is painted: a document has its text before its style sheet, and is not painted until that is there."""
    page.wait_for_function(STYLED)
    return str(page.evaluate(GROUND))


def test_the_chosen_theme_and_size_go_along_to_the_documents_and_no_other_is_painted_first(
    window: Opener, server: Server
) -> None:
    page = home(window, server.url, color_scheme="light")
    page.click("[aria-label=Settings]")
    page.select_option("#theme", "dark")
    page.select_option("#size", "130")
    opened(page, "#settings")
    page.keyboard.press("Escape")
    size = page.evaluate("getComputedStyle(document.documentElement).fontSize")
    page.get_by_role("link", name="Rules").click()
    expect(page.locator("h1")).to_have_text("Rules")
    assert ground(page) == DARK
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == size == "20.8px"
    picture(page, "gallery/document-rules-chosen")
    page.route("**/app.js", lambda route: None)  # the modules never come: what is there is the shell
    page.goto(server.url, wait_until="commit")
    expect(page.get_by_role("heading")).to_have_text("Serendip")
    assert ground(page) == DARK
    page.unroute_all()
    page.goto(server.url)
    page.click("[aria-label=Settings]")
    page.select_option("#theme", "system")
    assert ground(page) == LIGHT


def test_where_storage_is_refused_documents_are_read_in_the_systems_theme(window: Opener, server: Server) -> None:
    page = window(color_scheme="dark")
    page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('', 'SecurityError'); }})"
    )
    page.goto(f"{server.url}about")
    assert ground(page) == DARK
