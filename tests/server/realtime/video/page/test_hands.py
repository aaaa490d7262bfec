"""What hands do to the pictures, and what a bad connection does: the own one goes to a corner, the stranger's is seen whole, sound comes first."""

import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bench.video.coturn import SECRET, Turn
from tests.server.realtime.video.lossy import Lossy
from tests.server.realtime.video.page.conftest import moving, sized
from tests.server.realtime.video.page.test_windows import two
from tests.server.site.web.conftest import Opener
from tests.server.site.web.servers import Server
from tests.support.pictures import picture

pytestmark = pytest.mark.timeout(120)
MIDDLE = """(selector) => {
  const [own, all] = [selector, '.frame'].map((name) => document.querySelector(name).getBoundingClientRect());
  return [(own.x + own.width / 2 - all.x) / all.width, (own.y + own.height / 2 - all.y) / all.height];
}"""
SOUND = """async () => {
  const video = calls.at(-1).getSenders().find(({track}) => track?.kind === 'video').getParameters().encodings[0];
  const audio = calls.at(-1).getSenders().find(({track}) => track?.kind === 'audio').getParameters().encodings[0];
  let heard = 0;
  for (const entry of (await calls.at(-1).getStats()).values())
    if (entry.type === 'inbound-rtp' && entry.kind === 'audio') heard = entry.packetsReceived;
  return [video.maxBitrate ?? 0, audio.priority, heard];
}"""


def corner(page: Page) -> str:
    """Where the own picture is within the frame."""
    x, y = page.evaluate(MIDDLE, ".small-own")
    return ("b" if y > 0.5 else "t") + ("r" if x > 0.5 else "l")


def drag(page: Page, x: float, y: float) -> None:
    """The own picture, to a place in the frame."""
    own, frame = page.locator(".small-own").bounding_box(), page.locator(".frame").bounding_box()
    assert own is not None
    assert frame is not None
    page.mouse.move(own["x"] + own["width"] / 2, own["y"] + own["height"] / 2)
    page.mouse.down()
    page.mouse.move(frame["x"] + x * frame["width"], frame["y"] + y * frame["height"], steps=5)
    page.mouse.up()


def fingers(page: Page, *apart: float) -> None:
    """Two fingers in the middle of the stranger's picture, moved so far apart, one distance after the other."""
    box = page.locator("#theirs").bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    hand = page.context.new_cdp_session(page)
    for number, distance in enumerate(apart):
        points = [{"x": middle[0], "y": middle[1] + side * distance / 2, "id": at} for at, side in enumerate((-1, 1))]
        hand.send("Input.dispatchTouchEvent", {"type": "touchMove" if number else "touchStart", "touchPoints": points})
    hand.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    hand.detach()


def twice(page: Page, x: float, y: float) -> None:
    """Two taps, a tenth of a second apart by their own clock, however late each of them arrives."""
    hand, now = page.context.new_cdp_session(page), time.time()
    for number in (0, 1):
        for kind, points in (("touchStart", [{"x": x + 2 * number, "y": y + number}]), ("touchEnd", [])):
            hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points, "timestamp": now + number / 10})
    hand.detach()


def test_the_own_picture_goes_to_a_corner_and_is_tapped_away_and_the_stranger_s_is_seen_whole(
    window: Opener, calls: Server
) -> None:
    anna, ben = two(window, calls.url, "hands", {"width": 360, "height": 740, "has_touch": True}, lifts=True)
    for page in (anna, ben):  # either has one of the two in hand: to begin a call costs most
        moving(page)
    for name, width, height in (("d", 1280, 800), ("m", 360, 740), ("l", 740, 360)):
        sized(ben, width, height)
        cornered(ben, name)
    whole(anna)


def cornered(page: Page, name: str) -> None:
    """It is dragged to each corner, goes there by keys, is tapped away and back."""
    for to, x, y in (("tl", 0.2, 0.2), ("bl", 0.2, 0.8), ("br", 0.8, 0.8), ("tr", 0.8, 0.2)):
        drag(page, x, y)
        expect(page.locator(".small-own")).to_have_attribute("data-corner", to)
        assert corner(page) == to
        picture(page, f"video/corner-{to}-{name}")
    page.locator(".small-own").focus()
    for key, to in (("ArrowLeft", "tl"), ("ArrowDown", "bl"), ("ArrowRight", "br"), ("ArrowUp", "tr")):
        page.keyboard.press(key)
        assert corner(page) == to
    page.click(".small-own")
    expect(page.locator(".small-own .own")).to_have_count(0)
    page.click(".small-own")
    expect(page.locator(".small-own .own")).to_have_count(1)


def whole(anna: Page) -> None:
    """By two taps or two fingers, and by the menu."""
    theirs = anna.locator("#theirs")
    expect(theirs).to_have_css("object-fit", "cover")
    for fit in ("contain", "cover"):
        twice(anna, 150, 330)
        expect(theirs).to_have_css("object-fit", fit)
    fingers(anna, 200, 180, 150, 120)
    expect(theirs).to_have_css("object-fit", "contain")
    picture(anna, "video/whole-m")
    fingers(anna, 100, 120, 150, 200)
    expect(theirs).to_have_css("object-fit", "cover")
    anna.touchscreen.tap(150, 330)
    expect(theirs).to_have_css("object-fit", "cover")
    for fit in ("contain", "cover"):  # and by who does not know of taps
        anna.get_by_role("button", name="Picture and sound").click()
        anna.get_by_role("switch", name="Whole picture").click()
        picture(anna, f"video/menu-{fit}-m")
        anna.keyboard.press("Escape")
        expect(theirs).to_have_css("object-fit", fit)


def test_where_the_connection_is_bad_the_picture_makes_room_for_the_sound(
    window: Opener, turn: Turn, tmp_path: Path
) -> None:
    line = Lossy(turn.port)
    there = f"turn:127.0.0.1:{line.port}?transport=udp"
    server = Server(tmp_path, SERENDIP_VIDEO__TURN=there, SERENDIP_VIDEO__TURN_SECRET=SECRET)
    try:
        anna, ben = two(window, server.url, "bad line", hide=True, lifts=True)
        for page in (anna, ben):
            moving(page)
        assert anna.evaluate(SOUND)[:2] == [0, "low"]
        line.loss = 0.15
        expect(anna.locator(".name small")).to_have_text("Very weak: sound first", timeout=20_000)
        expect(anna.locator(".name .bars")).to_have_attribute("data-lit", "1")
        assert spoken(anna, 80_000) == "high"
        heard = ben.evaluate(SOUND)[2]
        while ben.evaluate(SOUND)[2] < heard + 20:
            ben.wait_for_timeout(100)  # statistics have no event
        picture(anna, "video/bad-d")
        line.loss = 0.0
        expect(anna.locator(".name small")).to_have_text("Good connection", timeout=30_000)
        expect(anna.locator(".name .bars")).to_have_attribute("data-lit", "3")
        assert spoken(anna, 0) == "low"
        moving(ben)
        for page in (anna, ben):  # before the server goes, or they would ask for it, and the console would tell
            page.context.close()
    finally:
        server.stop()
        line.close()


def spoken(page: Page, rate: int) -> str:
    """Wait until the own picture may take so much (0: what it likes); the priority of the sound then."""
    for _ in range(400):
        most, priority, _ = page.evaluate(SOUND)
        if most == rate:
            return str(priority)
        page.wait_for_timeout(100)  # parameters have no event
    raise AssertionError(f"the picture may take {most}")
