"""What a line can be, and what can be done with one: emoji, quotes, links, a text of one's own, topics to choose from."""

import pytest
from playwright.sync_api import Page, Route, expect

from tests.server.site.web.conftest import Opener, Watch, adult, meet, refuse
from tests.server.site.web.servers import Server
from tests.support.pictures import picture

BIG = ".bubble.big"
CHIP = ".answered blockquote"


def say(page: Page, text: str) -> None:
    """Type and send."""
    page.fill("#message", text)
    page.press("#message", "Enter")
    expect(page.locator(".line.me").last).to_have_attribute("data-state", "sent")


def test_a_few_emoji_alone_are_large_and_nothing_else_is(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "emoji")
    for text, large in (
        ("\u26f5", 1),
        ("\U0001f44d\U0001f3fd \U0001f389", 2),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", 3),
        ("\U0001f1f3\U0001f1f4", 4),
        ("\u00a9", 4),
    ):
        say(anna, text)
        expect(ben.locator(".bubble").last).to_have_text(text)
        expect(ben.locator(BIG)).to_have_count(large)
    for text in ("7", "\U0001f389\U0001f389\U0001f389\U0001f389", "so \U0001f389"):
        say(anna, text)
        expect(ben.locator(".bubble").last).to_have_text(text)
    expect(ben.locator(BIG)).to_have_count(4)


def test_the_picker_is_used_by_keys_alone_and_closes_without_leaving(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "picker")
    anna.keyboard.type("hi ")
    anna.keyboard.press("Tab")
    expect(anna.locator("#smile")).to_be_focused()
    anna.keyboard.press("Enter")
    expect(anna.locator(".emoji [role=option]").first).to_be_focused()
    picture(anna, "gallery/emoji-1280")
    anna.keyboard.press("Escape")
    expect(anna.locator(".emoji")).to_have_count(0)
    expect(anna.locator("#message")).to_be_focused()
    expect(anna.locator(".leave")).to_contain_text("Leave")
    anna.click("#smile")
    expect(anna.locator(".emoji [role=option]").first).to_be_focused()
    anna.keyboard.press("ArrowRight")
    anna.keyboard.press("Enter")
    expect(anna.locator("#message")).to_have_value("hi \U0001f603")
    anna.keyboard.press("Enter")
    expect(ben.locator(".bubble")).to_have_text("hi \U0001f603")
    anna.click("#smile")
    expect(anna.locator(".emoji")).to_be_visible()
    anna.locator(".bar").click()
    expect(anna.locator(".emoji")).to_have_count(0)


def test_a_line_is_quoted_by_a_press_and_by_keys(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "quotes")
    say(ben, "where do you sail?")
    say(ben, "and when?")
    expect(anna.locator(".bubble")).to_have_count(2)
    anna.fill("#message", "on a lake")
    anna.locator(".line").first.hover()
    anna.get_by_title("Quote").first.click()
    expect(anna.locator(CHIP)).to_have_text("where do you sail?")
    expect(anna.locator("#message")).to_have_value("on a lake")
    expect(anna.locator("#message")).to_be_focused()
    picture(anna, "gallery/quote-chip-1280")
    expect(anna.locator("#say")).to_have_text("Quoted: where do you sail?")
    anna.keyboard.press("Enter")
    expect(ben.locator("blockquote")).to_have_text("where do you sail?")
    expect(ben.locator(".bubble").last).to_contain_text("on a lake")
    anna.fill("#message", "in summer")
    anna.keyboard.press("Alt+q")
    expect(anna.locator(CHIP)).to_have_text("and when?")
    anna.keyboard.press("Alt+q")
    expect(anna.locator(CHIP)).to_have_text("where do you sail?")
    anna.get_by_role("button", name="Answer without the quote").click()
    expect(anna.locator(CHIP)).to_have_count(0)
    expect(anna.locator("#message")).to_be_focused()
    anna.keyboard.press("Enter")
    expect(ben.locator(".bubble").last).to_have_text("in summer")
    ben.locator(".line").nth(2).hover()
    ben.get_by_title("Quote").nth(2).click()
    expect(ben.locator(CHIP)).to_have_text("on a lake")  # and not what that quoted
    ben.keyboard.press("Backspace")
    expect(ben.locator(CHIP)).to_have_count(0)


def test_an_answer_that_begins_with_a_quote_arrives_and_so_does_what_follows(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "quoted first")
    say(ben, "what do you play?")
    expect(anna.locator(".bubble")).to_have_count(1)
    anna.keyboard.press("Alt+q")
    anna.keyboard.type("the harp")
    anna.keyboard.press("Enter")
    expect(ben.locator(".bubble").last).to_contain_text("the harp")
    expect(ben.locator("blockquote")).to_have_text("what do you play?")
    anna.keyboard.type("and the drums")
    anna.click("button.send")
    expect(ben.locator(".bubble").last).to_have_text("and the drums")


def test_a_finger_finds_the_quote_by_a_tap(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "tapped", width=360, height=740, has_touch=True, is_mobile=True)
    say(ben, "a line")
    quote = anna.get_by_title("Quote")
    expect(quote).to_be_hidden()
    anna.locator(".bubble").tap()
    expect(quote).to_be_visible()
    expect(anna.get_by_title("React").locator("svg")).to_be_visible()
    quote.tap()
    expect(anna.locator(CHIP)).to_have_text("a line")
    picture(anna, "gallery/quote-chip-360")
    for answer in ("an answer", "and more"):  # the chip is drawn before anything was sent
        anna.fill("#message", answer)
        anna.locator("button.send").tap()
        expect(ben.locator(".bubble").last).to_contain_text(answer)
    expect(ben.locator("blockquote")).to_have_text("a line")


def test_a_quote_that_was_not_sent_comes_back_with_its_answer(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "quote again")
    say(ben, "where to?")
    expect(anna.locator(".bubble")).to_have_count(1)
    say(anna, "wait")
    anna.keyboard.press("Alt+q")
    refuse(anna, "to the sea", "too_fast")
    expect(anna.locator(CHIP)).to_have_count(0)
    anna.press("#message", "ArrowUp")
    expect(anna.locator(CHIP)).to_have_text("where to?")
    expect(anna.locator("#message")).to_have_value("to the sea")
    anna.reload()
    expect(anna.locator(CHIP)).to_have_text("where to?")
    expect(anna.locator("#message")).to_have_value("to the sea")


def test_a_link_is_text_that_can_be_copied(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "links", permissions=["clipboard-read", "clipboard-write"])
    say(ben, "see https://example.org/a_(b)?c=1. and more")
    expect(anna.locator(".bubble")).to_contain_text("https://example.org/")
    expect(anna.locator(".bubble a")).to_have_count(0)
    anna.get_by_role("button", name="Copy link").click()
    expect(anna.get_by_role("button", name="Copied")).to_be_visible()
    assert anna.evaluate("navigator.clipboard.readText()") == "https://example.org/a_(b)?c=1"


def test_a_warning_stands_under_its_line_after_a_reload_too(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "warned")
    say(ben, "look at https://win.example/prize now")
    say(ben, "well?")
    told = anna.locator(".line", has_text="prize").locator("xpath=following-sibling::*[1]").get_by_role("note")
    expect(told).to_be_visible()
    text = told.inner_text()
    for _ in range(2):
        anna.reload()
        expect(told).to_have_text(text)
        expect(anna.get_by_role("note")).to_have_count(1)


def test_the_text_is_copied_and_downloaded_without_the_server(window: Opener, server: Server, watch: Watch) -> None:
    watch.quiet = ("WebSocket connection to", "Failed to load resource", "net::ERR_")
    anna, ben = meet(window, server.url, "own text", permissions=["clipboard-read", "clipboard-write"])
    say(anna, "one\ntwo")
    say(ben, "three")
    expect(anna.locator(".bubble")).to_have_count(2)
    anna.context.set_offline(True)
    anna.get_by_role("button", name="More").click()
    anna.get_by_role("button", name="Copy the text").click()
    expect(anna.get_by_role("button", name="Copied")).to_be_visible()
    copied = anna.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("A chat on Serendip, ")
    assert copied.endswith("You both like own text.\n\nYou: one\ntwo\nStranger: three\n")
    with anna.expect_download() as download:
        anna.get_by_role("button", name="Download the text").click()
    assert download.value.suggested_filename.endswith(".txt")
    assert download.value.path().read_text() == copied
    anna.context.set_offline(False)


def test_two_strangers_in_a_row_are_told_apart(window: Opener, server: Server) -> None:
    tone = "document.querySelector('.room').dataset.tone"
    anna, _ = meet(window, server.url, "apart")
    first = anna.evaluate(tone)
    anna.keyboard.press("Alt+n")
    expect(anna.locator(".waiting")).to_be_visible()
    other = adult(window())
    other.goto(server.url)
    other.fill("#topics", "apart,")
    other.click("#start-text")
    expect(anna.locator("#message")).to_be_visible()
    assert anna.evaluate(tone) != first


def test_topics_are_changed_while_one_waits_and_the_search_goes_on_by_the_new_ones(
    window: Opener, server: Server
) -> None:
    anna, ben = adult(window(width=360, height=740)), adult(window())
    anna.goto(server.url)
    anna.fill("#topics", "nobody likes this,")
    anna.click("#start-text")
    anna.click("#topics-change")
    anna.fill("#topics", "whittling,")
    anna.get_by_role("button", name="Remove nobody likes this").click()
    picture(anna, "gallery/topics-change-360")
    anna.get_by_role("button", name="Look for these").click()
    expect(anna.locator(".sub")).to_have_text("whittling")
    ben.goto(server.url)
    ben.fill("#topics", "whittling,")
    ben.click("#start-text")
    expect(anna.locator(".card")).to_contain_text("You both like whittling")


def test_ideas_that_come_late_move_nothing_from_under_a_finger(window: Opener, server: Server) -> None:
    page = adult(window(width=360, height=740))
    held: list[Route] = []
    page.route("**/topics/en.json", lambda route: held.append(route))
    page.goto(server.url)
    with page.expect_request("**/topics/en.json"):
        page.click("#topics")
    expect(page.locator(".ideas")).to_have_count(1)  # it is there, and has nothing to show
    before = page.locator("#start-video").bounding_box()
    held[0].continue_()
    expect(page.locator(".ideas button")).to_have_count(6)
    assert page.locator("#start-video").bounding_box() == before


def test_ideas_come_from_a_list_of_the_page_in_the_language_of_the_chat(window: Opener, server: Server) -> None:
    page = adult(window(width=360, height=740))
    page.goto(server.url)
    expect(page.locator(".ideas")).to_have_count(0)
    page.click("#topics")
    expect(page.locator(".ideas button")).to_have_count(6)
    picture(page, "gallery/ideas-360")
    page.keyboard.type("sai")
    page.get_by_role("button", name="sailing", exact=True).click()
    expect(page.locator(".tag")).to_have_text("sailing")
    expect(page.locator("#topics")).to_have_value("")
    expect(page.locator("#topics")).to_be_focused()
    page.select_option("#language", "de")
    page.click("#topics")
    page.keyboard.type("sege")
    expect(page.locator(".ideas button")).to_have_text("Segeln")


# Two taps by the clock of the events, however long a busy machine takes to make them.
TWICE = "(node) => { node.click(); node.click(); }"
FACES = ["\u2764\ufe0f", "\U0001f602", "\U0001f62e", "\U0001f622", "\U0001f44d", "\U0001f64f"]


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_a_face_at_a_line_is_seen_by_both_after_a_reload_and_in_the_saved_log(
    window: Opener, server: Server, width: int, scheme: str
) -> None:
    anna, ben = meet(window, server.url, f"faces {width}", width=width, color_scheme=scheme)
    say(ben, "I have a boat")
    say(ben, "and no wind")
    expect(anna.locator(".bubble")).to_have_count(2)
    anna.locator(".line").first.hover()
    anna.get_by_title("React").first.click()
    pick = anna.get_by_role("group", name="React to: I have a boat")
    expect(pick.get_by_role("button")).to_have_text([*FACES, ""])
    expect(pick.get_by_role("button").last).to_have_accessible_name("Quote")
    picture(anna, f"gallery/faces-pick-{width}-{scheme}")
    pick.get_by_role("button", name="heart").click()
    expect(pick).to_have_count(0)
    for page in (anna, ben):
        expect(page.locator(".line").first.locator(".face")).to_have_text(FACES[0])
    expect(ben.get_by_role("img", name="Stranger: heart")).to_be_visible()
    expect(ben.locator("#say")).to_have_text(f"{FACES[0]} in reaction to: I have a boat")
    anna.keyboard.press("Alt+r")
    expect(anna.get_by_role("group", name="React to: and no wind")).to_be_visible()
    anna.keyboard.press("4")
    expect(ben.locator(".line").nth(1).locator(".face")).to_have_text(FACES[3])
    picture(ben, f"gallery/faces-{width}-{scheme}")
    ben.reload()
    expect(ben.locator(".face")).to_have_text([FACES[0], FACES[3]])
    anna.keyboard.press("Alt+r")
    anna.keyboard.press("4")
    expect(ben.locator(".face")).to_have_text([FACES[0]])
    expect(anna.locator("#say")).to_have_text("Reaction removed.")


def test_a_finger_reacts_by_a_double_tap_and_escape_closes_the_faces_and_leaves_no_chat(
    window: Opener, server: Server
) -> None:
    anna, ben = meet(window, server.url, "double tap", width=360, height=740, has_touch=True, is_mobile=True)
    say(ben, "a line")
    bubble = anna.locator(".bubble")
    bubble.evaluate(TWICE)
    faces = anna.get_by_role("group", name="React to: a line")
    expect(faces).to_be_in_viewport(ratio=1)
    expect(faces.get_by_role("button").first).to_be_focused()
    picture(anna, "gallery/faces-pick-360")
    anna.keyboard.press("Escape")
    expect(faces).to_have_count(0)
    expect(anna.locator(".leave")).not_to_contain_text("Sure?")
    bubble.evaluate(TWICE)
    faces.get_by_role("button", name="thumbs up").tap()
    expect(ben.locator(".face")).to_have_text(FACES[4])


def test_a_screen_reader_and_the_keys_reach_the_faces_of_each_line_and_hear_of_no_new_button(
    window: Opener, server: Server
) -> None:
    anna, ben = meet(window, server.url, "faces by keys")
    for text in ("the first line", "and the second"):
        say(ben, text)
    say(anna, "one of her own")
    buttons = anna.get_by_role("log").get_by_role("button")
    expect(buttons).to_have_count(3)
    names = [f"React to: {text}" for text in ("the first line", "and the second", "one of her own")]
    for button, name in zip(buttons.all(), names, strict=True):
        expect(button).to_have_accessible_name(name)
    assert anna.locator(".acts").evaluate_all("(all) => all.every((node) => node.ariaLive === 'off')")
    anna.get_by_role("log").focus()
    anna.keyboard.press("Tab")
    expect(buttons.last).to_be_focused()
    expect(buttons.last).to_have_css("opacity", "1")
    anna.keyboard.press("ArrowUp")
    expect(buttons.nth(1)).to_be_focused()
    anna.keyboard.press("Home")
    expect(buttons.first).to_be_focused()
    picture(anna, "gallery/faces-keys-1280")
    anna.keyboard.press("Enter")
    pick = anna.get_by_role("group", name=names[0])
    expect(pick.get_by_role("button", name="heart")).to_be_focused()
    expect(buttons.first).to_have_attribute("aria-expanded", "true")
    anna.keyboard.press("ArrowRight")
    anna.keyboard.press("Enter")
    expect(ben.locator(".line").first.locator(".face")).to_have_text(FACES[1])
    expect(buttons.first).to_be_focused()
    anna.keyboard.press("Enter")
    expect(pick.get_by_role("button", name="laughing face")).to_be_focused()
    anna.keyboard.press("Escape")
    expect(buttons.first).to_be_focused()
    expect(anna.locator(".leave")).not_to_contain_text("Sure?")
    anna.keyboard.press("Enter")
    anna.keyboard.press("ArrowLeft")
    anna.keyboard.press("ArrowLeft")
    anna.keyboard.press("Enter")  # the last of them: a quote
    expect(pick).to_have_count(0)
    expect(anna.locator(".answered blockquote")).to_have_text("the first line")
    expect(anna.locator("#message")).to_be_focused()
