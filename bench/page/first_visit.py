"""Measure a first visit to the page: bytes on the wire, time to first content, time until usable: `python -m bench page`.

Debian's Chromium, the page as the server serves it (HTTP/1.1, no proxy), a phone's window, 9 Mbit/s down, 60 ms to each answer, a processor four
times slower than this one; every visit with an empty cache. Bytes are those of bodies and heads until the page is loaded, without what the service
worker fetches afterwards. Medians; a figure that misses its goal ends it with status 1. `--keep` writes bench/results/page.json and the table in
docs/performance.md.
"""

import argparse
import json
from statistics import median
from typing import Any, Final, NamedTuple

from playwright.sync_api import Browser, CDPSession, sync_playwright

from bench.support.documents import fill, table
from bench.support.machine import machine
from bench.support.results import ROOT, write
from bench.support.serving import Serving

DOWN, UP, LATENCY, SLOWER = 9_000_000 / 8, 1_500_000 / 8, 60.0, 4.0  # bytes a second, ms, times
BYTES_MAX: Final = 75_000
CONTENT_MAX: Final = 1_000.0  # ms
USABLE_MAX: Final = 1_300.0
ARGUMENTS: Final = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
# When the button that starts a chat was painted: by then it answers, since what draws it listens to it.
WATCH: Final = """
  const seen = new MutationObserver(() => {
    if (!document.querySelector('#start-text')) return;
    seen.disconnect();
    requestAnimationFrame(() => setTimeout(() => { globalThis.usable = performance.now(); }));
  });
  seen.observe(document, { childList: true, subtree: true });
"""
PAINTED: Final = "performance.getEntriesByName('first-contentful-paint')"  # empty until some time after the paint
FOUND: Final = f"() => ({{ content: {PAINTED}[0].startTime, usable: globalThis.usable }})"
PATIENCE: Final = 30_000  # ms


class Visit(NamedTuple):
    """Figures of one visit: answers, bytes on the wire, ms until first content and until usable."""

    answers: int
    wire: float
    content: float
    usable: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose the number of visits, and whether to keep the result."""
    parser.add_argument("--visits", type=int, default=11)
    parser.add_argument("--keep", action="store_true", help="write the results and the document")


def main(chosen: argparse.Namespace) -> int:
    """Run all visits; return 1 if a goal is missed."""
    with Serving() as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        url = f"http://127.0.0.1:{server.port}/"
        visit(browser, url)  # the first loads what the browser itself needs
        visits = [visit(browser, url) for _ in range(chosen.visits)]
        browser.close()
    found = {"machine": machine(), **middle(visits)}
    print(json.dumps(found, indent=1))
    if chosen.keep:
        write(found, "page", ordered=False)
        fill(ROOT / "docs" / "performance.md", "page", written(found))
    wrong = falls_short(found)
    for line in wrong:
        print(f"falls short: {line}")
    return 1 if wrong else 0


def visit(browser: Browser, url: str) -> Visit:
    """Run one first visit."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, locale="en-GB")
    try:
        context.set_default_timeout(PATIENCE)
        context.add_init_script(WATCH)
        page = context.new_page()
        session = context.new_cdp_session(page)
        _slow(session)
        came: list[float] = []
        session.on("Network.loadingFinished", lambda told: came.append(told["encodedDataLength"]))
        page.goto(url, wait_until="load")
        page.wait_for_function(f"() => globalThis.usable && {PAINTED}.length")
        page.wait_for_load_state("networkidle")
        found = page.evaluate(FOUND)
        content = found["content"]
        return Visit(
            len(came), sum(came), content, max(content, found["usable"])
        )  # a paint is told a little later than it was asked for
    finally:
        context.close()


def _slow(session: CDPSession) -> None:
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": LATENCY, "downloadThroughput": DOWN, "uploadThroughput": UP},
    )
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})


def middle(visits: list[Visit]) -> dict[str, Any]:
    """Return the medians, and the number of visits."""
    return {
        "visits": len(visits),
        "answers": round(median(each.answers for each in visits)),
        "bytes": round(median(each.wire for each in visits)),
        "content_ms": round(median(each.content for each in visits)),
        "usable_ms": round(median(each.usable for each in visits)),
    }


def falls_short(found: dict[str, Any]) -> list[str]:
    """Return the missed goals, in words."""
    bounds = {"bytes": BYTES_MAX, "content_ms": CONTENT_MAX, "usable_ms": USABLE_MAX}
    return [f"{name}: {found[name]:,} of {most:,.0f}" for name, most in bounds.items() if found[name] > most]


def written(found: dict[str, Any]) -> str:
    """Return the document's table and its conditions."""
    told = found["machine"]
    rows = [
        ("on the wire, bodies and heads", f"{found['bytes'] / 1000:.1f} KB in {found['answers']} answers", "75 KB"),
        ("first content", f"{found['content_ms'] / 1000:.2f} s", "1.0 s"),
        ("usable", f"{found['usable_ms'] / 1000:.2f} s", "1.3 s"),
    ]
    return (
        table(("a first visit", "median", "at the most"), rows)
        + f"\n`python -m bench page`: {found['visits']} visits, Chromium, 9 Mbit/s, 60 ms, processor slowed down by four; "
        + f"{told['cpu']}, {told['cores']} cores; load before: {told['load']:.1f}; {told['date']}.\n"
    )
