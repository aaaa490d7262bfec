"""What one shows of oneself, and what the other is told of it: off, muted, blurred, before and after a reload."""

import pytest
from playwright.sync_api import Page, expect

from tests.server.realtime.video.page.conftest import begin, moving, prepare
from tests.server.realtime.video.page.test_windows import two
from tests.server.site.web.conftest import Opener, opened
from tests.server.site.web.servers import Server
from tests.support.pictures import picture

pytestmark = pytest.mark.timeout(120)
CAMERA = "tracks.some(({kind, readyState}) => kind === 'video' && readyState === 'live')"
OWN = "document.querySelector('.small-own .own')?.srcObject?.getVideoTracks() ?? []"
# The steepest step between two neighbours of the stranger's picture, 0 where there is none: the false camera's shape has sharp edges.
STEEPEST = """() => {
  const pen = Object.assign(document.createElement('canvas'), {width: 160, height: 120}).getContext('2d');
  const theirs = document.querySelector('#theirs');
  if (!theirs) return 0; // nobody is met yet
  pen.drawImage(theirs, 0, 0, 160, 120);
  const { data } = pen.getImageData(0, 0, 160, 120);
  let most = 0;
  for (let at = 4; at < data.length; at += 4)
    if ((at / 4) % 160) most = Math.max(most, Math.abs(data[at] - data[at - 4]) + Math.abs(data[at + 1] - data[at - 3]));
  return most;
}"""
SHARP = f"() => ({STEEPEST})() > 60"
SOFT = f"() => {{ const most = ({STEEPEST})(); return most > 0 && most < 30; }}"
# A camera that can blur what is behind a person; what it was asked for is in `asked`.
BACKGROUND = """
  globalThis.asked = [];
  const real = MediaStreamTrack.prototype.getCapabilities;
  MediaStreamTrack.prototype.getCapabilities = function () {
    return this.kind === 'video' ? {...real.call(this), backgroundBlur: [false, true]} : real.call(this);
  };
  MediaStreamTrack.prototype.applyConstraints = async function (wish) {
    if (globalThis.broken) throw new DOMException('', 'OverconstrainedError');
    asked.push(wish);
  };
"""


def blur(page: Page, what: str) -> None:
    """Of oneself, in the menu of a call."""
    page.get_by_role("button", name="Picture and sound").click()
    page.select_option("#own-blur", label=what)
    opened(page, "#call-menu")
    page.keyboard.press("Escape")


def test_the_other_is_told_of_each_that_is_off_and_that_it_is_on_again_and_knows_it_after_a_reload(
    window: Opener, calls: Server
) -> None:
    anna, ben = two(window, calls.url, "told", lifts=True)
    for page in (anna, ben):
        moving(page)
    line, stage, said = (anna.locator(place) for place in (".bar .who p", ".name .gives", "#say"))
    expect(stage).to_have_count(0)
    ben.click("#mute")
    for place in (line, stage, said):
        expect(place).to_contain_text("They are muted.")
    expect(line).to_contain_text("Good connection")
    picture(anna, "video/muted-d")
    ben.click("#camera")
    for place in (anna.locator(".told"), said):
        expect(place).to_have_text("Their camera and microphone are off.")
    ben.click("#mute")
    expect(stage).to_have_count(0)
    expect(line).to_contain_text("Sound only")
    for place in (anna.locator(".told"), said):
        expect(place).to_have_text("Their camera is off.")
    anna.set_viewport_size({"width": 320, "height": 568})
    expect(anna.locator(".told")).to_be_in_viewport(ratio=1)
    picture(anna, "video/sound-only-320")
    ben.click("#camera")
    for place in (anna.locator(".told"), stage):
        expect(place).to_have_count(0)
    expect(said).to_be_empty()
    moving(anna)
    kept(anna, ben)


def kept(anna: Page, ben: Page) -> None:
    """What was off and blurred is so after a reload, and the other one knows."""
    ben.click("#camera")
    ben.click("#mute")
    blur(ben, "All of it")
    expect(anna.locator(".told")).to_have_text("Their camera and microphone are off.")
    ben.reload()
    expect(ben.locator("#camera")).to_have_attribute("aria-pressed", "true")
    expect(ben.locator("#mute")).to_have_attribute("aria-pressed", "true")
    moving(ben)
    expect(anna.locator(".told")).to_have_text("Their camera and microphone are off.")
    assert not ben.evaluate(CAMERA)
    assert ben.evaluate("tracks.every(({kind, enabled}) => kind === 'audio' && !enabled)")
    ben.click("#camera")
    anna.wait_for_function(SOFT)


def test_a_camera_that_was_turned_off_is_off_in_the_next_call_and_comes_on_by_a_press(
    window: Opener, calls: Server
) -> None:
    anna, ben = two(window, calls.url, "stays off", lifts=True)
    for page in (anna, ben):
        moving(page)
    ben.click("#camera")
    anna.click("#hangup")
    anna.click("#hangup")
    expect(ben.locator("#meet")).to_be_visible()
    ben.click("#meet")
    carla = prepare(window, lifts=True)
    begin(carla, calls.url, "stays off")
    expect(carla.locator(".told")).to_have_text("Their camera is off.")
    assert not ben.evaluate(CAMERA)
    ben.click("#camera")
    expect(carla.locator(".told")).to_have_count(0)
    moving(carla)


def test_who_blurs_themself_is_seen_as_colours_alone_and_sees_it_first(window: Opener, calls: Server) -> None:
    anna, ben = two(window, calls.url, "own blur", lifts=True)
    for page in (anna, ben):
        moving(page)
    anna.wait_for_function(SHARP)
    blur(ben, "All of it")
    anna.wait_for_function(SOFT)
    moving(anna)  # it is a picture that goes on, not one that stands
    assert ben.evaluate("calls.length") == 1
    picture(anna, "video/own-blur-theirs-d")
    picture(ben, "video/own-blur-d")
    ben.click("#camera")
    expect(anna.locator(".told")).to_have_text("Their camera is off.")
    assert not ben.evaluate(CAMERA)  # the camera behind what is drawn is off too
    ben.click("#camera")
    anna.wait_for_function(SOFT)
    ben.get_by_role("button", name="Next camera").click()
    ben.wait_for_function(f"() => ({OWN}).length === 1 && ({OWN})[0] instanceof CanvasCaptureMediaStreamTrack")
    blur(ben, "No")
    ben.wait_for_function(f"() => ({OWN}).length === 1 && ({OWN})[0].label === 'fake_device_1'")
    ben.get_by_role("button", name="Picture and sound").click()
    ben.select_option("#choose-camera", label="fake_device_0")
    opened(ben, "#call-menu")
    ben.keyboard.press("Escape")
    anna.wait_for_function(SHARP)


def test_what_is_behind_is_blurred_by_the_browser_where_it_can_and_all_of_it_where_it_fails(
    window: Opener, calls: Server
) -> None:
    anna, ben = prepare(window, lifts=True), prepare(window, lifts=True)
    ben.add_init_script(BACKGROUND)
    begin(anna, calls.url, "background")
    ben.goto(calls.url)
    ben.fill("#topics", "background,")
    ben.click("#start-video")
    ben.select_option("#own-blur", label="What is behind you")
    ben.wait_for_function("() => asked.at(-1)?.backgroundBlur === true")
    assert ben.evaluate("asked.at(-1).width") == 1280  # the wishes of before hold
    picture(ben, "video/ready-own-d")
    ben.click("#ready-go")
    anna.wait_for_function(SHARP)  # the picture is the camera's own
    ben.evaluate("globalThis.broken = true")
    ben.click("#camera")
    ben.click("#camera")
    anna.wait_for_function(SOFT)


def test_without_a_camera_or_a_browser_that_can_there_is_nothing_to_choose(window: Opener, calls: Server) -> None:
    page = prepare(window)
    page.add_init_script("delete HTMLCanvasElement.prototype.captureStream")
    page.goto(calls.url)
    page.click("#start-video")
    expect(page.locator("#ready-go")).not_to_have_attribute("aria-disabled", "true")
    expect(page.locator("#choose-camera")).to_be_visible()
    expect(page.locator("#own-blur")).to_have_count(0)
