"""Check that the source port of each person of a chat is kept with their address, and only as far as it is known."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import aiohttp
import pytest

from server.data.connection_source import SourceEndpoint
from server.data.keys.pseudonyms import open_pseudonyms
from server.ops.security import secret_keys
from tests.server.site.web.servers import Server

BEHIND = {"SERENDIP_SERVER__PROXIES": "127.0.0.1/32"}
NAMED = {**BEHIND, "SERENDIP_SERVER__PORT_HEADER": "X-Real-Port"}
OMEGLE = {"firstevents": "1", "lang": "en", "randid": "ABCDEFGH"}
Make = Callable[..., Server]
pytestmark = pytest.mark.blocking  # files are read once the server has ended


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Start a server on `tmp_path`."""
    made: list[Server] = []

    def start(**settings: str) -> Server:
        made.append(Server(tmp_path, **settings))
        return made[-1]

    yield start
    for server in made:
        server.stop()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


async def chat(server: Server, ports: tuple[int, int], *headers: dict[str, str]) -> None:
    """Let two meet, from these ports of this machine, and leave again."""
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=("127.0.0.1", ports[0]))) as one,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=("127.0.0.1", ports[1]))) as other,
        one.ws_connect(server.url + "ws", headers=headers[0]) as a,
        other.ws_connect(server.url + "ws", headers=headers[1]) as b,
    ):
        for ws in (a, b):
            await ws.send_json({"type": "find"})
        for ws in (a, b):
            while (await ws.receive_json())["type"] != "matched":
                pass


def kept(data: Path) -> set[SourceEndpoint]:
    """Return the sources in the store of a stopped server."""
    pseudonyms = open_pseudonyms(secret_keys.load(data), data)
    with closing(sqlite3.connect(next(data.glob("*.db")))) as database:
        return {pseudonyms.live_address(bytes(row[0])) for row in database.execute("SELECT address FROM party")}


async def test_the_port_of_a_direct_connection_is_kept(make: Make, tmp_path: Path) -> None:
    server, ports = make(), (free_port(), free_port())
    await chat(server, ports, {}, {})
    await asyncio.to_thread(server.stop)
    assert kept(tmp_path) == {SourceEndpoint("127.0.0.1", port) for port in ports}


async def test_behind_a_proxy_the_port_is_what_the_named_header_says(make: Make, tmp_path: Path) -> None:
    server = make(**NAMED)
    said = {"X-Forwarded-For": "198.51.100.7", "X-Real-Port": "40001"}
    wrong = {"X-Forwarded-For": "198.51.100.8", "x-real-port": "70000"}
    await chat(server, (free_port(), free_port()), said, wrong)
    await asyncio.to_thread(server.stop)
    assert kept(tmp_path) == {SourceEndpoint("198.51.100.7", 40001), SourceEndpoint("198.51.100.8", 0)}


async def test_without_the_setting_the_proxy_s_own_port_is_not_taken_for_the_client_s(
    make: Make, tmp_path: Path
) -> None:
    server = make(**BEHIND)
    said = {"X-Forwarded-For": "198.51.100.7", "X-Real-Port": "40001"}
    await chat(server, (free_port(), free_port()), said, {"X-Forwarded-For": "198.51.100.8"})
    await asyncio.to_thread(server.stop)
    assert kept(tmp_path) == {SourceEndpoint("198.51.100.7"), SourceEndpoint("198.51.100.8")}


async def test_a_client_that_is_no_proxy_cannot_name_its_port(make: Make, tmp_path: Path) -> None:
    server, ports = make(SERENDIP_SERVER__PORT_HEADER="X-Real-Port"), (free_port(), free_port())
    await chat(server, ports, {"X-Real-Port": "1"}, {"X-Real-Port": "2"})
    await asyncio.to_thread(server.stop)
    assert kept(tmp_path) == {SourceEndpoint("127.0.0.1", port) for port in ports}


async def test_a_client_of_http_requests_has_the_port_of_its_first_one(make: Make, tmp_path: Path) -> None:
    server, ports = make(), (free_port(), free_port())
    connectors = [aiohttp.TCPConnector(local_addr=("127.0.0.1", port)) for port in ports]
    async with (
        aiohttp.ClientSession(connector=connectors[0]) as one,
        aiohttp.ClientSession(connector=connectors[1]) as other,
    ):
        for http in (one, other):
            async with http.post(server.url + "api/poll") as answer:
                path = f"{server.url}api/poll/{(await answer.json())['id']}"
            async with http.post(path + "?number=1", data='{"type":"find"}') as answer:
                assert answer.status == 204
        found, after = b"", 0
        while b"matched" not in found:
            async with http.get(f"{path}?after={after}") as answer:
                found, after = await answer.read(), (await answer.json())["number"]
        async with http.post(path + "?number=2&close=1000") as answer:
            assert answer.status == 204
    await asyncio.to_thread(server.stop)
    assert kept(tmp_path) == {SourceEndpoint("127.0.0.1", port) for port in ports}


async def test_a_program_of_omegle_s_protocol_has_the_port_of_its_start(make: Make, tmp_path: Path) -> None:
    server = make(**NAMED)
    for number in (1, 2):
        headers = {"X-Forwarded-For": f"198.51.100.{number}", "X-Real-Port": f"4000{number}"}
        async with (
            aiohttp.ClientSession(headers=headers) as web,
            web.post(server.url + "start", params=OMEGLE | {"randid": f"ABCDEFG{number}"}) as answer,
        ):
            found = await answer.json()
    async with (
        aiohttp.ClientSession() as web,
        web.post(server.url + "disconnect", data={"id": found["clientID"]}) as answer,
    ):
        assert await answer.text() == "win"
    await asyncio.to_thread(server.stop)
    assert kept(tmp_path) == {SourceEndpoint(f"198.51.100.{number}", 40000 + number) for number in (1, 2)}
