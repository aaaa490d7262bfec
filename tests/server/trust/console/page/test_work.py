"""Test the path from two clicks to a reversed ban in Chromium: the moderator by keyboard alone, the banned user without script and cookie."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.server.site.web.conftest import Opener, Watch, keep, meet
from tests.server.trust.console.page.conftest import Operated, authenticator
from tests.server.trust.console.page.test_console import well

pytestmark = pytest.mark.timeout(180)


def enter(window: Opener, operated: Operated, name: str, *roles: str, place: str = "**/cases") -> Page:
    """Somebody of the console, who made a passkey and is in."""
    page = window()
    authenticator(page)
    page.goto(operated.invite(name, *roles))
    expect(page.locator("form[data-passkey] button")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(place)
    return page


def until(page: Page, path: str, selector: str) -> None:
    """Load a page of the console until something is there: a report is stored a moment after it was answered."""
    deadline = time.monotonic() + 30
    while not page.goto(path) or not page.locator(selector).count():
        assert time.monotonic() < deadline


def report(anna: Page, ben: Page) -> Page:
    """Ben says something, Anna reports it with two taps; her receipt."""
    ben.fill("#message", "buy my <b>gold</b>")
    ben.press("#message", "Enter")
    expect(anna.locator(".line")).to_have_count(1)
    anna.get_by_role("button", name="Report").click()
    anna.get_by_role("button", name="Advert, bot or scam").click()
    with anna.expect_popup() as opened:
        anna.get_by_role("link", name="Read what comes of it").click()
    return opened.value


def is_read(receipt: Page) -> None:
    """The server looks for accounts now and then: it may not know yet that somebody reads reports."""
    until(receipt, receipt.url, "main:has-text('A person will look at it')")


def refused(window: Opener, operated: Operated) -> str:
    """Another browser of the same address is refused by its network; where it asks for a review."""
    flatmate = keep(window(), adult=True, tags=())  # another browser of the same address
    flatmate.goto(operated.server.url)
    expect(flatmate.locator("h1")).to_contain_text("Your network can't use Serendip until")
    expect(flatmate.locator("main")).not_to_contain_text("adverts")
    return str(flatmate.get_by_role("link", name="Ask for a review").get_attribute("href"))


def says_nothing_of_the_case(shared: Page, url: str) -> None:
    """The network's own page."""
    shared.goto(url)
    expect(shared.locator("main")).to_contain_text("it need not be you")
    for words in ("adverts", "Decided", "a person", "reported"):
        expect(shared.locator("main")).not_to_contain_text(words)


FIRST_WORD = """() => new Promise((done) => {
  const socket = new WebSocket(`${location.origin.replace("http", "ws")}/ws`);
  socket.onmessage = ({data}) => { done(JSON.parse(data).type); socket.close(); };
  socket.onclose = () => done("closed");
})"""


def let_in(page: Page, url: str) -> None:
    """Wait until a connection from this network is greeted: a worker hears of a ban that was taken back a moment later."""
    page.goto(url)
    deadline = time.monotonic() + 30
    while page.evaluate(FIRST_WORD) != "hello":
        assert time.monotonic() < deadline
        page.wait_for_timeout(300)  # a network may not connect faster for long


def takes_back(lea: Page, operated: Operated) -> None:
    """The lead answers the appeal that waits, and takes the ban back."""
    lea.goto(operated.origin + "/appeals")
    expect(lea.locator("main")).to_contain_text("It was my little brother.")
    expect(lea.locator("main")).to_contain_text("Decided by mia")
    well(lea)
    lea.get_by_label("Your answer").fill("You were right.")
    lea.get_by_role("button", name="Take it back").click()
    expect(lea.locator("main")).to_contain_text("No appeal waits")


def test_from_two_taps_to_a_reversed_ban(window: Opener, operated: Operated, quiet: Watch) -> None:
    mia = enter(window, operated, "mia", "moderator")
    lea = enter(window, operated, "lea", "lead")
    enter(window, operated, "eva", "child")  # each queue has a reader from here on
    expect(mia.locator("main")).to_contain_text("Nothing waits in this queue")
    anna, ben = meet(window, operated.server.url)
    receipt = report(anna, ben)
    is_read(receipt)
    until(mia, f"{operated.origin}/cases?queue=spam", ".cases tbody tr")
    well(mia)
    mia.keyboard.press("Enter")  # the first that is free
    expect(mia.locator(".said .reported p")).to_have_text("buy my <b>gold</b>")
    well(mia)
    case = mia.url
    lea.goto(case)
    expect(lea.locator("main")).to_contain_text("This case is with mia")

    mia.keyboard.press("6")  # not a moderator's: nothing is chosen
    expect(mia.locator("[name=choice]:checked")).to_have_count(0)
    mia.keyboard.press("1")
    mia.keyboard.press("Enter")
    expect(mia.locator(".undo")).to_contain_text("Nothing follows")
    receipt.reload()
    expect(receipt.locator("main")).to_contain_text("and we did not act")
    mia.keyboard.press("u")
    mia.wait_for_url(case)
    mia.keyboard.press("n")
    mia.wait_for_url("**/cases?queue=spam")
    mia.keyboard.press("Enter")
    mia.wait_for_url(case)
    mia.keyboard.press("4")
    mia.keyboard.press("Enter")
    expect(mia.locator(".undo")).to_contain_text("Ban, R5")
    expect(ben.locator("h1")).to_contain_text("You can't use Serendip until")
    expect(ben.locator("main")).to_contain_text("No adverts, bots or scams.")
    receipt.reload()
    expect(receipt.locator("main")).to_contain_text("and we acted")

    theirs = refused(window, operated)
    address = ben.get_by_role("link", name="Ask for a review").get_attribute("href")
    plain = window(java_script_enabled=False)
    plain.goto(operated.server.url.rstrip("/") + str(address))
    for words in ("No adverts, no bots, no scams", "How long: 1 day", time.strftime("%B %Y", time.gmtime())):
        expect(plain.locator("main")).to_contain_text(words)
    says_nothing_of_the_case(window(java_script_enabled=False), operated.server.url.rstrip("/") + theirs)

    plain.fill("#words", "It was my little brother.")
    plain.get_by_role("button", name="Send the appeal").click()
    expect(plain.locator("main")).to_contain_text("Your appeal is here")
    assert plain.context.cookies() == []

    takes_back(lea, operated)
    plain.reload()
    expect(plain.locator("main")).to_contain_text("You were right.")
    expect(plain.locator("main")).to_contain_text("You can use this service again")
    receipt.reload()
    expect(receipt.locator("main")).to_contain_text("After an appeal we took that back")
    let_in(window(), operated.server.url)  # the next test comes from this network


def test_without_a_script_a_case_is_decided_by_its_form(window: Opener, operated: Operated, quiet: Watch) -> None:
    mia = enter(window, operated, "ned", "moderator")
    anna, ben = meet(window, operated.server.url)
    report(anna, ben)
    until(mia, f"{operated.origin}/cases?queue=spam", ".cases tbody tr")
    cookies = mia.context.cookies()
    plain = window(java_script_enabled=False)
    plain.context.add_cookies(cookies)  # a passkey takes the browser's own script, once
    plain.goto(f"{operated.origin}/cases?queue=spam")
    plain.get_by_role("button", name="Open the first that is free").click()
    plain.get_by_label("Pause", exact=False).first.check()
    plain.get_by_label("Pause of").select_option("15")
    plain.get_by_label("To the person, beside the rule").fill("Slow down, please.")
    plain.get_by_role("button", name="Decide, and the next").click()
    expect(plain.locator(".undo")).to_contain_text("Pause, R5")
    expect(ben.locator("h1")).to_contain_text(re.compile(r"until \d+ \w+ at \d\d:\d\d"))
    plain.get_by_role("button", name="Undo").click()
    expect(plain.locator("#decide")).to_be_visible()
