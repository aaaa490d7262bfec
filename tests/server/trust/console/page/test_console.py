"""Test the console in Chromium: a passkey by keyboard alone, a refused device without user verification; axe finds nothing."""

import json
import time
from importlib.resources import files
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, Route, expect

from tests.server.site.web.conftest import Opener, Watch
from tests.server.trust.console.page.conftest import Operated, authenticator

pytestmark = pytest.mark.timeout(180)
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
FINDINGS = """axe.run(document, {resultTypes: ['violations']}).then((result) => result.violations.map(
    (found) => `${found.id}: ${found.nodes.map((node) => node.target + ' ' + node.failureSummary).join(' | ')}`))"""


def well(page: Page) -> None:
    """axe finds nothing, there is one heading, and nothing is wider than a small window."""
    page.evaluate(AXE)
    assert page.evaluate(FINDINGS) == []
    assert page.locator("h1").count() == 1
    page.set_viewport_size({"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.set_viewport_size({"width": 1280, "height": 800})


def tab_to(page: Page, what: str) -> None:
    """Press Tab until what matches this selector has the focus."""
    for _ in range(60):
        if page.evaluate("what => document.activeElement.matches(what)", what):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no way to {what} by keyboard")


def inside(page: Page) -> None:
    """Wait until somebody is signed in, wherever that leads them."""
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def until_moderated(operated: Operated) -> None:
    """Wait until the public page is told that somebody reads reports."""
    deadline = time.monotonic() + 30
    while not moderated(operated):
        assert time.monotonic() < deadline
        time.sleep(0.3)  # a poll makes a connection each time, and a network may not make them faster for long


def moderated(operated: Operated) -> bool:
    """What the public page is told."""
    with urlopen(operated.server.url + "api/config") as answer:  # noqa: S310 - a server of ours
        return bool(json.load(answer)["moderated"])


def by_key(page: Page) -> None:
    """Press the button that asks for the passkey; it has the focus once the page was drawn, which may be after it was loaded."""
    expect(page.locator("form[data-passkey] button")).to_be_focused()
    page.keyboard.press("Enter")


def test_from_an_invitation_to_a_colleague_by_keyboard_alone(window: Opener, operated: Operated, quiet: Watch) -> None:
    ada = window()
    authenticator(ada)
    ada.goto(operated.invite("ada", "admin"))
    expect(ada.locator("main")).to_contain_text("pseudonym")
    well(ada)
    by_key(ada)
    ada.wait_for_url("**/accounts")
    well(ada)
    tab_to(ada, "#name")
    ada.keyboard.type("bob")
    for role in ("moderator", "child"):  # without the second nobody would open the urgent queue
        tab_to(ada, f"input[value={role}]")
        ada.keyboard.press("Space")
    tab_to(ada, ".button.primary")
    ada.keyboard.press("Enter")
    link = ada.locator("#link")
    expect(link).to_contain_text("/enrol/")
    well(ada)
    assert not moderated(operated)
    assert '"safety.unattended"' in operated.server.before

    bob = window()
    authenticator(bob)
    bob.goto(link.inner_text())
    expect(bob.locator("main")).to_contain_text("which is moderator and child")
    by_key(bob)
    inside(bob)
    bob.goto(operated.origin + "/accounts")
    expect(bob.locator("h1")).to_have_text("Nothing here")
    well(bob)
    until_moderated(operated)
    tab_to(bob, ".who button")
    bob.keyboard.press("Enter")
    bob.wait_for_url("**/sign-in")
    well(bob)
    by_key(bob)
    inside(bob)
    assert [row["name"] for row in json.loads(operated.run("list", "--json"))] == ["ada", "bob"]
    operated.server.stop()
    operated.server.start()
    assert '"safety.unattended"' not in operated.server.before
    assert moderated(operated)
    ada.reload()
    inside(ada)  # a restart signs nobody out


def test_a_device_that_does_not_know_its_user_is_refused(window: Opener, operated: Operated, quiet: Watch) -> None:
    page = window()
    session, device = authenticator(page)
    link = operated.invite("cy", "officer")
    page.goto(link)
    session.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page.get_by_role("button", name="Make passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("did not work")
    session.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": True})
    page.get_by_role("button", name="Make passkey").click()
    inside(page)
    page.goto(operated.origin + "/approvals")
    well(page)
    page.get_by_role("button", name="Sign out").click()
    session.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page.get_by_role("button", name="Use passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("did not work")
    page.goto(operated.origin + "/approvals")
    assert "/sign-in?next=/approvals" in page.url
    session.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": True})
    page.get_by_role("button", name="Use passkey").click()
    page.wait_for_url("**/approvals")


def test_nothing_is_sent_before_the_page_can_ask_for_the_passkey(
    window: Opener, operated: Operated, quiet: Watch
) -> None:
    page = window()
    authenticator(page)
    held: list[Route] = []
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    page.route("**/passkey.js", lambda route: held.append(route))  # a slow network
    with page.expect_request("**/passkey.js"):
        page.goto(operated.invite("gil", "officer"), wait_until="commit")
    button = page.get_by_role("button", name="Make passkey")
    expect(button).to_be_disabled()
    button.click(force=True)
    page.keyboard.press("Enter")
    held[0].continue_()
    by_key(page)
    inside(page)
    assert sent.count("POST") == 1


def test_a_page_elsewhere_does_nothing_with_the_cookie(window: Opener, operated: Operated, quiet: Watch) -> None:
    page = window()
    authenticator(page)
    page.goto(operated.invite("dee", "officer"))
    page.get_by_role("button", name="Make passkey").click()
    inside(page)
    page.goto(operated.origin + "/approvals")
    kept = page.context.cookies()[0]
    assert (kept["name"], kept["secure"], kept["httpOnly"], kept["sameSite"]) == ("__Host-mod", True, True, "Strict")
    # Another port of the same machine is the same site: the browser sends a strict cookie from there.
    form = f'<form method="post" action="{operated.origin}/sign-out"><input name="token" value="x"><button>Win</button></form>'
    page.route("http://localhost:1/", lambda route: route.fulfill(body=form, content_type="text/html"))
    page.goto("http://localhost:1/")
    page.get_by_role("button", name="Win").click()
    expect(page.locator("h1")).to_have_text("That did not come from here")
    well(page)
    page.goto(operated.origin + "/approvals")
    expect(page.locator("h1")).to_have_text("Approvals")


def test_a_passkey_needs_a_name_and_the_console_says_which(window: Opener, operated: Operated, quiet: Watch) -> None:
    page = window()
    page.goto(f"http://127.0.0.1:{operated.port}/sign-in")
    expect(page.locator("body")).to_contain_text(f"This console is at {operated.origin}")


def test_what_weighs_more_asks_for_the_passkey_again_and_goes_on(
    window: Opener, operated: Operated, quiet: Watch
) -> None:
    page = window()
    authenticator(page)
    page.goto(operated.invite("eve", "admin"))
    by_key(page)
    page.wait_for_url("**/accounts")
    operated.forget_passkeys()
    tab_to(page, "#name")
    page.keyboard.type("fay")
    tab_to(page, "section:last-of-type input[value=lead]")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Your passkey again")
    well(page)
    by_key(page)
    expect(page.locator("#link")).to_contain_text("/enrol/")
    assert [row["roles"] for row in json.loads(operated.run("list", "--json")) if row["name"] == "fay"] == ["lead"]
    operated.forget_passkeys()
    page.goto(operated.origin + "/accounts")
    expect(page.locator("h1")).to_have_text("Your passkey again")
    by_key(page)
    page.wait_for_url("**/accounts")
    page.get_by_text("Close fay…").click()
    well(page)
    page.get_by_role("button", name="Yes, close fay").click()
    expect(page.get_by_role("heading", name="fay")).to_have_count(0)
