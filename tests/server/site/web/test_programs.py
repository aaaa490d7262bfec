"""A program that speaks Omegle's HTTP protocol meets a person on the page."""

import json
import urllib.parse
import urllib.request
from typing import Any

from playwright.sync_api import expect

from tests.server.site.web.conftest import Opener, adult, lines
from tests.server.site.web.servers import Server


def post(server: Server, path: str, **fields: str) -> Any:
    """One request of an HTTP client that blocks, as a thread beside a browser may."""
    data = urllib.parse.urlencode(fields).encode()
    with urllib.request.urlopen(server.url.rstrip("/") + path, data, timeout=20) as answer:  # noqa: S310 - our own server
        text = answer.read().decode()
    return json.loads(text) if text not in {"win", "fail"} else text


def test_an_http_client_talks_with_the_page(server: Server, window: Opener) -> None:
    page = adult(window())
    page.goto(server.url)
    page.fill("#topics", "bookbinding")
    page.press("#topics", "Enter")
    page.click("#start-text")
    expect(page.locator(".waiting")).to_be_visible()
    found = post(server, "/start", firstevents="1", lang="en", topics='["bookbinding"]')
    assert found["events"][0] == ["connected"]
    id = found["clientID"]
    expect(page.locator("#message")).to_be_visible()
    expect(page.locator(".card").first).to_contain_text("bookbinding")
    assert post(server, "/send", id=id, msg="<b>hi</b> from a program") == "win"
    expect(page.get_by_text("<b>hi</b> from a program")).to_be_visible()
    page.fill("#message", "hi from a browser")
    page.press("#message", "Enter")
    got: list[Any] = []
    while not any(event[0] == "gotMessage" for event in got):
        got += post(server, "/events", id=id)
    assert ["gotMessage", "hi from a browser"] in got
    assert len(lines(page)) >= 2
    assert post(server, "/disconnect", id=id) == "win"
    expect(page.locator("#meet")).to_be_visible()
