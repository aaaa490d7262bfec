"""Three first lines under the card: a press fills the field and sends nothing, and they go with one's own first line."""

import json

import pytest
from playwright.sync_api import expect

from server.http.words.catalogue import languages
from server.site.front.page_files import FOLDER
from tests.server.site.web.conftest import Opener, lines, meet
from tests.server.site.web.servers import Server
from tests.server.site.web.test_two_windows import say


@pytest.mark.parametrize("language", languages())
def test_each_language_has_a_hundred_lines_of_its_own(language: str) -> None:
    found = json.loads((FOLDER / "openers" / f"{language}.json").read_text("utf-8"))
    assert set(found) == {"topic", "any"}
    everything = [*found["topic"], *found["any"]]
    assert len(everything) == len(set(everything)) == 100
    assert all(line.count("{topic}") == (line in found["topic"]) for line in everything)
    assert all(0 < len(line) <= 90 and line == line.strip() for line in everything)
    assert not any(len(found[part]) % 37 == 0 for part in found), "the step between two offers"
    if language != "en":
        english = json.loads((FOLDER / "openers" / "en.json").read_text("utf-8"))
        assert not set(everything) & {*english["topic"], *english["any"]}


def test_a_press_fills_the_field_and_nothing_is_sent_until_it_is(window: Opener, server: Server) -> None:
    anna, ben = meet(window, server.url, "lighthouses")
    offers = anna.locator(".openers button:not(.round)")
    expect(offers).to_have_count(3)
    assert sum("lighthouses" in text for text in offers.all_inner_texts()) == 2
    first = offers.nth(0).inner_text()
    offers.nth(0).click()
    expect(anna.locator("#message")).to_have_value(first)
    expect(anna.locator("#message")).to_be_focused()
    offers.nth(1).press("Enter")
    expect(anna.locator("#message")).to_have_value(offers.nth(1).inner_text())
    before = offers.all_inner_texts()
    anna.get_by_role("button", name="Other ideas").click()
    expect(offers.nth(0)).not_to_have_text(before[0])
    assert lines(ben) == []
    anna.fill("#message", "my own words")
    line = offers.nth(2).inner_text()
    offers.nth(2).click()
    expect(anna.locator("#message")).to_have_value(f"my own words {line}")
    anna.press("#message", "Enter")
    expect(anna.locator(".openers")).to_have_count(0)
    expect(ben.locator(".line.them")).to_have_count(1)
    expect(ben.locator(".openers")).to_have_count(1)
    say(ben, "hello")
    expect(ben.locator(".openers")).to_have_count(0)


def test_no_list_is_fetched_before_a_search(window: Opener, server: Server) -> None:
    page = window()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(server.url)
    expect(page.locator("#start-text")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if "/openers/" in url or "faces.svg" in url]
