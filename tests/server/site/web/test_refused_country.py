"""Check what the page says to a user of a refused country."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.server.site.web.conftest import Opener, keep
from tests.server.site.web.servers import Server

BRITISH = {"X-Forwarded-For": "81.2.69.142"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(
        tmp_path_factory.mktemp("country"),
        SERENDIP_SAFETY__REFUSED_COUNTRIES="GB,FR",
        SERENDIP_SERVER__PROXIES="127.0.0.1/32",
    )
    yield made
    made.stop()


@pytest.mark.parametrize(
    ("language", "title"),
    [("en", "Serendip is not offered in your country."), ("ja", "お住まいの国では Serendip を利用できません。")],
)
def test_the_page_says_it_before_a_chat_and_leaves_the_way_to_one_s_data(
    window: Opener, server: Server, language: str, title: str
) -> None:
    page = keep(window(locale=language, extra_http_headers=BRITISH), adult=True)
    page.goto(server.url)
    expect(page.locator("h1")).to_have_text(title)
    expect(page.locator("main.notice a")).to_have_attribute("href", "/privacy/request")
    expect(page.locator("#start-text")).to_have_count(0)
