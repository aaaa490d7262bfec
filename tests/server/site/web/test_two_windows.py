"""Two browser windows, two strangers, the real server: from the press to the next stranger."""

from playwright.sync_api import Page, expect

from tests.server.site.web.conftest import Opener, adult, keep, lines, meet
from tests.server.site.web.servers import Server


def say(page: Page, text: str) -> None:
    """Type and send."""
    page.fill("#message", text)
    page.press("#message", "Enter")


def test_a_first_visit_asks_the_age_once_and_then_goes_on_by_itself(window: Opener, server: Server) -> None:
    page = window(server.url)
    page.click("#start-text")
    expect(page.locator("#age h2")).to_be_focused()
    page.click("#age-over")
    expect(page.locator("h1")).to_have_text("Looking for someone to talk to")
    expect(page.locator("h1")).to_be_focused()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#start-text")).to_be_focused()
    page.click("#start-text")
    expect(page.locator(".waiting")).to_be_visible()


def test_two_tabs_of_one_browser_do_not_meet_and_say_that_both_search(window: Opener, server: Server) -> None:
    first = keep(window(), adult=True, tags=["one and the same"])
    second = first.context.new_page()
    for page in (first, second):
        page.goto(server.url)
        page.click("#start-text")
        expect(page.locator(".waiting")).to_be_visible()
    for page in (first, second):
        expect(page.locator("#elsewhere")).to_have_text("You are also searching in another tab.")
    other = keep(window(server.url), adult=True, tags=["one and the same"])
    other.reload()
    other.click("#start-text")
    expect(first.locator("#message")).to_be_visible()
    expect(other.locator("#message")).to_be_visible()
    expect(second.locator("#elsewhere")).to_have_count(0)
    expect(second.locator(".waiting")).to_be_visible()
    first.close()


def test_under_18_ends_there_and_is_kept_until_tomorrow(window: Opener, server: Server) -> None:
    page = window(server.url)
    page.click("#start-text")
    page.click("#age-under")
    expect(page.locator("h1")).to_have_text("Serendip is for adults")
    page.reload()
    page.click("#start-text")
    expect(page.locator("h1")).to_have_text("Serendip is for adults")


def test_two_meet_talk_leave_and_meet_anew(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "sailing", "sourdough", reduced_motion="no-preference")
    for page in (anna, ben):
        expect(page.locator("#say")).to_contain_text("Found someone. You both like s")
        expect(page.locator(".card")).to_contain_text("You both like")
        expect(page.locator(".card b").first).to_be_visible()
        expect(page.locator("#message")).to_be_focused()
        assert page.title().startswith("Chat with a stranger")
    anna.type("#message", "hi! sailing AND")
    expect(ben.locator(".bar p")).to_have_text("Typing…")
    expect(ben.locator("#say")).to_have_text("The stranger is typing")
    say(anna, "hi! sailing AND sourdough?")
    expect(ben.locator(".line .bubble")).to_have_text("hi! sailing AND sourdough?")
    expect(ben.locator(".bar p")).to_have_text("Connected")
    expect(anna.locator('.line[data-state="sent"]')).to_have_count(1)
    say(ben, "mostly dinghies\non a lake")
    expect(anna.locator(".line")).to_have_count(2)
    assert lines(anna) == ["You: hi! sailing AND sourdough?", "Stranger: mostly dinghies\non a lake"]
    assert lines(ben) == ["Stranger: hi! sailing AND sourdough?", "You: mostly dinghies\non a lake"]
    anna.keyboard.press("Escape")
    expect(anna.locator(".leave")).to_contain_text("Sure?")
    anna.keyboard.press("Escape")
    expect(anna.locator(".divider.over")).to_have_text("You left")
    expect(ben.locator(".divider.over")).to_have_text("The stranger left")
    expect(ben.locator("#meet")).to_be_focused()
    assert len(lines(ben)) == 2  # what was said stays in view
    ben.wait_for_timeout(800)  # a key in the moment of the end is not meant for the next search
    ben.keyboard.press("Enter")
    expect(ben.locator(".waiting")).to_be_visible()


def test_who_cannot_wait_meets_anyone_at_a_press(window: Opener, server: Server) -> None:
    page, other = adult(window()), adult(window())
    page.goto(server.url)
    page.fill("#topics", "another topic of nobody,")
    page.click("#start-text")
    page.get_by_role("button", name="Meet anyone now").click()
    expect(page.locator(".steps")).to_have_count(0)
    other.goto(server.url)
    other.click("#start-text")
    expect(page.locator("#message")).to_be_visible()


def test_the_second_press_must_come_within_three_seconds(window: Opener, server: Server) -> None:
    anna, _ = meet(window, server.url)
    anna.click(".leave")
    expect(anna.locator(".leave")).to_contain_text("Sure?")
    expect(anna.locator("#say")).to_have_text("Press again to leave")
    expect(anna.locator(".leave")).to_contain_text("Leave", timeout=5000)
    anna.click(".leave")
    anna.click(".leave")
    expect(anna.locator(".ended")).to_be_visible()


def test_waiting_shows_each_step_and_meets_anyone_in_the_end(window: Opener, server: Server) -> None:
    page = adult(window())
    page.goto(server.url)
    page.fill("#topics", "a topic of nobody,")
    page.click("#start-text")
    expect(page.locator(".steps li")).to_have_count(3)
    expect(page.locator(".sub")).to_have_text("a topic of nobody")
    expect(page.locator("li[aria-current=step]")).to_contain_text(
        "Something in common"
    )  # few are here: any overlap is good
    expect(page.locator("li[aria-current=step]")).to_contain_text("Anyone who speaks English", timeout=15000)
    expect(page.locator("h1")).to_have_text("Looking for someone to talk to")
    expect(page.get_by_role("button", name="Meet anyone now")).to_have_count(0)  # that is what happens by now
    other = adult(window())
    other.goto(server.url)
    other.click("#start-text")
    expect(page.locator("#message")).to_be_visible()
    expect(page.locator(".card")).to_contain_text("Nothing in common on paper")
    expect(other.locator(".card")).to_contain_text("This chat is in English")


def test_a_report_takes_two_taps_and_ends_the_chat(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url)
    anna.get_by_role("button", name="Report").click()
    anna.get_by_role("button", name="Someone may get hurt").click()
    expect(anna.locator(".divider.over")).to_contain_text("Reported. Thank you.")
    expect(anna.locator(".divider.over")).to_contain_text("emergency number")
    expect(ben.locator(".divider.over")).to_have_text("The stranger left")
    expect(anna.locator("#meet")).to_be_focused()


def test_a_report_with_a_note_from_the_ended_deck(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url)
    ben.click(".leave")
    ben.click(".leave")
    anna.get_by_role("button", name="Report").click()
    anna.get_by_role("button", name="Add a note first").click()
    anna.get_by_role("button", name="Send report").click()
    expect(anna.locator("[role=alert].problem")).to_have_text("Choose a reason first.")
    anna.get_by_role("radio", name="Advert, bot or scam").click()
    anna.fill("#report-note", "sold me a boat")
    anna.get_by_role("button", name="Send report").click()
    expect(anna.locator(".divider.over")).to_contain_text("Reported. Thank you.")


def test_going_on_by_itself_counts_down_and_stands_still_while_a_dialog_is_open(window: Opener, server: Server) -> None:
    anna, ben = keep(window(), adult=True, auto=True), adult(window())
    for page in (anna, ben):
        page.goto(server.url)
        page.click("#start-text")
    ben.click(".leave")
    ben.click(".leave")
    expect(anna.locator("#meet")).to_contain_text("Next stranger in")
    anna.get_by_role("button", name="More").click()
    before = anna.locator("#meet").text_content()
    anna.wait_for_timeout(1500)
    assert anna.locator("#meet").text_content() == before
    anna.get_by_role("button", name="Close").click()
    expect(anna.locator(".waiting")).to_be_visible(timeout=8000)
    anna.keyboard.press("Escape")
    expect(anna.locator("#start-text")).to_be_focused()


def test_a_message_while_the_page_is_hidden_changes_the_title(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "hidden")
    hide = """(hidden) => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
      document.dispatchEvent(new Event('visibilitychange')); }"""
    anna.evaluate(hide, True)
    say(ben, "psst")
    expect(anna).to_have_title("(1) New message: Serendip")
    anna.evaluate(hide, False)
    expect(anna).to_have_title("Chat with a stranger: Serendip")


def test_topics_that_the_server_would_refuse_are_refused_before(window: Opener, server: Server) -> None:
    page = keep(window(), adult=True, tags=["x" * 200, "\u200b", "sailing"], language="not a language")
    page.goto(server.url)
    expect(page.locator(".tag")).to_have_text("sailing")
    for text in ("\ufdfa" * 4 + ",", "\U0001f1f3\U0001f1f4,", "\u0338\u0338,", "ß" * 40 + ","):
        page.fill("#topics", text)
    page.fill("#topics", "")
    page.click("#start-text")
    expect(page.locator("li[aria-current=step]")).to_be_visible()
    expect(page.locator("#say")).not_to_have_text("That did not work. Please try again.")


def test_a_language_is_kept_and_meets_only_its_own(window: Opener, server: Server) -> None:
    anna, ben = adult(window()), adult(window())
    for page, language in ((anna, "de"), (ben, "fr")):
        page.goto(server.url)
        page.select_option("#language", language)
        page.click("#start-text")
        expect(page.locator(".waiting")).to_be_visible()
    third = adult(window())
    third.goto(server.url)
    third.select_option("#language", "de")
    third.click("#start-text")
    expect(third.locator(".card")).to_contain_text("This chat is in German.")
    expect(anna.locator("#message")).to_be_visible()
    expect(ben.locator(".waiting")).to_be_visible()
    anna.reload()
    assert anna.evaluate("JSON.parse(localStorage.serendip).language") == "de"
