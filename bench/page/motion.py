"""Measure what moves in the page: work of the main thread while one waits, a press on Next, and layout shift: `python -m bench motion`.

Chromium, with a processor four times slower than this one. Work is CPU time of the page's main thread from a trace, so what else the machine does
changes it little; the time of a press is by the clock. A figure that misses its goal ends it with status 1.
"""

import argparse
import json
from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any, Final, NamedTuple

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from bench.page.first_visit import ARGUMENTS, PATIENCE, SLOWER
from bench.support.machine import machine
from bench.support.serving import Serving

TASK_MAX: Final = 50.0  # ms of the main thread
PRESS_MAX: Final = 100.0  # ms
SHIFT_MAX: Final = 0.02
WAITS: Final = 12  # seconds that are traced: a question of the waiting room turns over twice in them
TRACED: Final = [
    "toplevel",
    "disabled-by-default-devtools.timeline",
    "disabled-by-default-devtools.timeline.frame",
    "devtools.timeline",
]
SHIFTS: Final = """
  globalThis.shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) shift += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
"""
# From the press to the first frame that shows the search.
PRESSED: Final = """() => new Promise((done) => {
  const started = performance.now();
  const look = () => {
    if (document.querySelector('.waiting h1')) done(performance.now() - started);
    else requestAnimationFrame(look);
  };
  document.querySelector('.next.low, .next').click();
  requestAnimationFrame(look);
})"""
KNOWN: Final = {"adult": True, "tags": ["motion"], "statement": 1_000_000, "called": True}


class Work(NamedTuple):
    """Work of the main thread in a trace: tasks, the longest (ms of CPU), those above TASK_MAX, frames that it drew."""

    tasks: int
    longest: float
    long: int
    frames: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose the number of presses and visits."""
    parser.add_argument("--rounds", type=int, default=5)


def main(chosen: argparse.Namespace) -> int:
    """Run all; return 1 if a goal is missed."""
    with Serving() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        url = f"http://127.0.0.1:{server.port}/"
        work = {name: waiting(browser, url, tags) for name, tags in (("topics", ["motion"]), ("plain", []))}
        presses = [press(browser, url) for _ in range(chosen.rounds)]
        shifts = {f"{width}": visits(browser, url, width) for width in (360, 768, 1280)}
        browser.close()
    found = {
        "machine": machine(),
        "waiting": {name: one._asdict() for name, one in work.items()},
        "next_ms": [round(one, 1) for one in presses],
        "shift": shifts,
    }
    print(json.dumps(found, indent=1))
    wrong = falls_short(work.values(), presses, shifts)
    for line in wrong:
        print(f"falls short: {line}")
    return 1 if wrong else 0


def waiting(browser: Browser, url: str, tags: list[str]) -> Work:
    """Trace the waiting room while it moves."""
    context = _context(browser, {**KNOWN, "tags": tags})
    try:
        page = _slowed(context, url)
        page.click("#start-text")
        page.wait_for_selector(".waiting h1")
        page.wait_for_load_state("networkidle")
        browser.start_tracing(page=page, categories=TRACED)
        page.wait_for_timeout(WAITS * 1000)
        return work_of(json.loads(browser.stop_tracing())["traceEvents"])
    finally:
        context.close()


def press(browser: Browser, url: str) -> float:
    """Return the ms from a press on Next to the first frame of the search."""
    both = [_context(browser, KNOWN) for _ in range(2)]
    try:
        pages = [_slowed(context, url) for context in both]
        for page in pages:
            page.click("#start-text")
        for page in pages:
            page.wait_for_selector("#message")
            page.wait_for_load_state("networkidle")
        return float(pages[0].evaluate(PRESSED))
    finally:
        for context in both:
            context.close()


def visits(browser: Browser, url: str, width: int) -> list[float]:
    """Return the layout shift of a first and of a second visit."""
    context = browser.new_context(viewport={"width": width, "height": 800}, locale="en-GB")
    try:
        context.add_init_script(SHIFTS)
        page = context.new_page()
        found = []
        for _ in range(2):
            page.goto(url, wait_until="load")
            page.wait_for_selector("#start-text")
            page.wait_for_load_state("networkidle")
            found.append(round(float(page.evaluate("shift")), 4))
            page.fill("#topics", "sailing,")
        return found
    finally:
        context.close()


def _context(browser: Browser, kept: Mapping[str, Any]) -> BrowserContext:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    context.set_default_timeout(PATIENCE)
    context.add_init_script(f"localStorage.serendip ??= {json.dumps(json.dumps(kept))}")
    return context


def _slowed(context: BrowserContext, url: str) -> Page:
    page = context.new_page()
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.goto(url, wait_until="load")
    page.wait_for_selector("#start-text")
    return page


def work_of(events: Iterable[Mapping[str, Any]]) -> Work:
    """Return what the busiest main thread of a page did in a trace."""
    kept = list(events)
    mains = {
        (event["pid"], event["tid"])
        for event in kept
        if event.get("name") == "thread_name" and event.get("args", {}).get("name") == "CrRendererMain"
    }
    found = [_thread([event for event in kept if (event["pid"], event["tid"]) == one]) for one in sorted(mains)]
    return max(found, key=lambda work: work.tasks, default=Work(0, 0.0, 0, 0))


def _thread(events: list[Mapping[str, Any]]) -> Work:
    tasks = [
        event.get("tdur", event.get("dur", 0)) / 1000
        for event in events
        if event.get("name") == "RunTask" or event.get("name") == "ThreadControllerImpl::RunTask"
    ]
    frames = sum(event.get("name") == "BeginMainThreadFrame" for event in events)
    return Work(len(tasks), round(max(tasks, default=0.0), 1), sum(task > TASK_MAX for task in tasks), frames)


def falls_short(work: Iterable[Work], presses: list[float], shifts: Mapping[str, list[float]]) -> list[str]:
    """Return the missed goals, in words."""
    wrong = [f"a task of {one.longest} ms while the waiting room moves" for one in work if one.long]
    if presses and median(presses) > PRESS_MAX:
        wrong.append(f"next_ms: {median(presses):.0f} of {PRESS_MAX:.0f}")
    return wrong + [
        f"shift: {shift} of {SHIFT_MAX} at {width} px"
        for width, both in shifts.items()
        for shift in both
        if shift > SHIFT_MAX
    ]
