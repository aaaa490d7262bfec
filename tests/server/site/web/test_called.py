"""Called back: what a page in the background does when somebody comes or writes, and that it asks before."""

import json

from playwright.sync_api import Page, expect

from tests.server.site.web.conftest import Opener, adult, keep, meet
from tests.server.site.web.servers import Server
from tests.support.pictures import picture

HIDE = """(hidden) => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
  document.dispatchEvent(new Event('visibilitychange')); }"""
# What a device would do is written down; whether the browser was asked for leave too.
WATCH = """(() => {
  globalThis.did = {tones: 0, buzzes: 0, asked: 0, notices: []};
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...when) { did.tones += 1; return start.apply(this, when); };
  Navigator.prototype.vibrate = () => { did.buzzes += 1; return true; };
  globalThis.Notification = class {
    static permission = PERMISSION;
    static async requestPermission() { did.asked += 1; return (this.permission = ANSWER); }
    constructor(title, options) { did.notices.push({title, ...options}); }
    close() { did.notices.push('closed'); }
  };
})()"""


def watched(page: Page, permission: str = "default", answer: str = "granted") -> Page:
    """The window writes down what it does."""
    script = WATCH.replace("PERMISSION", json.dumps(permission)).replace("ANSWER", json.dumps(answer))
    page.context.add_init_script(script)
    return page


def say(page: Page, text: str) -> None:
    """Type and send."""
    page.fill("#message", text)
    page.press("#message", "Enter")
    expect(page.locator(".line.me").last).to_have_attribute("data-state", "sent")


def look(page: Page, topic: str, url: str) -> None:
    """Begin a search."""
    page.goto(url)
    page.fill("#topics", f"{topic},")
    page.click("#start-text")


def icon(page: Page) -> str:
    """The file of the tab's icon."""
    return str(page.evaluate("document.querySelector('link[rel=icon]').href.split('/').at(-1)"))


def test_the_first_wait_asks_once_and_a_yes_is_heard(window: Opener, server: Server) -> None:
    page = watched(adult(window(width=360, height=740)))
    look(page, "asked once", server.url)
    expect(page.locator("#calling")).to_be_visible()
    picture(page, "gallery/calling-360")
    page.locator("#calling").get_by_role("button", name="Yes").click()
    expect(page.locator("#say")).to_have_text("You will be called.")
    page.wait_for_function("() => did.tones > 0")
    expect(page.locator("#calling")).to_have_count(0)
    expect(page.locator("h1")).to_be_focused()
    kept = page.evaluate("JSON.parse(localStorage.serendip)")
    assert (kept["sounds"], kept["called"], kept["notify"]) == (True, True, False)
    page.keyboard.press("Escape")
    page.click("#start-text")
    expect(page.locator(".meanwhile")).to_be_visible()
    expect(page.locator("#calling")).to_have_count(0)
    assert page.evaluate("did.asked") == 0


def test_a_match_and_messages_in_a_background_tab_call(window: Opener, server: Server) -> None:
    anna, ben = watched(keep(window(), adult=True, called=True, sounds=True, notify=True), "granted"), adult(window())
    look(anna, "background", server.url)
    expect(anna.locator(".meanwhile")).to_be_visible()
    anna.wait_for_load_state("networkidle")
    assert icon(anna) == "icon.svg"
    anna.evaluate(HIDE, True)
    look(ben, "background", server.url)
    expect(anna).to_have_title("(1) Someone is here: Serendip")
    anna.wait_for_function("() => did.notices.length === 1 && did.tones > 0")
    assert icon(anna) == "icon-dot.svg"
    for number, text in enumerate(("my secret name is Ben", "are you there?"), 1):
        say(ben, text)
        expect(anna).to_have_title(f"({number}) New message{'s' if number > 1 else ''}: Serendip")
    anna.wait_for_function("() => did.notices.length === 3")
    notices = anna.evaluate("did.notices")
    assert [notice["title"] for notice in notices] == ["Someone is here", "New message", "New message"]
    assert {notice["tag"] for notice in notices} == {"serendip"}
    assert "Ben" not in json.dumps(notices)
    assert "background" not in json.dumps(notices)
    assert anna.evaluate("did.buzzes") == 0  # hidden, it is the notification that buzzes
    anna.evaluate(HIDE, False)
    expect(anna).to_have_title("Chat with a stranger: Serendip")
    anna.wait_for_function("() => did.notices.at(-1) === 'closed'")
    assert icon(anna) == "icon.svg"


def test_who_wants_no_call_gets_a_title_and_a_dot_alone(window: Opener, server: Server) -> None:
    anna, ben = watched(keep(window(), adult=True, called=True), "granted"), adult(window())
    for page in (anna, ben):
        look(page, "silent", server.url)
    expect(anna.locator("#message")).to_be_visible()
    anna.wait_for_load_state("networkidle")
    anna.evaluate(HIDE, True)
    say(ben, "psst")
    expect(anna).to_have_title("(1) New message: Serendip")
    assert icon(anna) == "icon-dot.svg"
    assert anna.evaluate("[did.tones, did.buzzes, did.notices.length]") == [0, 0, 0]


def test_a_match_on_the_screen_buzzes_a_phone_that_wants_it(window: Opener, server: Server) -> None:
    anna, ben = watched(keep(window(), adult=True, called=True, sounds=True)), adult(window())
    for page in (anna, ben):
        look(page, "buzz", server.url)
    expect(anna.locator("#message")).to_be_visible()
    anna.wait_for_function("() => did.buzzes === 1")
    assert anna.evaluate("did.tones") == 0  # it is seen


def test_notifications_are_asked_for_by_a_press_and_a_refusal_is_said(window: Opener, server: Server) -> None:
    for answer, on in (("granted", "true"), ("denied", "false")):
        page = watched(adult(window()), "default", answer)
        page.goto(server.url)
        page.click("[aria-label=Settings]")
        switch = page.get_by_role("switch", name="Notifications")
        expect(switch).to_have_attribute("aria-checked", "false")
        assert page.evaluate("did.asked") == 0
        switch.click()
        page.wait_for_function("() => did.asked === 1")
        expect(switch).to_have_attribute("aria-checked", on)
        if answer == "denied":
            expect(page.locator("#notify-more")).to_contain_text("does not allow it")


def test_the_dot_and_the_title_need_no_tab_that_was_ever_seen(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "real tab")
    anna.wait_for_load_state("networkidle")
    other = anna.context.new_page()  # a real tab in front
    other.goto("about:blank")
    other.bring_to_front()
    if not anna.evaluate("document.hidden"):
        anna.evaluate(HIDE, True)  # without a head no tab is ever behind another
    say(ben, "psst")
    expect(anna).to_have_title("(1) New message: Serendip")
