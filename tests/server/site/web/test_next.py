"""On to the next stranger: by a press, a finger, a key; what is kept of the last one; what a reload does not cost."""

import time

import pytest
from playwright.sync_api import Page, expect

from tests.server.site.web.conftest import Opener, keep, lines, meet, opened
from tests.server.site.web.servers import Server
from tests.support.pictures import picture


def swipe(page: Page, by: int, at: tuple[int, int] = (250, 320)) -> None:
    """One finger moves `by` px sideways, in 200 ms by the clock of the events, however long a busy machine takes to make them."""
    touch = page.context.new_cdp_session(page)
    begun = time.time()
    x, y = at
    for step, kind in enumerate(("touchStart", "touchMove", "touchMove", "touchMove", "touchMove", "touchEnd")):
        points = [{"x": x + by * step / 4, "y": y + step}] if kind != "touchEnd" else []
        event = {"type": kind, "touchPoints": points, "timestamp": begun + step * 0.04}
        touch.send("Input.dispatchTouchEvent", event)


def say(page: Page, text: str) -> None:
    """Type and send."""
    page.fill("#message", text)
    page.press("#message", "Enter")
    expect(page.locator(".line.me").last).to_have_attribute("data-state", "sent")


def visible(page: Page) -> str:
    """The Next that is at hand in this window."""
    return ".next.low" if page.locator(".next.low").is_visible() else ".next.high"


@pytest.mark.parametrize(("width", "height"), [(320, 568), (360, 740), (740, 360), (1280, 800)])
def test_one_press_goes_to_the_next_stranger_and_one_goes_back_into_the_chat(
    window: Opener, server: Server, width: int, height: int
) -> None:
    anna, ben = meet(window, server.url, f"next {width}", width=width, height=height)
    say(anna, "one")
    anna.fill("#message", "and I was about")
    anna.locator(visible(anna)).click()
    expect(anna.locator(".waiting")).to_be_visible()
    back = anna.get_by_role("button", name="Back to them")
    expect(back).to_be_in_viewport(ratio=1)
    back.click()
    expect(anna.locator(".bubble")).to_have_text(["one"])
    expect(anna.locator("#message")).to_have_value("and I was about")
    say(ben, "two")
    expect(anna.locator(".bubble")).to_have_text(["one", "two"])
    say(anna, "three")
    expect(ben.locator(".bubble")).to_have_text(["one", "two", "three"])
    anna.locator(visible(anna)).click()
    expect(back).to_be_visible()
    picture(anna, f"gallery/next-back-{width}")
    expect(ben.locator(".divider.over")).to_have_text("The stranger left")
    expect(back).to_have_count(0)
    expect(anna.locator(".waiting")).to_be_visible()


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_next_is_24_pixels_from_leave_at_least(window: Opener, server: Server, width: int) -> None:
    anna, _ = meet(window, server.url, f"apart {width}", width=width)
    next_one, leave = (anna.locator(place).bounding_box() for place in (visible(anna), ".leave"))
    assert next_one is not None
    assert leave is not None
    across = next_one["x"] - leave["x"] - leave["width"]
    above = leave["y"] - next_one["y"] - next_one["height"]
    assert max(across, above) >= 24


def test_a_press_shows_the_search_within_a_tenth_of_a_second(window: Opener, server: Server) -> None:
    """CPU of the main thread from the press to the painted search, whatever else runs here."""
    anna, _ = meet(window, server.url, "quick")
    anna.wait_for_load_state("networkidle")
    session = anna.context.new_cdp_session(anna)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    work = [session.send("Performance.getMetrics")["metrics"]]
    anna.evaluate(
        """async () => {
          document.querySelector('.next.low').click();
          if (!document.querySelector('.waiting')) throw new Error('not in the same step');
          await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        }"""
    )
    work.append(session.send("Performance.getMetrics")["metrics"])
    before, after = ({row["name"]: row["value"] for row in found} for found in work)
    assert after["TaskDuration"] - before["TaskDuration"] < 0.1


def test_the_way_back_ends_a_chat_that_began_meanwhile_and_is_a_key(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "meanwhile")
    say(ben, "the first")
    carla = keep(window(), adult=True, tags=["meanwhile"])
    carla.goto(server.url)
    carla.click("#start-text")
    expect(carla.locator(".waiting")).to_be_visible()
    anna.keyboard.press("Alt+n")
    expect(carla.locator("#message")).to_be_visible()
    expect(anna.get_by_role("button", name="Back to them")).to_be_visible()
    anna.keyboard.press("Alt+b")
    expect(anna.locator(".bubble")).to_have_text("the first")
    expect(anna.locator("#say")).to_have_text("Back in the chat.")
    expect(carla.locator(".divider.over")).to_have_text("The stranger left")
    say(ben, "hello again")
    expect(anna.locator(".bubble")).to_have_text(["the first", "hello again"])


def test_who_wants_to_be_asked_is_asked(window: Opener, server: Server) -> None:
    anna, ben = (keep(window(), adult=True, tags=["asked"], sure=wish) for wish in (True, False))
    for page in (anna, ben):
        page.goto(server.url)
        page.click("#start-text")
    expect(anna.locator("#message")).to_be_visible()
    expect(ben.locator("#message")).to_be_visible()
    button = anna.locator(visible(anna))
    button.click()
    expect(button).to_contain_text("Sure?")
    expect(anna.locator("#say")).to_have_text("Press again for the next stranger")
    picture(anna, "gallery/next-sure-1280")
    button.click()
    expect(anna.locator(".waiting")).to_be_visible()
    expect(ben.locator(".divider.over")).to_have_text("The stranger left")


def test_a_finger_sweeps_to_the_next_and_a_short_or_steep_or_backward_one_does_nothing(
    window: Opener, server: Server
) -> None:
    anna, ben = meet(window, server.url, "swipes", width=360, height=740, has_touch=True)
    say(ben, "hello there")
    expect(anna.locator(".bubble")).to_have_text("hello there")
    anna.wait_for_load_state("networkidle")
    for by in (-40, 120):
        swipe(anna, by)
    expect(anna.locator(".next.high")).to_contain_text("Next")
    swipe(anna, -120)
    expect(anna.locator(".waiting")).to_be_visible()
    picture(anna, "gallery/next-swipe-360")
    expect(ben.locator(".divider.over")).to_have_text("The stranger left")
    swipe(ben, -120)
    expect(ben.locator(".waiting")).to_be_visible()


def test_from_right_to_left_a_finger_sweeps_the_other_way(window: Opener, server: Server) -> None:
    anna, _ = meet(window, server.url, "mirrored", width=360, height=740, has_touch=True)
    anna.wait_for_load_state("networkidle")
    anna.evaluate("document.documentElement.dir = 'rtl'")
    swipe(anna, -120)
    expect(anna.locator(".chatting")).to_be_visible()
    swipe(anna, 120, (100, 320))
    expect(anna.locator(".waiting")).to_be_visible()


def test_the_keyboard_goes_on_while_one_writes(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "keys")
    anna.keyboard.type("half a sen")
    anna.keyboard.press("Alt+n")
    expect(anna.locator(".waiting")).to_be_visible()
    expect(ben.locator("#meet")).to_be_focused()
    ben.keyboard.press("Alt+n")
    expect(ben.locator(".waiting")).to_be_visible()


def test_the_last_chat_with_its_draft_is_within_reach_while_one_waits_and_at_home(
    window: Opener, server: Server
) -> None:
    anna, ben = meet(window, server.url, "within reach")
    say(ben, "something bad")
    say(anna, "what?")
    anna.keyboard.type("I was about to")
    anna.keyboard.press("Alt+n")
    expect(anna.locator("#back")).to_be_visible()
    anna.keyboard.press("Escape")
    expect(anna.locator("#start-text")).to_be_focused()
    anna.click("#back")
    expect(anna.locator(".bubble")).to_have_text(["something bad", "what?"])
    expect(anna.locator("#message")).to_have_value("I was about to")
    anna.get_by_role("button", name="Report").click()
    anna.get_by_role("button", name="Hate or harassment").click()
    expect(anna.locator(".divider.over")).to_contain_text("Reported. Thank you.")


def test_the_last_one_is_reported_and_saved_while_the_next_chat_goes_on(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "the one before")
    say(ben, "something bad")
    carla = keep(window(), adult=True, tags=["the one before"])
    carla.goto(server.url)
    carla.click("#start-text")
    expect(carla.locator(".waiting")).to_be_visible()
    anna.keyboard.press("Alt+n")
    expect(carla.locator("#message")).to_be_visible()
    expect(anna.locator(".bubble")).to_have_count(0)
    anna.get_by_role("button", name="More").click()
    anna.click("#before")
    expect(anna.locator(".excerpt")).to_contain_text("something bad")
    anna.get_by_role("button", name="Save this chat").click()
    anna.get_by_role("button", name="Save and get the link").click()
    url = anna.locator("#saved-link").input_value()
    opened(anna, "#save")
    anna.keyboard.press("Escape")
    anna.get_by_role("button", name="More").click()
    anna.click("#before")
    anna.locator("#last").get_by_role("button", name="Report").click()
    anna.get_by_role("button", name="Threats or violence").click()
    expect(anna.locator(".banner")).to_have_text("Reported. Thank you.")
    say(carla, "still here?")
    expect(anna.locator(".bubble")).to_have_text("still here?")
    anna.goto(url)
    expect(anna.locator("main")).to_contain_text("something bad")


def test_a_reload_costs_neither_own_lines_nor_the_draft(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "reload")
    say(anna, "one")
    say(ben, "two")
    expect(anna.locator(".bubble")).to_have_count(2)
    say(anna, "three")
    anna.keyboard.type("and the fourth is on its w")
    anna.reload()
    expect(anna.locator(".bubble")).to_have_text(["one", "two", "three"])
    expect(anna.locator("#message")).to_have_value("and the fourth is on its w")
    assert lines(anna) == ["You: one", "Stranger: two", "You: three"]
    say(ben, "go on")
    expect(anna.locator(".bubble")).to_have_text(["one", "two", "three", "go on"])
    ben.keyboard.press("Escape")
    ben.keyboard.press("Escape")
    expect(anna.locator(".divider.over")).to_have_text("The stranger left")
    expect(anna.locator("#message")).to_have_value("and the fourth is on its w")
    anna.wait_for_function("() => !('serendip.talk' in sessionStorage)")


def test_where_own_lines_were_not_kept_the_reload_says_so(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "not kept")
    say(anna, "one")
    say(ben, "two")
    anna.evaluate("addEventListener('pagehide', () => sessionStorage.removeItem('serendip.talk'))")
    anna.reload()
    expect(anna.locator(".divider")).to_contain_text("This page was loaded again.")
    expect(anna.locator(".bubble")).to_have_text("two")
