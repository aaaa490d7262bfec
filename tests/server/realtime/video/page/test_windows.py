"""Two browser windows with false cameras see each other's moving picture, and nobody's camera stays on."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.server.realtime.video.page.conftest import DECODED, PAIR, begin, moving, prepare, sized
from tests.server.site.web.conftest import Opener, Watch
from tests.server.site.web.servers import Network, Server
from tests.support.pictures import picture

pytestmark = pytest.mark.timeout(120)
LIGHT = "tracks.some((track) => track.readyState === 'live')"


def two(
    window: Opener, url: str, topic: str, first: dict[str, object] | None = None, **both: object
) -> tuple[Page, Page]:
    """Two windows in one call."""
    pages = prepare(window, **both, **(first or {})), prepare(window, **both)
    for page in pages:
        begin(page, url, topic)
    for page in pages:
        expect(page.locator("#theirs")).to_be_attached()
    return pages


# Whether a picture of the stranger was ever on the screen: an element that was given a frame has a size.
UNSEEN = """() => {
  const video = document.querySelector('#theirs');
  return video.videoWidth === 0 && video.getVideoPlaybackQuality().totalVideoFrames === 0 && !(video.srcObject?.getVideoTracks().length);
}"""
HEARS = "() => { const { muted, srcObject } = document.querySelector('#theirs'); return !muted && srcObject?.getAudioTracks().length === 1; }"


def test_two_windows_hear_each_other_lift_their_curtains_talk_and_part(window: Opener, calls: Server) -> None:
    anna, ben = two(window, calls.url, "looking", {"painted": True})
    for page in (anna, ben):
        expect(page.locator("#show")).to_be_focused()
        expect(page.locator("#show")).to_have_text("Lift my curtain")
        page.wait_for_function(HEARS)
        expect(page.locator(".bar .who p")).to_contain_text("Behind the curtain")
    picture(anna, "video/curtain-d")
    anna.click("#show")
    expect(anna.locator(".told")).to_have_text("Your curtain is up. You see each other when they lift theirs.")
    expect(ben.locator("#say")).to_have_text("They lifted their curtain.")
    picture(anna, "video/curtain-waiting-d")
    for page in (anna, ben):
        assert page.evaluate(UNSEEN)
        assert page.evaluate(DECODED) == 0, "and no frame came over the wire"
    ben.click("#show")
    for page in (anna, ben):
        expect(page.locator(".curtain")).to_have_count(0)
        expect(page.locator("#theirs")).to_be_visible()
        moving(page)
    expect(anna.locator("#say")).to_have_text("Both curtains are up: you see each other.")
    anna.fill("#message", "can you see me?")
    anna.press("#message", "Enter")
    expect(ben.locator(".line").last).to_contain_text("can you see me?")
    picture(anna, "video/call-d")
    turned_off(anna, ben)
    drawn(anna, ben)
    for text in anna.evaluate("[document.body.innerText]"):
        assert "127.0.0.1" not in text
    anna.click("#hangup")
    anna.click("#hangup")
    expect(ben.locator(".divider.over")).to_have_text("The stranger left")
    picture(ben, "video/ended-d")
    for page in (anna, ben):
        page.wait_for_function(f"() => !({LIGHT})")
        assert page.evaluate("calls.every((call) => call.connectionState === 'closed')")
    ben.click("#meet")
    ben.wait_for_function(f"() => {LIGHT}")
    expect(ben.locator(".self .own")).to_be_visible()
    circle, own = (ben.locator(selector).bounding_box() for selector in (".circles .one", ".self .own"))
    assert circle is not None
    assert own is not None
    assert abs(circle["x"] - own["x"]) < 8  # a stroke lies over its edge
    assert abs(circle["y"] - own["y"]) < 8
    picture(ben, "video/wait-d")
    begin(prepare(window), calls.url, "looking")
    expect(ben.locator("#show")).to_be_focused()  # as in the first call
    ben.click("#hangup")
    ben.click("#hangup")
    ben.wait_for_function(f"() => !({LIGHT})")


def turned_off(anna: Page, ben: Page) -> None:
    """Turn a camera off and on, and mute."""
    ben.click("#camera")
    expect(anna.locator(".told")).to_have_text("Their camera is off.")
    expect(anna.locator("#theirs")).to_be_hidden()  # the last frame is a face too
    assert not ben.evaluate("tracks.some((track) => track.kind === 'video' && track.readyState === 'live')")
    ben.click("#camera")
    expect(anna.locator(".told")).to_have_count(0)
    expect(anna.locator("#theirs")).to_be_visible()
    moving(anna)
    ben.click("#mute")
    expect(ben.locator("#mute")).to_have_attribute("aria-pressed", "true")
    assert not ben.evaluate(
        "tracks.some((track) => track.kind === 'audio' && track.readyState === 'live' && track.enabled)"
    )


def drawn(anna: Page, ben: Page) -> None:
    """Draw a curtain by its key: neither sees the other any more."""
    anna.locator("#hangup").focus()
    anna.keyboard.press("b")
    for page in (anna, ben):
        expect(page.locator(".curtain")).to_be_visible()
        expect(page.locator("#theirs")).to_be_hidden()
    expect(ben.locator("#say")).to_have_text("They drew their curtain.")
    ben.wait_for_function("() => calls.at(-1).getSenders().every(({ track }) => track?.kind !== 'video')")


SENT = """async () => {
  let bytes = 0;
  for (const entry of (await calls.at(-1).getStats()).values()) if (entry.type === 'outbound-rtp') bytes += entry.bytesSent;
  return [bytes, calls.at(-1).getSenders().filter((sender) => sender.track).length];
}"""


def test_while_the_age_is_asked_neither_side_sends_or_shows_the_call_and_it_goes_on_after_the_answer(
    window: Opener, calls: Server
) -> None:
    anna, ben = two(window, calls.url, "held")
    for page in (anna, ben):
        page.click("#show")
    for page in (anna, ben):
        moving(page)
    anna.fill("#message", "im 14 btw")
    anna.press("#message", "Enter")
    dialog = anna.get_by_role("dialog", name="You wrote that you are 14")
    expect(dialog).to_be_visible()
    for page in (anna, ben):
        expect(page.locator("#theirs")).to_be_hidden()
        expect(page.locator(".told")).to_contain_text("Picture and sound are off on both sides")
        page.wait_for_function("() => calls.at(-1).getSenders().every((sender) => !sender.track)")
        assert page.evaluate("document.querySelector('#theirs').muted")
        before = page.evaluate(SENT)
        page.wait_for_timeout(1_000)  # a time in which a call sends a hundred packets
        assert page.evaluate(SENT) == before
    picture(anna, "video/held-asked-d")
    picture(ben, "video/held-d")
    sized(ben, 390, 844)
    picture(ben, "video/held-p")
    dialog.get_by_role("button", name="I am 18 or over").click()
    for page in (anna, ben):
        expect(page.locator("#theirs")).to_be_visible()
        moving(page, 5)
        assert not page.evaluate("document.querySelector('#theirs').muted")
        assert page.evaluate(SENT)[1] == 2


def test_with_a_hidden_address_both_go_through_the_relay_and_no_signal_holds_another(
    window: Opener, calls: Server
) -> None:
    heard: list[str] = []

    def listen(socket: WebSocket) -> None:
        socket.on("framereceived", lambda frame: heard.append(str(frame)))

    pages = prepare(window, hide=True, lifts=True), prepare(window, lifts=True)
    for page in pages:
        page.on("websocket", listen)
        begin(page, calls.url, "hidden")
    for page in pages:
        moving(page)
        assert page.evaluate(PAIR) == ["relay", "relay"]
    signals = [frame for frame in heard if '"signal"' in frame]
    assert any("typ relay" in frame for frame in signals)
    assert any('"description"' in frame for frame in signals)
    for frame in signals:
        assert not any(kind in frame for kind in ("typ host", "typ srflx", "typ prflx", ".local"))


def test_one_side_reloads_and_the_picture_comes_back(window: Opener, calls: Server) -> None:
    anna, ben = two(window, calls.url, "reload", lifts=True)
    for page in (anna, ben):
        moving(page)
    for gone, stays in ((anna, ben), (ben, anna)):
        gone.reload()
        expect(gone.locator("#theirs")).to_be_attached()
        moving(gone)
        moving(stays)


def test_three_seconds_without_a_network_do_not_end_the_call(window: Opener, watch: Watch, calls: Server) -> None:
    watch.quiet = (
        "WebSocket connection to",
        "Failed to load resource",
        "net::ERR_",
    )  # what Chromium says of a cut network
    network = Network(calls.port)
    try:
        anna, ben = prepare(window, lifts=True), prepare(window, lifts=True)
        begin(anna, network.url, "cut")
        begin(ben, calls.url, "cut")
        for page in (anna, ben):
            moving(page)
        network.cut()
        anna.wait_for_timeout(3_000)  # the outage itself
        network.mend()
        expect(anna.locator(".banner")).to_have_count(0, timeout=15_000)
        for page in (anna, ben):
            moving(page)
            assert page.evaluate("calls.length") == 1
    finally:
        network.close()


def test_a_phone_has_the_same_upright_and_on_its_side(window: Opener, calls: Server) -> None:
    phone = {"width": 360, "height": 740, "has_touch": True, "color_scheme": "dark"}
    anna, ben = two(window, calls.url, "phone", {"painted": True}, **phone)
    picture(anna, "video/curtain-m")
    anna.click("#show")
    ben.click("#show")
    moving(anna)
    ben.click("#messages")
    ben.fill("#message", "my mic is a bit quiet")
    ben.press("#message", "Enter")
    picture(ben, "video/messages-m")
    expect(anna.locator("#messages")).to_have_attribute("aria-label", "Messages, 1 new")
    picture(anna, "video/call-m")
    anna.set_viewport_size({"width": 740, "height": 360})
    picture(anna, "video/call-l")
    anna.click("#hangup")
    anna.click("#hangup")
    picture(anna, "video/ended-l")
    picture(ben, "video/ended-m")


@pytest.mark.parametrize(
    ("name", "state", "text"),
    [
        ("NotAllowedError", "prompt", "The camera is not allowed yet."),
        ("NotAllowedError", "denied", "This browser blocks the camera for this page."),
        ("NotFoundError", "granted", "No camera found. You can go on with sound only."),
        ("NotReadableError", "granted", "Another program is using the camera."),
    ],
)
def test_each_cause_of_a_missing_camera_has_one_sentence_and_a_way_on(
    window: Opener, calls: Server, name: str, state: str, text: str
) -> None:
    page = prepare(window)
    page.add_init_script(
        f"""const granted = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wish) => {{
          if (!globalThis.well && (wish.video || {json.dumps(name)} !== 'NotFoundError')) throw new DOMException('', {json.dumps(name)});
          return granted(wish);
        }};
        navigator.permissions.query = async () => ({{state: {json.dumps(state)}}});"""
    )
    page.goto(calls.url)
    page.click("#start-video")
    expect(page.locator(".trouble p")).to_contain_text(text)
    picture(page, f"video/ready-{name}-{state}")
    page.evaluate("(well) => { globalThis.well = well; }", name != "NotFoundError")
    page.locator(".trouble button").first.click()
    expect(page.locator(".trouble")).to_have_count(0)
    expect(page.locator("#ready-go")).not_to_have_attribute("aria-disabled", "true")
    picture(page, "video/ready-d")


def test_one_side_closes_its_window_and_the_other_hears_that_it_is_lost(window: Opener, tmp_path: Path) -> None:
    server = Server(tmp_path, SERENDIP_SESSION__GRACE="3")
    try:
        anna, ben = two(window, server.url, "closes", lifts=True)
        for page in (anna, ben):
            moving(page)
        anna.close()
        expect(ben.locator(".bar .who")).to_contain_text("Away")
        assert ben.evaluate(LIGHT)  # they may come back
        expect(ben.locator(".divider.over")).to_have_text("The stranger's connection was lost")
        ben.wait_for_function(f"() => !({LIGHT})")
        assert ben.evaluate("calls.every((call) => call.connectionState === 'closed')")
        ben.context.close()  # before the server goes, or it would ask for it, and the console would tell
    finally:
        server.stop()


def test_whoever_goes_on_by_themself_meets_the_next_with_the_camera_on(window: Opener, calls: Server) -> None:
    anna, ben = two(window, calls.url, "goes on", lifts=True, first={"auto": True})
    for page in (anna, ben):
        moving(page)
    ben.click("#hangup")
    ben.click("#hangup")
    expect(anna.locator("#meet")).to_contain_text("Next stranger in")
    assert anna.evaluate(LIGHT)
    picture(anna, "video/next-d")
    expect(anna.locator("h1")).to_contain_text("Looking for someone")
    assert anna.evaluate(LIGHT)
    carla = prepare(window, lifts=True)
    begin(carla, calls.url, "goes on")
    for page in (anna, carla):
        moving(page)
    carla.click("#hangup")
    carla.click("#hangup")
    expect(anna.locator("#meet")).to_contain_text("Next stranger in")
    anna.keyboard.press("Escape")
    anna.wait_for_function(f"() => !({LIGHT})")
    expect(anna.locator("#meet")).to_have_text("Meet someone new")
