"""First events in the answer of `/start`, also where another process, the hub, has to decide about the search first."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import aiohttp
import pytest

from tests.server.site.omegle.conftest import HOLD, Caller
from tests.server.site.web.servers import Server

Make = Callable[[], Caller]


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of two workers, and the hub beside them."""
    server = Server(
        tmp_path_factory.mktemp("omegle"),
        SERENDIP_WORKERS="2",
        SERENDIP_LIMITS__ENABLED="false",
        SERENDIP_OMEGLE__HOLD=HOLD,
    )
    yield server
    server.stop()


@pytest.fixture
async def web(wide: Server) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(wide.url, connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


async def test_start_carries_waiting_or_the_whole_match_with_several_workers(caller: Make) -> None:
    for number in range(10):
        topics = f'["first events {number}"]'
        one, two = caller(), caller()
        assert [event[0] for event in await one.start(topics=topics)] == ["waiting", "statusInfo"]
        batch = [event[0] for event in await two.start(topics=topics)]
        assert (batch[:2], batch[-1]) == (["connected", "commonLikes"], "identDigests")
        assert (await asyncio.wait_for(one.until("connected"), 10)) == ["connected"]
        for line in range(2):  # nothing of the first batch comes again, and the chat goes on from there
            assert await one.post("/send", msg=f"line {line}") == "win"
            assert await two.events() == [["gotMessage", f"line {line}"]]
        assert await two.post("/disconnect") == "win"
        await one.until("strangerDisconnected")


async def test_many_starts_at_once_carry_their_events(caller: Make) -> None:
    people = [caller() for _ in range(40)]
    batches = await asyncio.gather(*(each.start(lang="eo") for each in people))
    assert all(batch and batch[0] in (["waiting"], ["connected"]) for batch in batches), batches
    await asyncio.gather(*(each.post("/disconnect") for each in people))
