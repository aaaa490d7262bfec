"""From two taps to a reversed ban, as people see it: the reporter, whoever is banned, and two operators at the command line."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.server.web.conftest import Opener, meet
from tests.server.web.servers import ROOT, START, Server

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The folder of a server whose commands are called."""
    return tmp_path / "data"


@pytest.fixture
def moderated(data: Path) -> Iterator[Server]:
    """A server on which somebody reads reports."""
    server = Server(data, SERENDIP_SAFETY__MODERATED="true")
    yield server
    server.stop()


def operate(data: Path, *words: str) -> str:
    """A command of `serendip safety`; what it prints."""
    command = [sys.executable, "-c", START, "safety", *words, "--data", str(data)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_from_two_taps_to_a_reversed_ban(window: Opener, moderated: Server, data: Path) -> None:
    anna, ben = meet(window, moderated.url)
    ben.fill("#message", "buy my gold")
    ben.press("#message", "Enter")
    expect(anna.locator(".line")).to_have_count(1)
    anna.get_by_role("button", name="Report").click()
    expect(anna.locator("#report")).not_to_contain_text("Nobody has said")
    anna.get_by_role("button", name="Advert, bot or scam").click()
    with anna.expect_popup() as opened:
        anna.get_by_role("link", name="Read what comes of it").click()
    receipt = opened.value
    expect(receipt.locator("main")).to_contain_text("A person will look at it")

    deadline = time.monotonic() + 30
    while not (found := json.loads(operate(data, "cases", "--json"))):
        assert time.monotonic() < deadline
    case = found[0]["id"]
    said = operate(data, "show", case, "--operator", "ada", "--why", "a test")
    assert re.search(r"REPORTED \d+: buy my gold", said)
    decide = ("--measure", "ban", "--rule", "R5")
    operate(data, "decide", case, *decide, "--operator", "ada", "--why", "adverts")
    expect(ben.locator("h1")).to_contain_text("You can't use Serendip until")
    expect(ben.locator("main")).to_contain_text("No adverts, bots or scams.")
    receipt.reload()
    expect(receipt.locator("main")).to_contain_text("and we acted")

    ben.get_by_role("link", name="Ask for a review").click()
    expect(ben.locator("main")).to_contain_text("rule R5")
    ben.fill("#words", "It was my little brother.")
    ben.get_by_role("button", name="Send the appeal").click()
    expect(ben.locator("main")).to_contain_text("Your appeal is here")
    assert "my little brother" in operate(data, "appeals")
    words = ("--words", "You were right.", "--why", "read again")
    operate(data, "answer", case, "reverse", *words, "--operator", "bob")
    ben.reload()
    expect(ben.locator("main")).to_contain_text("You were right.")
    expect(ben.locator("main")).to_contain_text("You can use this service again")
    receipt.reload()
    expect(receipt.locator("main")).to_contain_text("After an appeal we took that back")


def test_where_nobody_reads_reports_the_page_says_so(window: Opener, server: Server) -> None:
    anna, _ = meet(window, server.url)
    anna.get_by_role("button", name="Report").click()
    expect(anna.locator("#report")).to_contain_text("Nobody has said that they look at reports on this server.")
