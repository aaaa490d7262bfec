"""Test long polling on the real server: both clients and the page behind a proxy that refuses WebSockets, cuts, limits, clients that never read."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from engine.wire.protocol import CLOSE_AWAY, CLOSED_GRACE
from serendip_client import Backoff, Client, Matched, Message, Waiting
from tests.server.site.polling.cutting_proxy import CuttingProxy, Refuses
from tests.server.site.polling.polls import Polls
from tests.server.site.web.servers import Server

ROOT = Path(__file__).resolve().parents[4]
LINES = 40
WITHIN = 60.0  # seconds: a bound, not a measure


@pytest.fixture(scope="module", params=["1", "2"], ids=["one process", "two workers"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of one process, and one of several."""
    server = Server(tmp_path_factory.mktemp("data"), SERENDIP_WORKERS=request.param)
    yield server
    server.stop()


@pytest.fixture
def proxy(server: Server) -> Iterator[CuttingProxy]:
    """A network that passes HTTP only."""
    proxy = CuttingProxy(server.port)
    yield proxy
    proxy.stop()


def test_two_clients_in_javascript_talk_and_no_cut_loses_a_line(server: Server, proxy: CuttingProxy) -> None:
    command = [
        "node",
        str(Path(__file__).with_name("talk.mjs")),
        str(ROOT / "client/js"),
        f"ws://127.0.0.1:{proxy.port}/ws",
        str(LINES),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as talk:
        assert talk.stdout is not None
        told = ""
        for told in talk.stdout:
            if told == "cut\n":
                proxy.cut()
    assert json.loads(told) == {"same": True, "heard": [f"line {line}" for line in range(1, LINES + 1)]}
    assert proxy.upgrades >= 4


@pytest.mark.parametrize("refuses", ["403", "strips"])
async def test_two_clients_in_python_talk_and_no_cut_loses_a_line(server: Server, refuses: Refuses) -> None:
    proxy = CuttingProxy(server.port, refuses)
    url = f"ws://127.0.0.1:{proxy.port}/ws"
    try:
        async with (
            asyncio.timeout(WITHIN),
            Client(url, backoff=Backoff(first=0.02, most=0.2)) as one,
            Client(url, backoff=Backoff(first=0.02, most=0.2)) as two,
        ):
            for each in (one, two):
                await each.find(["tea"])
            assert (await one.next(Matched)).chat == (await two.next(Matched)).chat

            async def read() -> list[str]:
                return [(await two.next(Message)).text for _ in range(LINES)]

            heard = asyncio.create_task(read())
            for line in range(1, LINES + 1):
                if line % 10 == 0:
                    proxy.cut()
                await one.say(f"line {line}")
            assert await heard == [f"line {line}" for line in range(1, LINES + 1)]
    finally:
        proxy.stop()


async def test_a_proxy_that_swallows_handshakes_is_waited_for_once(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serendip_client.connection.CONNECT_WITHIN", 0.5)
    proxy = CuttingProxy(server.port, "swallows")
    try:
        async with asyncio.timeout(WITHIN), Client(f"ws://127.0.0.1:{proxy.port}/ws", patience=30.0) as one:
            await one.find(["tea"])
            await one.next(Waiting)
            assert proxy.upgrades == 1
    finally:
        proxy.stop()


async def test_a_request_that_comes_twice_has_one_effect(server: Server) -> None:
    async with asyncio.timeout(WITHIN), aiohttp.ClientSession() as http:
        one, two = Polls(http, server.url), Polls(http, server.url)
        for each in (one, two):
            assert (await each.open())[0] == 200
            assert await each.send({"type": "find", "interests": ["tea"]}) == 204
        await asyncio.gather(*(each.until("matched") for each in (one, two)))
        for again in (False, True):
            assert await one.send({"type": "message", "text": "once", "id": "1"}, again=again) == 204
        assert await one.send({"type": "message", "text": "twice", "id": "2"}) == 204
        first = await two.poll(confirm=False)
        assert await two.poll(confirm=False) == first
        heard = [frame["text"] for frame in first["frames"] if frame["type"] == "message"]
        two.after = first["number"]
        while len(heard) < 2:
            heard += [frame["text"] for frame in (await two.poll())["frames"] if frame["type"] == "message"]
        assert heard == ["once", "twice"]
        two.after += 5
        async with http.get(f"{two.path()}?after={two.after}") as answer:
            assert answer.status == 409  # something was lost: resume
        async with http.get(f"{two.path()}?after=0") as answer:
            assert answer.status == 404


async def test_a_page_that_says_it_goes_away_is_waited_for_as_one_whose_websocket_closed(server: Server) -> None:
    async with asyncio.timeout(WITHIN), aiohttp.ClientSession() as http:
        one, two = Polls(http, server.url), Polls(http, server.url)
        for each in (one, two):
            assert (await each.open())[0] == 200
            assert await each.send({"type": "find", "interests": ["pagehide"]}) == 204
        await asyncio.gather(*(each.until("matched") for each in (one, two)))
        async with http.post(f"{one.path()}?number=2&close={CLOSE_AWAY}") as answer:
            assert answer.status == 204
        assert await two.until("partner") == {"type": "partner", "state": "away", "within": CLOSED_GRACE}
        assert (await two.until("left"))["by"] == "lost"


async def test_the_checks_of_the_websocket_hold(server: Server) -> None:
    async with asyncio.timeout(WITHIN), aiohttp.ClientSession() as http:
        asked = Polls(http, server.url)
        assert (await asked.open(Origin="https://evil.example"))[0] == 403
        assert (await asked.open(Host="evil.example"))[0] == 421
        assert (await asked.open())[0] == 200
        async with http.post(f"{asked.path()}?number=1", data=b"x" * 70_000) as answer:
            assert answer.status == 413
        async with http.post(f"{asked.path()}?number=1", data=b"{}\n" * 65) as answer:
            assert answer.status == 413
        async with http.post(f"{asked.path()}?number=1", data=b"no JSON") as answer:
            assert answer.status == 204
        assert (await asked.until("error"))["code"] == "bad_json"


async def test_a_thousand_that_never_read_cost_others_nothing(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", SERENDIP_SERVER__POLL_CLIENTS="1000")
    try:
        async with asyncio.timeout(WITHIN), aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=50)) as http:
            opened = await asyncio.gather(*(Polls(http, server.url).open() for _ in range(1_000)))
            assert {status for status, _ in opened} == {200}
            while (await Polls(http, server.url).open())[0] != 503:  # the first of them may be gone already
                pass
            async with (
                Client(f"ws://127.0.0.1:{server.port}/ws") as one,
                Client(f"ws://127.0.0.1:{server.port}/ws") as two,
            ):
                for each in (one, two):
                    await each.find(["tea"])
                await one.next(Matched)
                await one.say("still here")
                assert (await two.next(Message)).text == "still here"
            asked = Polls(http, server.url)
            while (await asked.open())[0] != 200:  # noqa: ASYNC110 - the thousand are gone after a while, which the server tells nobody
                await asyncio.sleep(0.5)
    finally:
        server.stop()
    assert not server.strange


async def test_one_address_has_as_many_as_it_has_websockets(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", SERENDIP_LIMITS__CONNECTIONS="5", SERENDIP_LIMITS__NEWCOMERS="5")
    try:
        async with asyncio.timeout(WITHIN), aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as http:
            opened = [(await Polls(http, server.url).open())[0] for _ in range(8)]
    finally:
        server.stop()
    assert opened.count(200) <= 5
    assert set(opened) == {200, 429}


async def test_a_proxy_that_opens_a_connection_for_each_request_is_served_within_the_limits_as_shipped(
    tmp_path: Path,
) -> None:
    limits = {"CONNECTIONS": "100", "CONNECT_BURST": "40", "CONNECT_RATE": "4"}
    server = Server(tmp_path / "data", **{f"SERENDIP_LIMITS__{name}": value for name, value in limits.items()})
    try:
        async with asyncio.timeout(WITHIN), aiohttp.ClientSession(headers={"Connection": "close"}) as http:
            one, two = Polls(http, server.url), Polls(http, server.url)
            for each in (one, two):
                assert (await each.open())[0] == 200
                assert await each.send({"type": "find", "interests": ["tea"]}) == 204
            await asyncio.gather(*(each.until("matched") for each in (one, two)))
            for number in range(LINES):
                assert await one.send({"type": "message", "text": f"{number}", "id": f"{number}"}) == 204
                assert (await two.until("message"))["text"] == f"{number}"
            async with http.get(server.url) as page:
                assert page.status == 200
    finally:
        server.stop()


async def test_the_setting_turns_it_off(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", SERENDIP_SERVER__POLL_CLIENTS="0")
    try:
        async with aiohttp.ClientSession() as http:
            assert (await Polls(http, server.url).open())[0] in {404, 405}
    finally:
        server.stop()
