"""Test in Chromium that a clerk answers a request and removes a log, an officer refuses an order and places a hold, an administrator reads of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.server.site.web.conftest import Opener
from tests.server.site.web.servers import ROOT
from tests.server.trust.console.page.conftest import Operated
from tests.server.trust.console.page.test_console import well
from tests.server.trust.console.page.test_work import enter
from tests.support.forkserver import START

pytestmark = pytest.mark.timeout(180)
OUT = Path(ROOT) / "tests" / "out" / "console"


def serendip(operated: Operated, *words: str) -> str:
    """Run a command on the server's data. Return its output."""
    command = [sys.executable, "-c", START, *words, "--data", str(operated.data)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def shot(page: Page, name: str) -> None:
    """Keep a picture of a wide and a narrow window, and check the page."""
    well(page)
    OUT.mkdir(parents=True, exist_ok=True)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        page.screenshot(path=OUT / f"{name}-{width}.png", full_page=True)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} is wider than {width}"


def test_requests_orders_and_holds_are_answered_without_a_shell(
    window: Opener, operated: Operated, quiet: object
) -> None:
    serendip(
        operated, "privacy", "request", "new", "--kind", "complaint", "--by", "letter", "--why", "post",
        "--text", "What is <this>?", "--contact", "Street 1",
    )  # fmt: skip
    clerk = enter(window, operated, "cleo", "clerk", place="**/requests")
    shot(clerk, "requests")
    clerk.get_by_label("Why do you look?").fill("my turn")
    clerk.get_by_role("button", name="Read").click()
    expect(clerk.locator("blockquote").first).to_have_text("What is <this>?")
    shot(clerk, "request")
    clerk.get_by_label("Answered: what was asked is done").check()
    clerk.get_by_label("What the person reads", exact=True).fill("It was this.")
    clerk.get_by_label("Why, for the trail").fill("answered")
    clerk.get_by_role("button", name="Answer").click()
    expect(clerk.locator("main")).to_contain_text("Nothing waits.")
    clerk.goto(operated.origin + "/logs")
    clerk.get_by_label("Its link").fill("https://chat.example/log/none")
    clerk.get_by_label("Why, for the trail").fill("a wish")
    clerk.get_by_role("button", name="Remove").click()
    expect(clerk.get_by_role("status")).to_have_text("There is no such saved chat.")
    shot(clerk, "logs")
    officer = enter(window, operated, "otto", "officer")
    officer.goto(operated.origin + "/orders")
    for label, words in (
        ("The court or office that orders it", "Court of Oslo"), ("Its country, two letters", "NO"),
        ("IP address", "81.0.0.11"),
        ("Its text, or what it says in short", "Name the user of 81.0.0.11."), ("Due on, if it says so", "2030-01-01"),
    ):  # fmt: skip
        officer.get_by_label(label, exact=True).fill(words)
    officer.get_by_label("Its kind").select_option("subpoena")
    officer.locator("input[name=categories][value=A]").check()
    officer.get_by_role("button", name="Enter an order").click()
    expect(officer.locator("h2").first).to_contain_text("Court of Oslo (NO)")
    shot(officer, "orders")
    officer.get_by_label("Why do you look?").fill("my turn")
    officer.get_by_role("button", name="Read").click()
    expect(officer.locator("blockquote")).to_have_text("Name the user of 81.0.0.11.")
    shot(officer, "order")
    officer.get_by_role("button", name="Preserve what it names").click()
    expect(officer.locator("main")).to_contain_text("hold 1")
    officer.goto(operated.origin + "/holds")
    shot(officer, "holds")
    officer.get_by_label("Why, for the trail").first.fill("the order is over")
    officer.get_by_role("button", name="End it").click()
    expect(officer.locator("main")).to_contain_text("Nothing waits.")
    admin = enter(window, operated, "ada", "admin", place="**/accounts")
    admin.goto(operated.origin + "/audit")
    expect(admin.locator("main")).to_contain_text("request fulfilled")
    shot(admin, "audit")
