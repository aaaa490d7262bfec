"""A wait that lives: circles that move without a frame too long, questions that turn over, and no two sentences that contradict."""

import pytest
from playwright.sync_api import Page, expect

from tests.server.site.web.conftest import Opener, keep, meet
from tests.server.site.web.servers import Server
from tests.support.pictures import picture

SIZES = [(360, 640), (390, 844), (768, 1024), (1280, 800)]
CHANGE = """async (change) => {
  const store = await import(document.querySelector('script[type=module]').src.replace('app.js', 'store.js'));
  const state = store.get();
  const changed = Object.entries(change).map(([name, values]) => [name, {...state[name], ...values}]);
  store.show({...state, ...Object.fromEntries(changed)});
}"""
QUIET = {
    "waiting": {"accepts": "anyone", "widens": None, "quiet": True},
    "config": {"hours": [19, 21]},
    "status": {"usual": {"text": 10}, "talking": {"en": 14}},
}
FRAMES = """async (count) => {
  const gaps = [];
  let before = await new Promise(requestAnimationFrame);
  for (let frame = 0; frame < count; frame += 1) {
    const now = await new Promise(requestAnimationFrame);
    gaps.push(now - before);
    before = now;
  }
  return gaps;
}"""


def waits(page: Page, server: Server) -> Page:
    page.goto(server.url)
    page.click("#start-text")
    expect(page.locator(".asking span")).to_be_visible()
    return page


def test_a_question_turns_over_and_a_press_keeps_it(window: Opener, server: Server) -> None:
    page = keep(window(), adult=True, tags=["a question that nobody else has"])
    page.clock.install()
    waits(page, server)
    first = page.locator(".asking span").inner_text()
    page.clock.fast_forward(5100)
    expect(page.locator(".asking span")).not_to_have_text(first)
    page.locator(".asking").press("Enter")
    expect(page.locator(".asking")).to_have_attribute("aria-pressed", "true")
    kept = page.locator(".asking span").inner_text()
    page.clock.fast_forward(5100)
    page.clock.fast_forward(5100)
    assert page.locator(".asking span").inner_text() == kept


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_cut_or_scrolls_sideways_when_it_is_quiet(
    window: Opener, server: Server, width: int, height: int, theme: str
) -> None:
    page = waits(
        keep(window(width=width, height=height), adult=True, theme=theme, tags=[f"quiet {width} {theme}"]), server
    )
    page.evaluate(CHANGE, QUIET)
    expect(page.locator("#talking")).to_have_text("14 people are talking in English now")
    expect(page.locator("#usual")).to_have_count(0)
    expect(page.locator("#sound")).to_be_visible()
    expect(page.locator(".quiet")).to_contain_text("Most chats begin between")
    circles, top = page.locator(".circles").bounding_box(), page.locator(".roomtop").bounding_box()
    assert circles
    assert top
    assert circles["y"] >= top["y"] + top["height"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if (width, height) == (1280, 800):
        assert (
            page.evaluate(
                "() => { const box = document.querySelector('.middle'); return box.scrollHeight - box.clientHeight; }"
            )
            <= 0
        )
    picture(page, f"wait-quiet-{width}-{theme}")


def test_a_usual_wait_that_is_over_is_not_told(window: Opener, server: Server) -> None:
    page = waits(keep(window(), adult=True, tags=["longer than usual"]), server)
    page.evaluate(CHANGE, {"status": {"usual": {"text": 3600}}})
    expect(page.locator("#usual")).to_have_text("Usually about 3,600 seconds")
    page.evaluate(CHANGE, {"waiting": {"since": 0}})
    expect(page.locator("#usual")).to_have_count(0)


def test_the_circles_move_by_layers_of_their_own_and_stand_still_where_less_motion_is_wanted(
    window: Opener, server: Server
) -> None:
    page = waits(keep(window(reduced_motion="no-preference"), adult=True, tags=["moving circles"]), server)
    moving = (
        "() => document.querySelector('.circles').getAnimations({subtree: true}).map((one) => one.animationName).sort()"
    )
    assert page.evaluate(moving) == ["drift-one", "drift-two", "swell", "swell"]
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = {row["name"]: row["value"] for row in session.send("Performance.getMetrics")["metrics"]}
    gaps = page.evaluate(FRAMES, 120)
    after = {row["name"]: row["value"] for row in session.send("Performance.getMetrics")["metrics"]}
    worked = (after["TaskDuration"] - before["TaskDuration"]) * 1000 / len(gaps)
    print(f"\nwaiting at CPU x4: {worked:.1f} ms of the main thread a frame, longest frame {max(gaps):.0f} ms")
    assert worked * 4 <= 50, "main thread time a frame, slowed four times"
    still = waits(keep(window(), adult=True, tags=["circles that stand still"]), server)
    assert still.evaluate(moving) == []


def test_how_many_talk_is_counted_by_their_language(window: Opener, server: Server) -> None:
    meet(window, server.url, "counted", locale="en-GB")
    page = waits(keep(window(), adult=True, tags=["a third one"]), server)
    page.wait_for_function("async () => ((await (await fetch('/api/status')).json()).talking.en ?? 0) >= 2")
