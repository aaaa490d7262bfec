"""What one can do in a call: another camera, the menu's means, another way through; and the connection is mended in place."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.server.realtime.video.page.conftest import begin, moving, prepare
from tests.server.realtime.video.page.test_windows import two
from tests.server.site.web.conftest import Opener, opened
from tests.server.site.web.servers import Server
from tests.support.pictures import picture

pytestmark = pytest.mark.timeout(120)
CAMERAS = (
    "() => tracks.filter(({kind, readyState}) => kind === 'video' && readyState === 'live').map((track) => track.label)"
)
SEES = """(wanted) => {
  const live = tracks.filter(({kind, readyState}) => kind === 'video' && readyState === 'live');
  return live.length === 1 && live[0].label === wanted;
}"""
UFRAG = "() => /ice-ufrag:(.*)/.exec(calls.at(-1).localDescription.sdp)[1]"
RELAYED = """() => {
  const told = calls.at(-1).localDescription.sdp.match(/^a=candidate:.*$/gm) ?? [];
  return calls.at(-1).getConfiguration().iceTransportPolicy === 'relay' && told.length > 0 && told.every((line) => line.includes('typ relay'));
}"""
TELL = """async (event) => {
  const store = await import(document.querySelector('script[type=module]').src.replace('app.js', 'store.js'));
  store.send(event);
}"""


def test_another_camera_is_taken_and_ice_begins_anew_and_goes_through_the_relay_within_the_same_call(
    window: Opener, calls: Server
) -> None:
    anna, ben = two(window, calls.url, "cameras", lifts=True)
    for page in (anna, ben):
        moving(page)
    assert ben.evaluate(CAMERAS) == ["fake_device_0"]
    ben.get_by_role("button", name="Picture and sound").click()
    ben.select_option("#choose-camera", label="fake_device_2")
    opened(ben, "#call-menu")
    ben.keyboard.press("Escape")
    ben.wait_for_function(SEES, arg="fake_device_2")
    moving(anna)
    ben.get_by_role("button", name="Next camera").click()
    ben.wait_for_function(SEES, arg="fake_device_0")
    for page in (anna, ben):
        moving(page)
        assert page.evaluate("calls.length") == 1
    for page in (anna, ben):  # from either side: the one that offered, and the other
        before = page.evaluate(UFRAG)
        page.evaluate("calls.at(-1).restartIce()")
        page.wait_for_function(
            "(before) => !calls.at(-1).localDescription.sdp.includes(`ice-ufrag:${before}`)", arg=before.strip()
        )
        for each in (anna, ben):
            moving(each)
    anna.evaluate(TELL, "call.relay")
    anna.wait_for_function(RELAYED, timeout=60_000)
    for page in (anna, ben):
        moving(page)
        assert page.evaluate("calls.length") == 1


def test_the_menu_sets_the_volume_and_fills_the_screen_and_the_stranger_is_hidden_by_one_press_at_every_size_and_by_escape(
    window: Opener, calls: Server
) -> None:
    anna, ben = two(window, calls.url, "menu", {"painted": True}, lifts=True)
    moving(anna)
    anna.get_by_role("button", name="Picture and sound").click()
    anna.locator("#volume").fill("0.25")
    assert anna.evaluate("document.querySelector('#theirs').volume") == 0.25
    anna.get_by_role("button", name="Full screen").click()
    anna.wait_for_function("() => document.fullscreenElement?.matches('.call')")
    filled(anna)
    for width, height in ((320, 640), (360, 740), (740, 360), (1280, 800)):  # in one call: to begin one costs most
        anna.set_viewport_size({"width": width, "height": height})
        pressed(anna, width)
    escaped(anna, ben)


def filled(anna: Page) -> None:
    """The picture has all of the screen, the rest lies over it; a button, Escape and a letter end it, and Escape hides nobody by that."""
    screen = {"x": 0, "y": 0, "width": 1280, "height": 800}
    ends: list[Callable[[], None]] = [
        lambda: anna.get_by_role("button", name="End full screen").click(),
        lambda: anna.keyboard.press("Escape"),
        lambda: anna.keyboard.press("f"),
    ]
    for end in ends:
        expect(anna.locator(".call[data-full]")).to_be_visible()
        assert anna.locator("#theirs").bounding_box() == screen
        expect(anna.locator("#hangup")).to_be_in_viewport(ratio=1)
        expect(anna.locator(".room .deck")).to_be_hidden()
        picture(anna, "video/full-1280")
        end()
        expect(anna.locator(".call:not([data-full])")).to_be_visible()
        anna.wait_for_function("() => !document.fullscreenElement")
        expect(anna.locator("#message")).to_be_in_viewport(ratio=1)
        expect(anna.locator("#theirs")).to_be_visible()
        anna.locator("#hangup").focus()
        anna.keyboard.press("f")
    anna.get_by_role("button", name="Messages").click()
    expect(anna.locator("#message")).to_be_in_viewport(ratio=1)
    picture(anna, "video/full-messages-1280")
    anna.get_by_role("button", name="End full screen").click()
    expect(anna.locator(".call:not([data-full])")).to_be_visible()


def test_in_full_screen_the_controls_fade_come_back_by_a_move_and_a_double_press_is_the_way_in_and_out(
    window: Opener, calls: Server
) -> None:
    anna, _ = two(window, calls.url, "fades", lifts=True)
    moving(anna)
    anna.mouse.dblclick(400, 300)
    anna.wait_for_function("() => document.fullscreenElement?.matches('.call')")
    anna.mouse.move(500, 300)
    expect(anna.locator(".stage[data-idle]")).to_be_visible()
    for place in (".rail", ".over-bar"):
        expect(anna.locator(place)).to_have_css("opacity", "0")
        expect(anna.locator(place)).to_have_css("pointer-events", "none")
    picture(anna, "video/full-faded-1280")
    anna.mouse.move(510, 310)
    expect(anna.locator(".stage[data-idle]")).to_have_count(0)
    expect(anna.locator(".rail")).to_have_css("opacity", "1")
    anna.locator("#mute").hover()
    anna.locator("#mute").focus()
    anna.keyboard.press("Tab")  # a control with the focus stays
    expect(anna.locator(".rail :focus-visible")).to_have_count(1)
    anna.mouse.dblclick(400, 300)
    expect(anna.locator(".call:not([data-full])")).to_be_visible()
    anna.wait_for_function("() => !document.fullscreenElement")


def pressed(anna: Page, width: int) -> None:
    """One press hides them, and the next key does not show them."""
    picture(anna, f"video/panic-before-{width}")
    anna.click("#blur-now")
    expect(anna.locator("#theirs")).to_be_hidden()
    expect(anna.locator(".curtain")).to_be_visible()
    assert anna.evaluate("document.querySelector('#theirs').muted")
    anna.keyboard.press("Enter")
    expect(anna.locator(".gate")).to_contain_text("Your curtain is drawn")
    expect(anna.locator("#theirs")).to_be_hidden()
    picture(anna, f"video/panic-{width}")
    anna.click("#show")
    expect(anna.locator("#theirs")).to_be_visible()


def escaped(anna: Page, ben: Page) -> None:
    """Escape hides them while one writes, and again leaves."""
    anna.click("#message")
    anna.keyboard.type("b is a letter here")
    expect(anna.locator("#theirs")).to_be_visible()
    anna.keyboard.press("Escape")
    expect(anna.locator("#theirs")).to_be_hidden()
    assert anna.evaluate("document.querySelector('#theirs').muted")
    anna.keyboard.type(" still ")
    expect(anna.locator("#message")).to_have_value("b is a letter here still ")
    expect(anna.locator("#theirs")).to_be_hidden()
    anna.keyboard.press("Escape")
    expect(anna.locator(".divider.over")).to_have_text("You left")
    expect(ben.locator(".divider.over")).to_have_text("The stranger left")


def test_who_has_no_camera_is_told_to_have_none_and_who_is_muted_to_be_so(window: Opener, calls: Server) -> None:
    anna, ben = prepare(window, lifts=True), prepare(window, lifts=True)
    ben.add_init_script(
        """const both = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wish) => {
          if (wish.video) throw new DOMException('', 'NotFoundError');
          return both(wish);
        };"""
    )
    begin(anna, calls.url, "sound only")
    ben.goto(calls.url)
    ben.fill("#topics", "sound only,")
    ben.click("#start-video")
    ben.get_by_role("button", name="Sound only").click()
    ben.click("#ready-go")
    expect(anna.locator(".told")).to_have_text("Their camera is off.")
    expect(anna.locator(".bar .who p")).to_have_text("Good connection Sound only")
    expect(ben.locator("#camera")).to_have_attribute("aria-label", "Turn camera on")
    ben.click("#mute")
    expect(anna.locator(".bar .who p")).to_have_text("Good connection They are muted.")
    picture(anna, "video/sound-only-d")
    ben.click("#mute")
    expect(anna.locator(".bar .who p")).to_have_text("Good connection Sound only")
    ben.click("#camera")  # there is none: it says so, and the call goes on
    expect(ben.locator(".trouble")).to_contain_text("No camera found.")
    expect(anna.locator(".bar .who p")).to_have_text("Good connection Sound only")


def test_a_picture_that_does_not_come_is_one_card_with_one_way_on(window: Opener, calls: Server) -> None:
    anna, _ = two(window, calls.url, "no picture")
    expect(anna.locator(".gate")).to_be_visible()
    expect(anna.locator(".bar .who p")).to_contain_text(
        "Behind the curtain"
    )  # live: told later, it would undo the failure
    anna.evaluate(TELL, "call.failed")
    expect(anna.locator(".gate")).to_have_count(0)
    expect(anna.locator(".told")).to_contain_text("The picture will not come through.")
    expect(anna.get_by_role("button", name="Next person")).to_have_count(1)
    picture(anna, "video/failed-d")
    anna.set_viewport_size({"width": 390, "height": 740})
    picture(anna, "video/failed-m")
