"""Test that detections of a day add up over workers, an upgrade and hosts, in real processes."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from tests.server.fleet.cluster.test_together import hears, hosts
from tests.server.fleet.migrate.upgrades import Person, deployed
from tests.server.fleet.nats.test_nats_bus import started

SETTINGS = {
    "SERENDIP_WORKERS": "2",
    "SERENDIP_STORE__ENABLED": "false",
    "SERENDIP_METRICS__PORT": "0",
    "SERENDIP_LIMITS__ENABLED": "true",
    "SERENDIP_CHALLENGE__ENABLED": "true",
    "SERENDIP_LIMITS__FIND_BURST": "100",
}
CONNECTIONS = 4  # of one cookie: over both workers


async def browser(port: int) -> aiohttp.ClientSession:
    """A browser that has the cookie of the page."""
    http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
    async with http.get(f"http://127.0.0.1:{port}/") as page:
        assert page.status == 200
    return http


async def writes_hate(port: int, writer: aiohttp.ClientSession, word: str) -> None:
    """Chat with a user who is new, and write a line that is hateful."""
    other = await browser(port)
    async with other:
        one, two = await Person(writer, port).open(), await Person(other, port).open()
        for person in (one, two):
            await person.say("find", interests=[word], strict=True)
        for person in (one, two):
            await person.hear("matched")
        await one.say("message", text="muslims are vermin")
        assert (await one.hear("tip"))["kind"] == "hate"
        for person in (one, two):
            await person.socket.close()


async def answers(port: int, http: aiohttp.ClientSession, word: str) -> set[str]:
    """The server's answers to a search in several connections of a browser."""
    found = set()
    for at in range(CONNECTIONS):
        person = await Person(http, port).open()
        await person.say("find", interests=[f"{word} {at}"], strict=True)
        found.add((await person.hear("waiting", "challenge"))["type"])
        await person.socket.close()
    return found


async def slowed(port: int, http: aiohttp.ClientSession) -> None:
    """Wait until every connection of a browser gets a challenge: another process knows of it a moment later."""
    async with asyncio.timeout(20):
        while await answers(port, http, "after") != {"challenge"}:
            pass


async def test_hate_in_three_chats_slows_every_connection_of_a_cookie_also_after_an_upgrade(tmp_path: Path) -> None:
    async with deployed(tmp_path, **SETTINGS) as server:
        writer = await browser(server.port)
        async with writer:
            for chat in range(2):
                await writes_hate(server.port, writer, f"chat {chat}")
            assert await answers(server.port, writer, "before") == {"waiting"}
            status, _ = await server.upgrade()
            assert status == 0
            await writes_hate(server.port, writer, "chat 2")
            await slowed(server.port, writer)
            async with await browser(server.port) as other:
                assert await answers(server.port, other, "other") == {"waiting"}


@pytest.mark.blocking
async def test_hate_in_chats_of_two_hosts_adds_up(tmp_path: Path) -> None:
    settings = {name: value for name, value in SETTINGS.items() if name != "SERENDIP_WORKERS"}
    async with started() as nats, hosts(tmp_path, nats, 2, **settings) as (one, two):
        await hears(one, two)
        writer = await browser(one.port)
        async with writer:
            for chat, host in enumerate((one, two, one)):
                await writes_hate(host.port, writer, f"chat {chat}")
            for host in (one, two):
                await slowed(host.port, writer)
