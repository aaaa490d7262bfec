"""Programs that can solve no challenge wait, are told how long, and meet: by hand, and with each client library."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest

from tests.server.site.omegle.conftest import Caller
from tests.server.site.omegle.reading import Read, python_omegle, read
from tests.server.site.omegle.test_libraries import Script, library, script, secure
from tests.server.site.web.servers import Server

__all__ = ["Script", "library", "read", "script", "secure"]
pytestmark = pytest.mark.timeout(120)
SAID = "Please wait 3 seconds: many searches come from your network."


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that asks everybody, so that each program waits three seconds."""
    server = Server(
        tmp_path_factory.mktemp("patience"),
        SERENDIP_CHALLENGE__ENABLED="true",
        SERENDIP_CHALLENGE__FIRST="true",
        SERENDIP_SERVER__HOSTS="localhost,127.0.0.1,front1.omegle.com",
    )
    yield server
    server.stop()


@pytest.fixture
async def web(wide: Server) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser's worth of connections to it."""
    async with aiohttp.ClientSession(wide.url, connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


async def test_a_program_is_told_at_once_and_meets_when_the_seconds_are_over(web: aiohttp.ClientSession) -> None:
    one, two = Caller(web), Caller(web)
    begun = asyncio.get_running_loop().time()
    for caller in (one, two):
        first = await caller.start(lang="is")
        assert [event[0] for event in first] == ["waiting", "statusInfo", "serverMessage"]
        assert first[2] == ["serverMessage", SAID]
    for caller in (one, two):
        await caller.until("connected")
    assert asyncio.get_running_loop().time() - begun >= 3.0
    assert await one.post("/send", msg="hei") == "win"
    assert await two.until("gotMessage") == ["gotMessage", "hei"]


async def test_who_leaves_meanwhile_is_gone_and_who_widens_meanwhile_has_no_topics(web: aiohttp.ClientSession) -> None:
    gone, topical, plain = Caller(web), Caller(web), Caller(web)
    await gone.start(lang="fo")
    assert await gone.post("/disconnect") == "win"
    await topical.start(lang="fo", topics='["boats"]')
    assert await topical.post("/stoplookingforcommonlikes") == "win"
    await plain.start(lang="fo")
    for caller in (topical, plain):
        await caller.until("connected")
    assert await gone.events() is None


def test_python_omegle_survives_it(wide: Server, read: Read) -> None:
    one, two = [read(wide, python_omegle.RandomChat(language="hr")) for _ in range(2)]
    for reader in (one, two):
        reader.until("CHAT_WAITING")
        assert reader.until("GOT_SERVER_NOTICE") == SAID
        reader.until("CHAT_READY")
    one.chat.send("hei")
    assert two.until("GOT_MESSAGE") == "hei"
    with contextlib.suppress(Exception):
        two.chat.disconnect()
    one.until("CHAT_ENDED")


async def test_omegle_node_survives_it(script: Any) -> None:
    one, two = await script(), await script()
    for client in (one, two):
        client.tell("language", "mk")
        client.tell("connect")
        await client.until("gotID")
    for client in (one, two):
        await client.until("connected")
    one.tell("send", "hei")
    assert await two.until("gotMessage") == ["gotMessage", "hei"]
