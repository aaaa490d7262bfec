"""Windows of the video tests: a Chromium with false cameras.

Rule: the false camera is Chromium's own moving picture and beep; permission is given as a person would give it.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.server.site.web.conftest import ARGUMENTS, CHROMIUM, Opener, keep, watch, window  # noqa: F401 - fixtures

THREE = "--use-fake-device-for-media-stream=device-count=3,fps=5"  # cameras, of which the second sees depth alone; the last of a flag counts
# What a window's connections count, and the kinds of the candidates that carry the call.
SPY = """
  globalThis.calls = [];
  const Real = RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Real {
    constructor(...given) { super(...given); calls.push(this); }
  };
  const given = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  globalThis.tracks = [];
  navigator.mediaDevices.getUserMedia = async (wish) => {
    const stream = await given(wish);
    tracks.push(...stream.getTracks());
    return stream;
  };
"""
DECODED = """async () => {
  let frames = 0;
  for (const entry of (await calls.at(-1)?.getStats() ?? new Map()).values())
    if (entry.type === 'inbound-rtp' && entry.kind === 'video') frames = entry.framesDecoded ?? 0;
  return frames;
}"""
PAIR = """async () => {
  const all = [...(await calls.at(-1).getStats()).values()];
  const chosen = all.find(({type}) => type === 'transport')?.selectedCandidatePairId;
  const pair = all.find(({id}) => id === chosen);
  if (!pair) return [];
  const type = (side) => all.find(({id}) => id === side).candidateType;
  return [type(pair.localCandidateId), type(pair.remoteCandidateId)];
}"""

# A blurred stranger is not painted so: without a graphics card each of its pictures costs a core 27 ms, as much CPU as all else of a call. This
# rule comes after the page's own and changes nothing else: their class and silence are as ever. `painted`: for tests that look at the blur itself.
UNPAINTED = """
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('#theirs.blur { filter: none }');
  document.adoptedStyleSheets.push(sheet);
"""

# Lift the own curtain as soon as a call begins, for tests of what comes after.
LIFTING = """
  new MutationObserver(() => {
    const head = document.querySelector('.gate h2');
    if (head?.textContent === 'Someone is here') document.querySelector('#show').click();
  }).observe(document, { childList: true, subtree: true, characterData: true });
"""

# From now on a page waits ten times as long for what it gives some seconds: a second press, and what is to follow a report. A machine may be busy.
UNHURRIED = """() => {
  const soon = setTimeout;
  globalThis.setTimeout = (then, ms, ...more) => soon(then, ms === 1500 || ms === 3000 ? 10 * ms : ms, ...more);
}"""

# The stranger's picture as it is painted, coarsely.
PAINTED = """() => {
  const video = document.querySelector('#theirs');
  const canvas = Object.assign(document.createElement('canvas'), {width: 40, height: 30});
  const pen = canvas.getContext('2d');
  pen.drawImage(video, 0, 0, 40, 30);
  return [...pen.getImageData(0, 0, 40, 30).data].filter((_, at) => at % 4 < 3).map((value) => value >> 5).join('');
}"""


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium with three false cameras and a microphone."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, THREE])
        yield browser
        browser.close()


def prepare(opener: Opener, **choices: object) -> Page:
    """A window of an adult whose connections and tracks are counted.

    `painted`: a blurred stranger is blurred in its screenshots too; `lifts`: their curtain is lifted as soon as a call begins.
    """
    painted, lifts = choices.pop("painted", False), choices.pop("lifts", False)
    size = {name: choices.pop(name) for name in ("width", "height", "has_touch", "color_scheme") if name in choices}
    page = keep(opener(permissions=["camera", "microphone"], **size), adult=True, **choices)
    page.add_init_script(SPY)
    if not painted:
        page.add_init_script(UNPAINTED)
    if lifts:
        page.add_init_script(LIFTING)
    return page


def begin(page: Page, url: str, topic: str) -> None:
    """From home through the ready screen into the search."""
    page.goto(url)
    page.fill("#topics", topic)
    page.press("#topics", "Enter")
    page.click("#start-video")
    expect(page.locator("h1")).to_have_text("Check your picture")
    expect(page.locator("#ready-go")).not_to_have_attribute("aria-disabled", "true")
    page.click("#ready-go")


def sized(page: Page, width: int, height: int) -> None:
    """The window, and the call in it, which follows by an event."""
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_function(
        "() => Math.round(document.querySelector('.call').getBoundingClientRect().height) === innerHeight"
    )


def moving(page: Page, frames: int = 1) -> None:
    """Wait until the stranger's picture moved on by some frames."""
    begun = _frames(page, frames)
    _frames(page, begun)


def changing(page: Page) -> None:
    """Look at the picture itself until it was another one, and not one colour."""
    seen: set[str] = set()
    for _ in range(100):
        seen.add(str(page.evaluate(PAINTED)))
        if len(seen) >= 3 and any(len(set(picture)) > 1 for picture in seen):
            return
        page.wait_for_timeout(100)  # a picture has no event
    raise AssertionError(f"the picture stands still: {len(seen)} were seen")


def _frames(page: Page, more_than: int) -> int:
    """Wait for more frames than that; how many there are then."""
    for _ in range(200):
        found = int(page.evaluate(DECODED))
        if found > more_than:
            return found
        page.wait_for_timeout(100)  # statistics have no event
    raise AssertionError(f"no more than {found} frames were decoded")
