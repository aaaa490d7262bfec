"""`/status`: names that lead somewhere for whoever asks, and figures that are true."""

import asyncio
import json
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest

from engine.matching.lobby import Lobby
from engine.rooms.local_waiting_room import WaitingRoom
from server.site.omegle.status_info import StatusFigures
from tests.server.site.web.servers import Server

HOSTS = ("localhost", "127.0.0.1", "[::1]", "front1.omegle.com")


class Idle:
    """An engine in which nobody is."""

    people = 0
    room = WaitingRoom(Lobby())


@pytest.mark.parametrize(
    ("host", "servers"),
    [
        ("front1.omegle.com", ["front1"]),
        ("omegle.com", ["front1"]),
        ("OMEGLE.com:443", ["front1"]),
        ("127.0.0.1:8080", ["127.0.0.1:8080"]),
        ("[::1]:8080", ["[::1]:8080"]),
        ("chatserv.omegle.com", ["front1"]),  # OmClient asks by this name, and appends omegle.com to what it finds
        ("front7.omegle.com:8080", ["front1"]),
        ("chat.example:8080", ["chat.example:8080"]),
    ],
)
def test_short_names_are_told_where_they_lead_here_and_else_the_name_that_asked(host: str, servers: list[str]) -> None:
    for names in (HOSTS, ("omegle.com", "*.omegle.com", "127.0.0.1", "[::1]"), ("*.omegle.com", "*")):
        status = StatusFigures(cast(Any, Idle()), ("front1",), names)
        found = json.loads(status.body(host))
        assert found["servers"] == servers
        assert found["antinudeservers"] == [host]


@pytest.mark.parametrize(
    ("host", "servers"),
    [
        ("chatserv.omegle.com", ["chatserv"]),
        ("front3.localhost:8080", ["front3"]),
        ("front1.chat.example", ["front1"]),
        ("omegle.com", ["omegle.com"]),
        ("chat.example:8080", ["chat.example:8080"]),
        ("127.0.0.1:8080", ["127.0.0.1:8080"]),
    ],
)
def test_a_server_that_answers_to_every_name_gives_the_short_name_that_asked(host: str, servers: list[str]) -> None:
    assert StatusFigures(cast(Any, Idle()), ("front1",), ("*",)).names(host) == servers


@pytest.mark.parametrize("hosts", ["omegle.test,*.omegle.test,localhost", "*"])
async def test_a_program_that_asks_chatserv_finds_a_server_by_the_name_that_it_appends_the_domain_to(
    hosts: str, tmp_path: Path
) -> None:
    server = await asyncio.to_thread(lambda: Server(tmp_path, SERENDIP_SERVER__HOSTS=hosts))
    try:
        async with aiohttp.ClientSession(server.url) as web:
            async with web.get("/status", headers={"Host": "chatserv.omegle.test"}) as answer:
                name = (await answer.json(content_type=None))["servers"][0]
            own = {"Host": f"{name}.omegle.test"}
            async with web.post("/start", params={"firstevents": "1", "lang": "en"}, headers=own) as answer:
                assert (await answer.json(content_type=None))["events"][0] == ["waiting"]
    finally:
        await asyncio.to_thread(server.stop)
