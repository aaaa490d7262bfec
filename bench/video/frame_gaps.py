"""Measure whether the video stays smooth while pictures are taken: gaps between the page's frames, during a camera check and between checks.

    python -m bench smooth [--looks N] [--headed] [--keep]

Debian's Chromium with its false camera, the real page and call, with a program that sends a small picture; a check is a `snap` frame given to the
page, so its time is known. Both kinds of gaps are of one run, a check and a pause in turn. The own picture is hidden: with it Chromium draws 30
times a second here, as often as the camera, whatever else is asked. `--headed` needs a display (`xvfb-run -a`). Goal: during a check, 99 of 100
frames are at most one frame later than the frames between checks. Other load on the machine is in both.
"""

import argparse
import asyncio
import contextlib
import threading
from collections.abc import Iterator
from typing import Any, Final

from playwright.sync_api import sync_playwright

from bench.support.documents import fill, table
from bench.support.machine import machine
from bench.support.results import ROOT, write
from bench.support.serving import Serving
from bench.video.browser_calls import ARGUMENTS, PATIENCE, call
from serendip_client import Client
from serendip_client.peer import Peer

LOOKS: Final = 40
APART: Final = 1_000  # ms from the end of a look to the next
FRAME: Final = 1_000 / 60  # ms
TOPIC: Final = "smooth"
# An adult who looks at once; the socket, to be given frames; and when both pictures of a look were posted.
WATCH: Final = """
  localStorage.serendip = JSON.stringify({adult: true, blur: false});
  globalThis.times = {};
  document.addEventListener('loadedmetadata', ({target}) => {
    if (target.id === 'theirs') target.requestVideoFrameCallback((now) => { times.picture ??= now; });
  }, true);
  const Real = WebSocket;
  globalThis.WebSocket = class extends Real {
    constructor(...given) { super(...given); globalThis.socket = this; }
  };
  const real = fetch;
  globalThis.posted = () => {};
  globalThis.fetch = async (...given) => {
    try {
      return await real(...given);
    } finally {
      if (String(given[0]).startsWith('/api/snap/')) posted(given[0]);
    }
  };
"""
HIDE: Final = "() => { document.querySelector('.own').style.visibility = 'hidden'; }"
# Gaps in ms: of frames that were drawn while a look was open, and of the others. A gap that has some of both is of the look.
RUN: Final = """async ([looks, apart]) => {
  const during = [], between = [];
  let open = false, touched = false, over = false;
  const counted = (async () => {
    let last = await new Promise(requestAnimationFrame);
    while (!over) {
      touched = open;
      const now = await new Promise(requestAnimationFrame);
      (open || touched ? during : between).push(now - last);
      last = now;
    }
  })();
  let came = 0;
  for (let look = 0; look < looks; look += 1) {
    await new Promise((done) => setTimeout(done, apart));
    const both = new Promise((done) => {
      const seen = new Set();
      globalThis.posted = (path) => seen.add(path) && seen.size === 2 && done();
    });
    open = true;
    const snap = {type: 'snap', nonce: String(look).padStart(22, 'b'), tiles: 3, gap: 250, mine: true, within: 8};
    socket.dispatchEvent(new MessageEvent('message', {data: JSON.stringify(snap)}));
    came += await Promise.race([both.then(() => 1), new Promise((done) => setTimeout(() => done(0), 9_000))]);
    open = false;
  }
  over = true;
  await counted;
  return [came, during, between];
}"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose the number of checks, the browser, and whether to keep the result."""
    parser.add_argument("--looks", type=int, default=LOOKS)
    parser.add_argument("--headed", action="store_true", help="a window on a display")
    parser.add_argument("--keep", action="store_true", help="keep the results, and the table of the document")


def main(chosen: argparse.Namespace) -> int:
    """Measure, and print; return 1 if the goal is missed."""
    about = machine()
    with Serving() as server:
        row = smooth(server, chosen.looks, headed=chosen.headed)
    print(lines(row))
    if chosen.keep:
        write({"machine": about, **row}, "smooth", ordered=False)
        fill(ROOT / "docs" / "performance.md", "smooth", lines(row))
    return int(row["during"]["p99_ms"] > row["between"]["p99_ms"] + FRAME)


def lines(row: dict[str, Any]) -> str:
    """Return the table, as Markdown."""
    head = ("", "frames", "frames a second", "gap: p50 ms", "p99 ms", "longest ms")
    rows = []
    for name in ("between", "during"):
        one = row[name]
        figures = [f"{one[key]:.1f}" for key in ("rate", "p50_ms", "p99_ms", "longest_ms")]
        rows.append(
            (f"{name} looks" if name == "between" else f"during {row['looks']} looks", str(one["frames"]), *figures)
        )
    return table(head, rows)


def smooth(server: Serving, looks: int, *, headed: bool) -> dict[str, Any]:
    """Return both kinds of gaps of one run. Raises AssertionError if a check was not answered."""
    with sync_playwright() as playwright, calling(server.port):
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", headless=not headed, args=ARGUMENTS)
        try:
            context = browser.new_context(permissions=["camera", "microphone"], locale="en-GB")
            context.set_default_timeout(PATIENCE)
            context.add_init_script(WATCH)
            page = context.new_page()
            call([page], f"http://127.0.0.1:{server.port}/", TOPIC)
            page.evaluate(HIDE)
            came, during, between = page.evaluate(RUN, [looks, APART])
        finally:
            browser.close()
    if came != looks:
        raise AssertionError(f"{came} of {looks} looks were answered")
    return {"looks": looks, "headed": headed, "during": figures(during), "between": figures(between)}


@contextlib.contextmanager
def calling(port: int) -> Iterator[None]:
    """Run a program that waits for a call, in a thread, since Playwright holds the loop here."""
    over = threading.Event()

    async def stay() -> None:
        async with Client(f"ws://127.0.0.1:{port}/ws") as client:
            made = await Peer(client).call(interests=(TOPIC,), within=PATIENCE / 1_000)
            await asyncio.to_thread(over.wait)
            await made.close()

    thread = threading.Thread(target=lambda: asyncio.run(stay()), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)


def figures(gaps: list[float]) -> dict[str, float]:
    """Return the figures of gaps in ms."""
    gaps = sorted(gaps)
    return {
        "frames": len(gaps),
        "rate": 1_000 * len(gaps) / sum(gaps),
        "p50_ms": gaps[len(gaps) // 2],
        "p99_ms": gaps[int(0.99 * (len(gaps) - 1))],
        "longest_ms": gaps[-1],
    }
