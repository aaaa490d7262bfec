"""What one can do in a call: another camera, the menu's means, another way through; and the connection is mended in place."""

import pytest
from playwright.sync_api import expect

from tests.server.video.page.conftest import moving
from tests.server.video.page.test_windows import two
from tests.server.web.conftest import Opener
from tests.server.web.servers import Server

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


def test_another_camera_is_taken_in_the_midst_of_a_call(window: Opener, calls: Server) -> None:
    anna, ben = two(window, calls.url, "cameras", blur=False)
    for page in (anna, ben):
        moving(page)
    assert ben.evaluate(CAMERAS) == ["fake_device_0"]
    ben.get_by_role("button", name="Picture and sound").click()
    ben.select_option("#choose-camera", label="fake_device_2")
    ben.keyboard.press("Escape")
    ben.wait_for_function(SEES, arg="fake_device_2")
    moving(anna)
    ben.get_by_role("button", name="Next camera").click()
    ben.wait_for_function(SEES, arg="fake_device_0")
    for page in (anna, ben):
        moving(page)
        assert page.evaluate("calls.length") == 1


def test_the_menu_blurs_fills_the_screen_and_sets_the_volume(window: Opener, calls: Server) -> None:
    anna, _ = two(window, calls.url, "menu", blur=False)
    moving(anna)
    anna.get_by_role("button", name="Picture and sound").click()
    anna.locator("#volume").fill("0.25")
    assert anna.evaluate("document.querySelector('#theirs').volume") == 0.25
    anna.get_by_role("button", name="Full screen").click()
    anna.wait_for_function("() => document.fullscreenElement?.matches('.call')")
    anna.keyboard.press("f")
    anna.wait_for_function("() => !document.fullscreenElement")
    anna.get_by_role("button", name="Picture and sound").click()
    anna.locator("#call-menu button", has_text="Blur").click()
    expect(anna.locator("#theirs")).to_have_class("blur")
    assert anna.evaluate("document.querySelector('#theirs').muted")
    expect(anna.locator("#show")).to_be_focused()


def test_ice_begins_anew_and_goes_through_the_relay_within_the_same_call(window: Opener, calls: Server) -> None:
    anna, ben = two(window, calls.url, "anew", blur=False)
    for page in (anna, ben):
        moving(page)
    for page in (anna, ben):  # from either side: the one that offered, and the other
        before = page.evaluate(UFRAG)
        page.evaluate("calls.at(-1).restartIce()")
        page.wait_for_function(
            "(before) => !calls.at(-1).localDescription.sdp.includes(`ice-ufrag:${before}`)", arg=before.strip()
        )
        for each in (anna, ben):
            moving(each)
    anna.evaluate(TELL, "call.relay")
    anna.wait_for_function(RELAYED)
    for page in (anna, ben):
        moving(page)
        assert page.evaluate("calls.length") == 1
