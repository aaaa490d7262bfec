"""Check `/notice` and requests without a proof in a flood: a browser solves a puzzle, and without its solution a form is refused in words."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from server.trust.publication.safety_page_routes import USUAL_BURST
from server.trust.rights.request_pages import USUAL_BURST as TICKETS_BURST
from tests.server.site.web.conftest import Opener
from tests.server.site.web.servers import Server

FIELDS = {"kind": "other", "about": "", "words": "Somebody sells passports.", "contact": ""}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server behind a proxy, so that each notice has a network of its own."""
    server = Server(tmp_path, SERENDIP_SERVER__PROXIES="127.0.0.1", SERENDIP_OPERATOR__EMAIL="desk@chat.example")
    yield server
    server.stop()


def test_in_a_flood_a_browser_solves_a_puzzle_while_the_form_is_filled_in(window: Opener, server: Server) -> None:
    page = window()
    page.goto(f"{server.url}notice?kind=other")
    expect(page.locator("#solution")).to_have_count(0)
    seen = []
    for number in range(1, int(USUAL_BURST) + 3):
        headers = {"Origin": server.url.rstrip("/"), "X-Forwarded-For": f"{number}.0.2.1"}
        answer = page.request.post(f"{server.url}notice", form=FIELDS, headers=headers, max_redirects=0)
        seen.append(answer.status)
    assert seen == [303] * int(USUAL_BURST) + [400] * 2
    assert "The puzzle was not solved" in answer.text()

    page.goto(f"{server.url}notice?kind=other")
    expect(page.locator("main")).to_contain_text("Your browser solves a small puzzle while you write")
    page.fill("#words", "A forged ticket.")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("main")).to_contain_text("It arrived on")

    bare = window(java_script_enabled=False)
    bare.goto(f"{server.url}notice")
    said = bare.locator("noscript").inner_text()
    assert "only with JavaScript" in said
    assert "desk@chat.example" in said


def test_a_request_without_a_proof_needs_one_in_a_flood_too(window: Opener, server: Server) -> None:
    page = window()
    place = f"{server.url}privacy/request"
    for number in range(1, 32):
        far = {"Origin": server.url.rstrip("/"), "X-Forwarded-For": f"{number}.0.2.1"}
        token = re.findall(r'name="token" value="([^"]+)"', page.request.get(place, headers=far).text())[0]
        fields = {"token": token, "kind": "other", "text": "Who are you?", "contact": ""}
        answer = page.request.post(f"{place}/ticket", form=fields, headers=far)
        assert answer.status == (200 if number <= TICKETS_BURST else 400), answer.text()
    assert "The puzzle was not solved" in answer.text()
    assert "Who are you?</textarea>" in answer.text(), "what was written stays in the form"
    page.goto(place)
    page.get_by_label("Your request, up to 2,000 characters").fill("What do you have of me?")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("main")).to_contain_text("Your request is here")
