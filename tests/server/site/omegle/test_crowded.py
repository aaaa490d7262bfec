"""Programs that open a connection for each request: a chat has what it needs, and who is over the limits is told slowly, in its own words."""

import asyncio
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from tests.server.site.omegle.conftest import Caller
from tests.server.site.web.servers import Server

LINES = 60


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose limits of connections are those that it ships with."""
    limits = {"CONNECTIONS": "100", "CONNECT_BURST": "40", "CONNECT_RATE": "4"}
    server = Server(
        tmp_path_factory.mktemp("shipped"), **{f"SERENDIP_LIMITS__{name}": value for name, value in limits.items()}
    )
    yield server
    server.stop()


async def test_a_connection_for_each_request_loses_no_line_and_the_page_still_comes_in(shipped: Server) -> None:
    async with aiohttp.ClientSession(shipped.url, headers={"Connection": "close"}) as web:
        one, two = Caller(web), Caller(web)
        await one.start(lang="qf")
        await two.start(lang="qf")
        await one.until("connected")
        for number in range(LINES):
            assert await two.post("/typing") == "win"
            assert await two.post("/send", msg=f"{number}") == "win"
            assert await one.until("gotMessage") == ["gotMessage", f"{number}"]
        async with web.get("/") as page:
            assert page.status == 200


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that takes two connections of this protocol from an address."""
    server = Server(tmp_path_factory.mktemp("strict"), SERENDIP_OMEGLE__CONNECTIONS="2")
    yield server
    server.stop()


async def started(web: aiohttp.ClientSession) -> dict[str, Any]:
    """Begin; return what is answered."""
    async with web.post("/start", data={"firstevents": "1"}) as answer:
        assert answer.status == 200
        return dict(await answer.json())


async def test_who_is_over_the_limit_is_told_in_words_that_end_nothing(strict: Server) -> None:
    async with aiohttp.ClientSession(strict.url, headers={"Connection": "close"}) as web:
        one, two = Caller(web), Caller(web)
        await one.start(lang="qg")
        await two.start(lang="qh")
        held = [asyncio.ensure_future(each.events()) for each in (one, two)]
        async with asyncio.timeout(20):
            while await started(web):  # until both are held
                pass
        assert await one.post("/send", msg="hello") == "fail"
        assert await one.events() == []
        for poll in held:
            poll.cancel()
        await asyncio.gather(*held, return_exceptions=True)
