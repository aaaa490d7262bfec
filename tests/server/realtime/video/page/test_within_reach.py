"""Blur, mute, camera and Next at every size: wholly in the window, under nothing else, large enough for a finger."""

import pytest
from playwright.sync_api import Page, expect

from tests.server.realtime.video.page.conftest import moving, sized
from tests.server.realtime.video.page.test_windows import two
from tests.server.site.web.conftest import Opener
from tests.server.site.web.servers import Server
from tests.support.pictures import picture

pytestmark = pytest.mark.timeout(180)
SIZES = [(320, 568), (320, 460), (360, 740), (568, 270), (640, 300), (740, 360), (900, 1200), (1280, 800), (3840, 2160)]
CONTROLS = [
    "#blur-now",
    ".over-bar .disc:not(#blur-now, .flag)",
    ".over-bar .flag",
    "#mute",
    "#camera",
    "#next",
    "#hangup",
]
LOOK = "(size) => dispatchEvent(new CustomEvent('look', { detail: { size } }))"
# Those that cannot be pressed where they are shown, and why.
LOST = """(controls) => controls.flatMap((name) => {
  const node = document.querySelector(name);
  if (name.endsWith('.flag') && !node.checkVisibility()) return [];  // beside the conversation there is another
  const box = node.getBoundingClientRect();
  if (box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight) return [`${name} is outside: ${JSON.stringify(box)}`];
  if (box.width < 43.5 || box.height < 43.5) return [`${name} is ${box.width}x${box.height}`];
  const points = [[0.5, 0.5], [0.2, 0.5], [0.8, 0.5], [0.5, 0.2], [0.5, 0.8]];
  const tops = points.map(([x, y]) => document.elementFromPoint(box.left + x * box.width, box.top + y * box.height));
  const over = tops.find((top) => !node.contains(top));
  return over ? [`${name} is under ${over.outerHTML.slice(0, 80)}`] : [];
})"""


def lost(page: Page, where: str) -> list[str]:
    """What cannot be pressed, with where that was seen."""
    return [f"{where}: {found}" for found in page.evaluate(LOST, CONTROLS)]


def test_each_control_of_a_call_is_within_reach_in_both_directions_and_with_larger_text(
    window: Opener, calls: Server
) -> None:
    anna, ben = two(window, calls.url, "reach", lifts=True)  # one call for all: to begin one costs most
    moving(anna)
    wrong = larger(anna)
    ben.click("#mute")
    expect(anna.locator(".name .gives")).to_be_visible()
    for direction in ("ltr", "rtl"):
        anna.emulate_media(color_scheme="dark" if direction == "rtl" else "light")
        anna.evaluate("(dir) => { document.documentElement.dir = dir; }", direction)
        wrong += reached(anna, direction)
    assert not wrong, "\n".join(wrong)


def reached(anna: Page, direction: str) -> list[str]:
    """What is out of reach at any size: as it is, with the own picture in each corner, reading, with messages, blurred."""
    wrong: list[str] = []
    for width, height in SIZES:
        sized(anna, width, height)
        size = f"{width}x{height} {direction}"
        wrong += lost(anna, size)
        picture(anna, f"video/reach-{width}-{height}-{direction}")
        for key in ("ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"):
            anna.locator(".small-own").press(key)
            wrong += lost(anna, f"{size} after {key}")
        anna.locator(".call .middle").focus()  # by the keyboard: it shows what is out of sight while nobody reads it
        expect(anna.locator(".call .middle:focus-visible")).to_be_visible()
        wrong += lost(anna, f"{size} reading")
        picture(anna, f"video/reach-{width}-{height}-{direction}-reading")
        messages = anna.locator("#messages")
        if messages.is_visible():
            messages.click()
            wrong += lost(anna, f"{size} with messages")
            picture(anna, f"video/reach-{width}-{height}-{direction}-open")
            messages.click()
        anna.locator("#blur-now").click()
        wrong += lost(anna, f"{size} blurred")
        picture(anna, f"video/reach-{width}-{height}-{direction}-blurred")
        anna.click("#show")
    return wrong


def larger(anna: Page) -> list[str]:
    """The same with the largest text, which goes as the settings would change it."""
    anna.evaluate(LOOK, 130)
    wrong: list[str] = []
    for width, height in SIZES:
        sized(anna, width, height)
        wrong += lost(anna, f"{width}x{height}")
        picture(anna, f"video/reach-{width}-{height}-large")
    anna.evaluate(LOOK, 100)
    return wrong
