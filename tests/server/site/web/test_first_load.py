"""What a first visit costs: bytes, time, movement. Sizes are asserted; times are measured and printed (run with -s)."""

import pytest
from playwright.sync_api import Request, expect

from server.site.front.page_bundle import first_load, together
from server.site.front.page_files import FOLDER, sources_in
from tests.server.site.web.conftest import Opener, adult, meet
from tests.server.site.web.servers import Server


def scripts() -> dict[str, bytes]:
    """The page's modules by name, those of the client among them."""
    return {name: body for name, body in sources_in().items() if name.endswith((".js", ".mjs"))}


GOAL = 75_000  # bytes on the wire before the first chat
ANSWERS = 12  # each has a head, and its turn on a connection
SHIFT = 0.02

OBSERVE = """() => {
  globalThis.seen = {shift: 0};
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) seen.shift += entry.value;
  }).observe({type: 'layout-shift', buffered: true});
}"""
MEASURE = """async () => {
  const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
  const paint = performance.getEntriesByName('first-contentful-paint')[0];
  return {
    bytes: all.reduce((sum, entry) => sum + entry.encodedBodySize, 0),
    files: all.length,
    each: all.map((entry) => [entry.name.replace(/.*\\/s\\/[0-9a-f]+\\//, ''), entry.encodedBodySize]),
    paint: paint.startTime,
    shift: seen.shift,
  };
}"""


@pytest.mark.parametrize(
    "locale", ["en-GB", "ru-RU", "ar-EG", "ja-JP"]
)  # the source, and the scripts that take most bytes
def test_the_first_load_is_small_and_nothing_moves(window: Opener, server: Server, locale: str) -> None:
    page = window(locale=locale)
    page.add_init_script(f"({OBSERVE})()")
    asked: list[Request] = []
    page.on("requestfinished", lambda request: asked.append(request))
    page.goto(server.url)
    expect(page.locator("#start-text")).to_be_visible()
    page.wait_for_load_state("networkidle")
    seen = page.evaluate(MEASURE)
    heads = sum(request.sizes()["responseHeadersSize"] for request in asked)
    print(
        f"\nfirst load: {seen['bytes']:,} bytes in {seen['files']} files, {heads:,} bytes of heads; "
        f"first paint {seen['paint']:.0f} ms, layout shift {seen['shift']:.4f}"
    )
    assert seen["files"] <= len(asked) <= ANSWERS, seen["each"]
    assert seen["bytes"] + heads <= GOAL, sorted(seen["each"], key=lambda row: -row[1])[:12]
    assert seen["shift"] <= SHIFT


def test_nothing_moves_on_a_phone_when_it_is_known_how_many_are_here_also_on_a_second_visit(
    window: Opener, server: Server
) -> None:
    page = window(width=390, height=844)
    page.add_init_script(f"({OBSERVE})()")
    for _ in range(2):
        page.goto(server.url)
        expect(page.locator(".foot > span")).not_to_be_empty()
        page.wait_for_load_state("networkidle")
        assert page.evaluate("seen.shift") <= SHIFT / 4  # a foot of two rows in place of one is three quarters of it
        page.fill("#topics", "sailing,")


def test_what_looks_at_pictures_is_no_part_of_it() -> None:
    names = first_load(scripts())
    later = {"video/snap.js", "video/checked.js", "reduce/pictures.js"}
    assert all((FOLDER / name).exists() for name in later)
    assert not later & set(names)


def test_a_module_is_there_once_whichever_way_it_is_asked_for(window: Opener, server: Server) -> None:
    page = window(server.url)
    expect(page.locator("#start-text")).to_be_visible()
    files = together(scripts())
    assert list(files) == ["first.js", "second.js"]
    same = """async ([base, files]) => {
      const wrong = [];
      for (const [file, names] of Object.entries(files)) for (const name of names) {
        const all = await import(base + file);
        const module = await import(base + name);
        const there = all['$' + name.replace(/\\.m?js$/, '').replace(/\\W/g, '_')];
        for (const key of new Set([...Object.keys(module), ...Object.keys(there)])) if (module[key] !== there[key]) wrong.push(`${name} ${key}`);
      }
      return wrong;
    }"""
    base = page.locator("script[type=module]").get_attribute("src").removesuffix("app.js")
    assert page.evaluate(same, [server.url.rstrip("/") + base, files]) == []


def test_a_press_becomes_a_find_and_a_key_a_bubble(window: Opener, server: Server) -> None:
    page = adult(window())
    page.add_init_script(
        """addEventListener('DOMContentLoaded', () => {
          globalThis.took = {};
          const sent = WebSocket.prototype.send;
          WebSocket.prototype.send = function (data) {
            if (data.includes('"find"')) took.find = performance.now() - took.press;
            return sent.call(this, data);
          };
          addEventListener('click', () => { took.press = performance.now(); }, true);
        })"""
    )
    page.goto(server.url)
    page.click("#start-text")
    expect(page.locator(".waiting")).to_be_visible()
    press = page.evaluate("took.find")
    anna, _ = meet(window, server.url, "measuring")
    key = anna.evaluate(
        """() => {
          const field = document.querySelector('#message');
          const times = [];
          for (let round = 0; round < 4; round += 1) {
            field.value = `line ${round}`;
            const start = performance.now();
            field.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true}));
            if (document.querySelectorAll('.line').length !== round + 1) throw new Error('the bubble is not there at once');
            times.push(performance.now() - start);
          }
          return Math.max(...times);
        }"""
    )
    print(f"\npress to find {press:.1f} ms; key to own bubble in the page {key:.1f} ms")
    assert press is not None


FILL = """async () => {
  const base = document.querySelector('script[type=module]').src.replace('app.js', '');
  globalThis.store = await import(base + 'store.js');
  const state = store.get();
  const last = 1998;  // a long evening, put up at once; what comes next goes the usual way
  const lines = Array.from({length: last}, (_, index) => (
    {key: `s${index + 1}`, from: 'them', text: `line ${index + 1} of a long evening`, seq: index + 1}));
  store.show({...state, chat: {...state.chat, lines, last}});
}"""
HEAR = """async (count) => {
  for (let index = 0; index < count; index += 1) {
    const seq = store.get().chat.last + 1;
    store.send('frame', {frame: {type: 'message', seq, text: `line ${seq}`}});
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  }
}"""
SCROLL = """async (frames) => {
  const box = document.querySelector('.middle');
  for (let step = 0; step < frames; step += 1) {
    box.scrollTop -= 400;
    await new Promise((done) => requestAnimationFrame(done));
  }
}"""


@pytest.mark.timeout(60)
def test_two_thousand_lines_stay_cheap(window: Opener, server: Server) -> None:
    anna, _ = meet(window, server.url, "length")
    session = anna.context.new_cdp_session(anna)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})  # CPU of the main thread, whatever else runs

    def worked(script: str, times: int) -> float:
        """Milliseconds of the page's main thread for each of `times`."""
        metrics = [session.send("Performance.getMetrics")["metrics"]]
        anna.evaluate(script, times)
        metrics.append(session.send("Performance.getMetrics")["metrics"])
        before, after = ({row["name"]: row["value"] for row in found} for found in metrics)
        return float(after["TaskDuration"] - before["TaskDuration"]) * 1000 / times

    anna.evaluate(FILL)
    line, frame = worked(HEAR, 40), worked(SCROLL, 60)
    print(
        f"\n2,000 lines: one more costs {line:.1f} ms of the main thread, a frame of scrolling {frame:.1f} ms (of 16.7)"
    )
    assert anna.locator(".line").count() == 2000
    expect(anna.locator(".inner > .divider")).to_have_text("Earlier lines are no longer shown.")
    anna.evaluate(HEAR, 1)
    expect(anna.locator(".pill")).to_contain_text("1 new message")
    anna.locator(".pill").click()
    expect(anna.locator(".pill")).to_have_count(0)
