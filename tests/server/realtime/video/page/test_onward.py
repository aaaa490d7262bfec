"""From one call to the next stranger: the disc beside mute, the letter, a finger over the picture."""

import pytest
from playwright.sync_api import Page, expect

from tests.server.realtime.video.page.conftest import UNHURRIED, begin, moving, prepare
from tests.server.realtime.video.page.test_windows import two
from tests.server.site.web.conftest import Opener
from tests.server.site.web.servers import Server
from tests.server.site.web.test_next import swipe
from tests.support.pictures import picture

pytestmark = pytest.mark.timeout(120)


def apart(page: Page) -> float:
    """Pixels between Next and Leave."""
    one, other = page.locator("#next").bounding_box(), page.locator("#hangup").bounding_box()
    assert one is not None
    assert other is not None
    across = max(other["x"] - one["x"] - one["width"], one["x"] - other["x"] - other["width"])
    return max(across, other["y"] - one["y"] - one["height"])


def test_the_disc_asks_if_one_wants_to_be_asked_and_goes_on(window: Opener, calls: Server) -> None:
    anna, ben = two(window, calls.url, "disc", {"width": 320, "height": 568}, sure=True)
    anna.click("#show")
    for width, height in ((320, 568), (390, 844), (740, 360), (1280, 800)):  # in one call: to begin one costs most
        anna.set_viewport_size({"width": width, "height": height})
        expect(anna.locator("#next")).to_be_in_viewport(ratio=1)
        expect(anna.locator("#hangup")).to_be_in_viewport(ratio=1)
        assert apart(anna) >= 24, width
        expect(anna.locator("#next")).not_to_contain_text("Sure?")  # it stands for three seconds
        anna.click("#next")
        expect(anna.locator("#next")).to_contain_text("Sure?")
        picture(anna, f"video/onward-{width}")
    ben.click("#show")  # a screenshot may take longer than the question stands: the other one goes on
    ben.evaluate(UNHURRIED)
    ben.click("#next")
    expect(ben.locator("#next")).to_contain_text("Sure?")
    ben.click("#next")
    expect(ben.locator(".waiting")).to_be_visible()
    expect(anna.locator(".divider.over")).to_have_text("The stranger left")


def test_a_letter_and_a_finger_go_on(window: Opener, calls: Server) -> None:
    anna, ben = two(window, calls.url, "finger", {"width": 360, "height": 740, "has_touch": True})
    anna.click("#show")
    loaded = "performance.getEntriesByType('resource').some(({ name }) => name.endsWith('/second.js'))"
    anna.wait_for_function(f"() => {loaded}")
    expect(anna.locator(".gate")).to_have_count(0)
    swipe(anna, -150)
    expect(anna.locator(".waiting")).to_be_visible()
    expect(ben.locator("#meet")).to_be_focused()
    ben.keyboard.press("Alt+n")
    expect(ben.locator(".waiting")).to_be_visible()


def test_the_letter_n_goes_on_where_nobody_writes(window: Opener, calls: Server) -> None:
    anna, _ = two(window, calls.url, "letter")
    anna.click("#show")
    anna.locator("#next").focus()
    anna.keyboard.press("n")
    expect(anna.locator(".waiting")).to_be_visible()


def test_on_a_phone_the_way_back_is_in_the_next_call(window: Opener, calls: Server) -> None:
    anna, ben = two(window, calls.url, "back on a phone", {"width": 360, "height": 740, "has_touch": True})
    carla = prepare(window)
    begin(carla, calls.url, "back on a phone")
    expect(carla.locator(".waiting")).to_be_visible()
    name = anna.locator(".stage .name b").inner_text()
    anna.click("#next")
    expect(carla.locator("#theirs")).to_be_attached()
    anna.click("#back-in-call")
    expect(anna.locator(".stage .name b")).to_have_text(name)
    expect(ben.locator("#theirs")).to_be_attached()
    expect(carla.locator(".divider.over")).to_have_text("The stranger left")


def test_the_way_back_leads_into_the_call_again(window: Opener, calls: Server) -> None:
    anna, ben = two(window, calls.url, "back in", lifts=True)
    for page in (anna, ben):
        moving(page)
    anna.click("#next")
    anna.click("#back-to-them")
    expect(anna.locator("#theirs")).to_be_visible()
    for page in (anna, ben):
        moving(page)
    expect(ben.locator(".bar .who p")).not_to_contain_text("Away")
