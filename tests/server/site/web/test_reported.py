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

from tests.server.site.web.conftest import Opener, meet
from tests.server.site.web.servers import ROOT, Server
from tests.support.forkserver import START

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


@pytest.fixture
def window(moderated: Server, window: Opener) -> Opener:
    """Windows, which are closed before the server ends: one that is left open says that it cannot be reached."""
    del moderated
    return window


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
    expect(anna.locator("#report")).not_to_contain_text("It is not sure")
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
    own = ben.get_by_role("link", name="See or delete what is held about you")
    expect(own).to_have_attribute("href", "/privacy/request")
    assert "so you are answered while you wait" in ben.request.get(f"{moderated.url}privacy/request").text()
    expect(ben.locator("main")).to_contain_text("No adverts, bots or scams.")
    waits = ben.context.new_page()  # another window, which is not reloaded
    waits.goto(moderated.url)
    waits.get_by_role("button", name="Try again").click()
    expect(waits.locator("main")).to_contain_text("Nothing has changed yet.")
    receipt.reload()
    expect(receipt.locator("main")).to_contain_text("and we acted")

    ben.get_by_role("link", name="Ask for a review").click()
    expect(ben.locator("main")).to_contain_text("No adverts, no bots, no scams")
    ben.fill("#words", "It was my little brother.")
    ben.get_by_role("button", name="Send the appeal").click()
    expect(ben.locator("main")).to_contain_text("Your appeal is here")
    assert "my little brother" in operate(data, "appeals")
    words = ("--words", "You were right.", "--why", "read again")
    operate(data, "answer", case, "reverse", *words, "--operator", "bob")
    ben.reload()
    expect(ben.locator("main")).to_contain_text("You were right.")
    expect(ben.locator("main")).to_contain_text("You can use this service again")
    start = waits.locator("#start-text")
    deadline = time.monotonic() + 30  # a server reads what another process decided every few seconds
    while not start.is_visible() and time.monotonic() < deadline:
        waits.get_by_role("button", name="Try again").click()
        expect(start.or_(waits.locator("#again[aria-busy=false]"))).to_be_visible()
    start.click()
    expect(waits.locator(".waiting")).to_be_visible()
    waits.close()
    receipt.reload()
    expect(receipt.locator("main")).to_contain_text("After an appeal we took that back")


def test_where_nobody_reads_reports_the_page_says_so(window: Opener, server: Server) -> None:
    anna, _ = meet(window, server.url)
    anna.get_by_role("button", name="Report").click()
    expect(anna.locator("#report")).to_contain_text("It is not sure that somebody reads reports on this server.")


TOLD = """async () => {
  const {get, subscribe} = await import(document.querySelector('script[type=module]').src.replace('app.js', 'store.js'));
  await new Promise((done) => get().unread ? done() : subscribe(({unread}) => unread && done()));
}"""


def test_a_warning_is_read_before_the_next_search_by_keyboard_and_once(
    window: Opener, moderated: Server, data: Path
) -> None:
    anna, ben = meet(window, moderated.url)
    ben.fill("#message", "I hate you")
    ben.press("#message", "Enter")
    expect(anna.locator(".line")).to_have_count(1)
    anna.get_by_role("button", name="Report").click()
    anna.get_by_role("button", name="Hate or harassment").click()
    deadline = time.monotonic() + 30
    while not (found := json.loads(operate(data, "cases", "--json"))):
        assert time.monotonic() < deadline
    decide = ("--measure", "warning", "--rule", "R4", "--operator", "ada", "--why", "hateful")
    operate(data, "decide", found[0]["id"], *decide)
    ben.evaluate(TOLD)

    later = ben.context.new_page()  # another visit of the same browser
    later.goto(moderated.url)
    later.click("#start-text")
    expect(later.locator("h1")).to_have_text("Before you go on")
    expect(later.locator("h1")).to_be_focused()
    expect(later.locator("main")).to_contain_text("No hate or harassment.")
    with later.expect_popup() as opened:
        later.get_by_role("link", name="Read why, or object").click()
    expect(opened.value.locator("main")).to_contain_text("You were warned")
    opened.value.close()
    later.locator("h1").focus()
    later.keyboard.press("Tab")
    later.keyboard.press("Tab")
    expect(later.locator("#read")).to_be_focused()
    later.keyboard.press("Enter")
    expect(later.locator(".waiting")).to_be_visible()
    expect(later.locator("h1")).to_be_focused()
    later.keyboard.press("Escape")
    later.reload()
    later.click("#start-text")
    expect(later.locator(".waiting")).to_be_visible()


def test_who_is_not_to_be_met_again_is_not_met_until_everything_is_forgotten(window: Opener, moderated: Server) -> None:
    anna, ben = meet(window, moderated.url, "blocked")
    anna.get_by_role("button", name="More").click()
    anna.get_by_role("button", name="Don't meet again").click()
    expect(anna.locator("#blocked")).to_have_text("You two will not meet again. This browser keeps that for 120 days.")
    expect(anna.locator("#blocked")).to_be_focused()
    kept = json.loads(anna.evaluate("localStorage.serendip"))["avoid"]
    assert [len(token) for token in kept] == [55]
    anna.keyboard.press("Escape")
    for page in (anna, ben):
        page.goto("about:blank")
    moderated.stop()
    moderated.start()  # whom one met last is forgotten by that
    asked: list[str] = []
    anna.on("websocket", lambda socket: socket.on("framesent", lambda sent: asked.append(str(sent))))
    for page in (anna, ben):
        page.goto(moderated.url)
        page.click("#start-text")
        expect(page.locator(".waiting")).to_be_visible()
    finds = [json.loads(sent) for sent in asked if '"find"' in sent]
    assert [find["avoid"] for find in finds] == [kept]
    anna.wait_for_function("() => document.querySelector('.steps, .waiting')")
    expect(ben.locator(".waiting")).to_be_visible()

    anna.keyboard.press("Escape")
    anna.get_by_role("button", name="Settings").click()
    expect(anna.locator("#settings")).to_contain_text("1 person not to meet again")
    anna.get_by_role("button", name="Forget everything in this browser").click()
    anna.click("#forget-go")
    anna.wait_for_function("() => !(localStorage.serendip ?? '').includes('avoid')")


def test_after_danger_the_page_says_whom_to_call(window: Opener, moderated: Server) -> None:
    anna, _ = meet(window, moderated.url, "danger")
    anna.get_by_role("button", name="Report").click()
    anna.get_by_role("button", name="Someone may get hurt").click()
    expect(anna.locator(".help a")).to_have_attribute("href", "https://findahelpline.com")
    expect(anna.locator(".divider.over")).to_contain_text("call your local emergency number")
    expect(anna.get_by_role("link", name="Read what comes of it")).to_be_visible()
