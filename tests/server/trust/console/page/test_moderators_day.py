"""Test a moderator's day in Chromium: a hundred reported users, made by real clients, decided by keyboard alone."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.server.site.web.conftest import Opener, Watch
from tests.server.trust.console.page.conftest import Operated
from tests.server.trust.console.page.reported_day import BRIGADE, SINGLE, SWARM, ReportedUser, Reports, day
from tests.server.trust.console.page.test_console import well
from tests.server.trust.console.page.test_work import enter
from tests.support.libretranslate import LibreTranslate
from tests.support.services import free_port

pytestmark = pytest.mark.timeout(600)
OUT = Path(__file__).parents[4] / "out"
# The keys for a case of this kind, by words of its reasons.
KEYS = {
    "threats": ("r", "3", "4"),
    "hate": ("r", "4", "2"),
    "spam": ("r", "5", "4"),
    "nudity": ("r", "2", "4"),
    "danger": ("1",),
    "under 18": ("6",),
}
OTHER = ("r", "6", "4")
TABS_MOST = 80  # presses of Tab that lead to any link of a page
CASES = 100


@pytest.fixture(scope="module")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    """A server whose users come from networks of their own, with a hundred reported users."""
    translator = LibreTranslate()
    settings = {
        "SERENDIP_LIMITS__ENABLED": "false",
        "SERENDIP_SERVER__PROXIES": "127.0.0.1",
        "SERENDIP_SCREENING__TEXT": "off",  # else some of the chats end before a report
        "SERENDIP_TRANSLATION__URL": translator.url,
    }
    made = Operated(tmp_path_factory.mktemp("operated"), free_port(), **settings)
    with ThreadPoolExecutor(1) as other:  # this thread has the browser's loop
        other.submit(asyncio.run, Reports(made.server.port).make(day())).result()
    end = time.monotonic() + 120
    while open_cases(made) < CASES:  # a report is answered before its case is written
        assert time.monotonic() < end
        time.sleep(0.1)
    yield made
    assert made.server.stop() == 0
    translator.stop()


def cpu(pid: int) -> float:
    """Return the CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def open_cases(operated: Operated) -> int:
    """Return the number of open cases in the store."""
    with closing(sqlite3.connect(operated.data / "serendip.db", timeout=10)) as database:
        return int(database.execute("SELECT count(*) FROM \"case\" WHERE state = 'open'").fetchone()[0])


def press(page: Page, *keys: str) -> None:
    """Press keys."""
    for key in keys:
        page.keyboard.press(key)


def follow(page: Page, *keys: str) -> None:
    """Press keys, the last of which leads to another page, and wait until that page has its keys."""
    press(page, *keys[:-1])
    with page.expect_navigation():
        press(page, keys[-1])
    page.wait_for_load_state()


def picture(page: Page, name: str) -> None:
    """Keep pictures of a page, wide and narrow, light and dark."""
    OUT.mkdir(exist_ok=True)
    for width in (1280, 390):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.screenshot(path=OUT / f"console-{name}-{width}-{scheme}.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="light")


def decide_the_swarm(mia: Page, operated: Operated) -> None:
    """Alike adverts are one decision, which one key undoes whole."""
    before = open_cases(operated)
    expect(mia.locator("td .about").first).to_be_visible()
    picture(mia, "list")
    expect(mia.locator(".cases tbody tr")).to_have_count(1 + SINGLE[0][2])  # the swarm is one line
    follow(mia, "b")
    expect(mia.locator("[name=case]:checked")).to_have_count(SWARM)
    well(mia)
    picture(mia, "alike")
    follow(mia, "r", "5", "4", "Enter")
    expect(mia.locator(".undo")).to_contain_text(f"Cases decided together: {SWARM}.")
    assert open_cases(operated) == before - SWARM
    follow(mia, "u")
    assert open_cases(operated) == before
    follow(mia, "b")
    follow(mia, "r", "5", "4", "Enter")
    assert open_cases(operated) == before - SWARM


def decide_the_brigade(mia: Page) -> None:
    """Many reports of one user are one line with numbers, in the list and on the page."""
    row = mia.locator("tr", has_text="hello, how are you?")
    expect(row).to_contain_text(f"Reports: {BRIGADE}, within")
    picture(mia, "brigade")
    row.locator("td a").first.focus()
    follow(mia, "Enter")
    expect(mia.locator(".said")).to_have_count(1)  # the same lines in each chat
    expect(mia.locator(".notes").first.locator("li")).to_have_count(1)
    expect(mia.locator(".notes").first).to_contain_text(f"× {BRIGADE}")
    follow(mia, "1", "Enter")


def use_the_tools(mia: Page) -> None:
    """A translation, a comment, a saved answer, and passing on to bob."""
    follow(mia, "l")
    expect(mia.locator(".translated").first).to_be_visible()
    press(mia, "c")
    mia.keyboard.type("seen twice this week")
    follow(mia, "Control+Enter")
    expect(mia.locator("#comments")).to_contain_text("seen twice this week")
    press(mia, "t", "ArrowDown")
    expect(mia.locator("#words")).not_to_have_value("")
    press(mia, "Escape", "p")
    expect(mia.locator("#to")).to_be_focused()
    picture(mia, "tools")
    press(mia, "End", "Tab")
    mia.keyboard.type("you know this language")
    follow(mia, "Enter")


def decide_one(page: Page) -> None:
    """Decide the case by its reason."""
    reason = page.locator(".facts li").first.inner_text().lower()
    keys = next((found for name, found in KEYS.items() if name in reason), OTHER)
    follow(page, *keys, "Enter")
    assert page.locator(".problem").count() == 0, (reason, page.locator(".problem").all_inner_texts())


def decide_the_rest(mia: Page, operated: Operated) -> int:
    """Decide all but one, which is bob's. Return how many."""
    decided = 0
    while open_cases(operated) > 1:
        if mia.locator("#decide").count():
            decide_one(mia)
            decided += 1
        else:  # a list: its first case, or the next queue with cases
            follow(mia, "Enter" if mia.locator(".cases tr:not(:has(.for)) td").count() else "q")
    return decided


def report_again(operated: Operated) -> str:
    """Report the person of the brigade in a further chat, after their case was decided; return the address of the reporter's receipt."""
    users = day()
    reports = Reports(operated.server.port, first=1_000)
    again = ReportedUser("hate", ("hello, it is me again",))
    with ThreadPoolExecutor(1) as other:  # this thread has the browser's loop
        other.submit(asyncio.run, reports.report_again(again, len(users))).result()
    end = time.monotonic() + 60
    while open_cases(operated) < 2:  # bob's, and this one
        assert time.monotonic() < end
        time.sleep(0.1)
    return reports.receipts[0]


def search_for(mia: Page, words: str) -> None:
    """Search by keys, from any page of the console."""
    press(mia, "/")
    if not mia.locator("#q").count():
        mia.wait_for_url("**/search*")
        mia.wait_for_load_state()
        press(mia, "/")
    expect(mia.locator("#q")).to_be_focused()
    press(mia, "Control+a")
    mia.keyboard.type(words)
    follow(mia, "Enter")


def open_by_receipt(mia: Page, receipt: str) -> None:
    """Find a case by the receipt of its report, open it, and follow the link to the person's earlier case; all by keys."""
    for words in (receipt, receipt.rstrip("/").rpartition("/")[2]):
        search_for(mia, words)
        expect(mia.locator(".found tbody tr")).to_have_count(1)
    here = mia.locator(".found tbody a").first.get_attribute("href")
    assert here is not None
    tab_to(mia, here)
    follow(mia, "Enter")
    expect(mia.locator(".said")).to_contain_text("hello, it is me again")
    before = mia.locator(".notes a[href^='/case/']").first
    expect(before).to_be_visible()
    earlier = before.get_attribute("href")
    assert earlier not in (None, here)
    picture(mia, "earlier")
    tab_to(mia, earlier)
    follow(mia, "Enter")
    expect(mia.locator(".said")).to_contain_text("hello, how are you?")
    assert mia.url.endswith(earlier)
    expect(mia.locator(f".notes a[href='{here}']")).to_be_visible()
    well(mia)


def tab_to(page: Page, address: str) -> None:
    """Press Tab until a link to an address has the focus."""
    for _ in range(TABS_MOST):
        press(page, "Tab")
        if page.evaluate("document.activeElement.getAttribute('href')") == address:
            return
    raise AssertionError(f"no Tab leads to {address}")


def find_again(mia: Page) -> None:
    """Find a case by its first digits and by its day, and open it, by keys."""
    link = mia.locator(".found tbody a").first.get_attribute("href")
    assert link is not None
    digits = link.rpartition("/")[2][:8]
    for words in (digits, f"{digits}…", time.strftime("%Y-%m-%d", time.gmtime())):
        press(mia, "/")
        expect(mia.locator("#q")).to_be_focused()
        press(mia, "Control+a")
        mia.keyboard.type(words)
        follow(mia, "Enter")
        expect(mia.locator(f".found a[href*='{digits}']").first).to_be_visible()
    mia.locator(f".found a[href*='{digits}']").first.focus()
    follow(mia, "Enter")
    expect(mia.locator("h1")).to_be_visible()
    mia.go_back()


def test_a_hundred_cases_are_decided_by_keyboard_alone(window: Opener, operated: Operated, quiet: Watch) -> None:
    mia = enter(window, operated, "mia", "moderator", "child")
    enter(window, operated, "bob", "moderator", "lead")
    assert open_cases(operated) == CASES
    mia.goto(f"{operated.origin}/cases?queue=spam")
    decide_the_swarm(mia, operated)
    mia.goto(f"{operated.origin}/cases?queue=people")
    decide_the_brigade(mia)
    use_the_tools(mia)
    begun, used = time.monotonic(), cpu(operated.server.pid)
    decided = decide_the_rest(mia, operated)
    took, used = time.monotonic() - begun, cpu(operated.server.pid) - used
    print(f"{decided} cases: {took / decided:.2f} s each, {1000 * used / decided:.0f} ms of the server's CPU")
    follow(mia, "/")
    expect(mia.locator(".found tbody tr")).to_have_count(99)
    well(mia)
    picture(mia, "search")
    find_again(mia)
    open_by_receipt(mia, report_again(operated))
    for place in ("figures", "answers", "examples"):
        mia.goto(f"{operated.origin}/{place}")
        well(mia)
        picture(mia, place)
    follow(mia, "r", "5", "4", "Enter")
    expect(mia.locator("h2", has_text="That is how we would decide")).to_be_visible()
