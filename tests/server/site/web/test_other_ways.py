"""Spy mode and college mode in real windows: three who meet over a question, students who prove their college."""

# ruff: noqa: F811 - fixtures are named as the argument that takes them

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.server.site.college.conftest import Box, Post, box, code_of, link_of, school  # noqa: F401 - fixtures
from tests.server.site.web.conftest import Opener, Watch, adult, lines, opened
from tests.server.site.web.servers import Server

QUESTION = "Is a hot dog a sandwich?"


def home(window: Opener, url: str, **more: Any) -> Page:
    page = adult(window(**more))
    page.goto(url)
    return page


def ask(page: Page, question: str) -> None:
    page.click("#start-spy")
    page.fill("#question", question)
    page.click("#ask-go")


def discuss(page: Page) -> None:
    page.click("#start-discuss")
    page.click("#discuss-go")


def say(page: Page, text: str) -> None:
    page.fill("#message", text)
    page.press("#message", "Enter")


def test_one_asks_two_discuss_and_the_asker_sees_who_says_what(server: Server, window: Opener) -> None:
    spy, one, two = (home(window, server.url) for _ in range(3))
    ask(spy, QUESTION)
    expect(spy.locator("h1")).to_have_text("Looking for two people to discuss your question")
    discuss(one)
    expect(one.locator("h1")).to_have_text("Looking for a question and someone to discuss it with")
    discuss(two)
    for page in (one, two):
        expect(page.locator(".question")).to_contain_text(QUESTION)
        expect(page.locator(".who p")).to_have_text("Somebody may read along")
    expect(spy.locator("h1")).to_have_text("You are watching")
    expect(spy.locator(".question")).to_contain_text(QUESTION)
    expect(spy.locator("#message")).to_have_count(0)
    say(one, "It is one")
    say(two, "It is not")
    expect(spy.get_by_text("It is not")).to_be_visible()
    first, second = lines(spy)
    assert {first.split(":")[0], second.split(":")[0]} == {"Stranger 1", "Stranger 2"}
    expect(spy.locator(".line .by")).to_have_count(2)
    one.press("#message", "a")
    two.press("#message", "a")
    expect(spy.locator(".who p")).to_have_text("Both are typing…")
    one.keyboard.press("Escape")
    one.keyboard.press("Escape")
    expect(two.locator("#meet")).to_be_visible()
    expect(spy.locator(".divider.over")).to_have_text(re.compile("Stranger [12] left"))
    expect(spy.locator("#meet")).to_have_text("Ask again")


def test_who_stops_watching_ends_nothing_for_the_two(server: Server, window: Opener) -> None:
    spy, one, two = (home(window, server.url) for _ in range(3))
    ask(spy, "Would you notice if I left?")
    discuss(one)
    discuss(two)
    spy.click("#unwatch")
    expect(spy.locator(".divider.over")).to_have_text("You stopped watching")
    say(one, "no")
    expect(two.get_by_text("no", exact=True)).to_be_visible()
    expect(two.locator("#message")).to_be_visible()


def test_the_watcher_says_whom_a_report_is_about(server: Server, window: Opener) -> None:
    spy, one, two = (home(window, server.url) for _ in range(3))
    ask(spy, "Who of you two is it then?")
    discuss(one)
    discuss(two)
    spy.get_by_label("Report").click()
    spy.get_by_role("button", name="Stranger 2").click()
    spy.get_by_role("button", name="Hate or harassment").click()
    expect(spy.locator(".divider.over")).to_contain_text("Reported. Thank you.")
    expect(one.locator("#message")).to_be_visible()


def test_a_question_too_short_is_said_so(server: Server, window: Opener) -> None:
    page = home(window, server.url)
    ask(page, "why?")
    expect(page.locator(".problem")).to_have_text("At least 10 characters.")
    expect(page.locator("#question-count")).to_have_text("4 of 200")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)


def test_without_a_mail_server_nothing_leads_to_college_mode(server: Server, window: Opener) -> None:
    page = home(window, server.url)
    expect(page.locator("#start-spy")).to_be_visible()
    expect(page.locator("#start-college")).to_have_count(0)


@pytest.fixture
def refusing(watch: Watch) -> None:
    """The console shows each answer that is an error; what the page makes of it is the test's subject."""
    watch.quiet = ("the server responded with a status of 4",)


def prove(page: Page, box: Box, address: str) -> str:
    """Ask for a mail; what it says."""
    page.click("#start-college")
    page.fill("#college-address", address)
    opened(page, "#college")
    page.press("#college-address", "Enter")
    expect(page.locator("#college-code")).to_be_visible()
    return box.of(address)


@pytest.mark.usefixtures("refusing")
def test_students_prove_their_college_by_code_and_meet(school: Server, box: Box, window: Opener) -> None:
    one, two = home(window, school.url), home(window, school.url)
    mail = prove(one, box, "window@uio.no")
    one.fill("#college-code", "000000" if code_of(mail) != "000000" else "000001")
    one.press("#college-code", "Enter")
    expect(one.locator(".problem")).to_have_text("Wrong code. 4 tries left.")
    one.fill("#college-code", code_of(mail))
    one.press("#college-code", "Enter")
    expect(one.locator("dialog")).to_contain_text("You are in: uio.no")
    two.goto(school.url)
    code = code_of(prove(two, box, "window@mit.edu"))
    two.fill("#college-code", code)
    two.press("#college-code", "Enter")
    one.click("#college-start")
    expect(one.locator("h1")).to_have_text("Looking for a student from any college")
    two.click("#college-start")
    expect(two.locator(".who p")).to_have_text("At uio.no")
    expect(one.locator(".who p")).to_have_text("At mit.edu")


@pytest.mark.usefixtures("refusing")
def test_the_link_in_the_same_browser_proves_it_and_a_reload_keeps_it(school: Server, box: Box, window: Opener) -> None:
    page = home(window, school.url)
    link = link_of(prove(page, box, "tabs@ntnu.no"))
    other = page.context.new_page()
    other.goto(school.url.rstrip("/") + link)
    other.get_by_role("button", name="Yes, I am at ntnu.no").click()
    expect(other.locator("h1")).to_have_text("You are in: ntnu.no")
    other.close()
    page.bring_to_front()
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.locator("dialog")).to_contain_text("You are in: ntnu.no")
    page.reload()
    expect(page.locator("#start-college")).to_contain_text("ntnu.no, any college")


@pytest.mark.parametrize(
    ("address", "said"),
    [("a@gmail.com", "That is not a college address that we know."), ("tabs@ntnu.no", "One mail an hour.")],
)
@pytest.mark.usefixtures("refusing")
def test_what_cannot_be_mailed_is_said_in_the_dialog(
    school: Server, box: Box, window: Opener, address: str, said: str
) -> None:
    page = home(window, school.url)
    page.click("#start-college")
    page.fill("#college-address", address)
    opened(page, "#college")
    page.press("#college-address", "Enter")
    expect(page.locator(".problem")).to_contain_text(said)
