"""The page Live in Chromium: an administrator sees who is here, ends a session, and begins maintenance."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import expect

from serendip_client.client import Client
from serendip_client.events import Closed, Left, Matched
from tests.server.site.web.conftest import Opener
from tests.server.trust.console.page.conftest import Operated
from tests.server.trust.console.page.test_console import well
from tests.server.trust.console.page.test_work import enter
from tests.support.services import free_port

pytestmark = [pytest.mark.timeout(180), pytest.mark.thorough]


@pytest.fixture(scope="module")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    """A server that asks for no challenges, which a program cannot solve."""
    settings = {"SERENDIP_LIMITS__ENABLED": "false", "SERENDIP_CHALLENGE__ENABLED": "false"}
    made = Operated(tmp_path_factory.mktemp("operated"), free_port(), **settings)
    yield made
    assert made.server.stop() == 0


def test_an_administrator_sees_a_chat_ends_it_and_begins_maintenance(window: Opener, operated: Operated) -> None:
    page = enter(window, operated, "ada", "admin", place="**/accounts")

    async def two() -> tuple[Client, Client]:
        wires = [Client(operated.server.url.replace("http", "ws") + "ws") for _ in range(2)]
        for wire in wires:
            await wire.start()
        await asyncio.gather(*(wire.find(["live"]) for wire in wires))
        await asyncio.gather(*(wire.next(Matched) for wire in wires))
        return wires[0], wires[1]

    with ThreadPoolExecutor(1) as thread:  # Playwright has a loop in this one
        runner = asyncio.Runner()
        one, other = thread.submit(runner.run, two()).result()
        page.goto(f"{operated.origin}/live")
        expect(page.get_by_text("Here now: 2")).to_be_visible()
        page.locator("#why").fill("a test")
        page.get_by_role("button", name="Show", exact=True).click()
        expect(page.locator("table.cases:not(.figures) tbody tr")).to_have_count(2)
        well(page)
        page.get_by_role("button", name="End", exact=True).first.click()
        expect(page.locator("table.cases:not(.figures) tbody tr")).to_have_count(1)
        page.get_by_role("button", name="Begin maintenance").click()
        expect(page.get_by_text("Maintenance: no new chat begins.")).to_be_visible()

        async def what_they_hear() -> set[type]:
            return {type(event) for event in await asyncio.gather(*(wire.next(Closed, Left) for wire in (one, other)))}

        assert thread.submit(runner.run, what_they_hear()).result() == {Closed, Left}
        thread.submit(runner.run, one.close()).result()
        thread.submit(runner.run, other.close()).result()
        thread.submit(runner.close).result()
