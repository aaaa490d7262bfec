"""Test long polling on servers that change: an upgrade in the middle of a chat, requests that come to any of two hosts, a host that dies."""

import asyncio
import os
import signal
from pathlib import Path

import aiohttp
import pytest

from serendip_client import Backoff, Client, Matched, Message
from tests.server.fleet.cluster.test_proxy_hosts import both, metric
from tests.server.fleet.migrate.upgrades import deployed
from tests.server.main.processes.test_process_group import Several
from tests.server.site.polling.cutting_proxy import CuttingProxy
from tests.server.site.polling.polls import Polls

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(180)]  # runs servers and waits for them
LINES = 60


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_an_upgrade_in_the_middle_of_a_chat_loses_no_line(tmp_path: Path, workers: str) -> None:
    settings = {"SERENDIP_WORKERS": workers, "SERENDIP_STORE__ENABLED": "false", "SERENDIP_METRICS__PORT": "0"}
    async with deployed(tmp_path, Several, **settings) as server:
        proxy = CuttingProxy(server.port)
        url = f"ws://127.0.0.1:{proxy.port}/ws"
        try:
            async with (
                asyncio.timeout(120),
                Client(url, backoff=Backoff(first=0.02, most=0.2)) as one,
                Client(url, backoff=Backoff(first=0.02, most=0.2)) as two,
            ):
                for each in (one, two):
                    await each.find(["tea"])
                assert (await one.next(Matched)).chat == (await two.next(Matched)).chat
                upgrade = asyncio.create_task(server.upgrade())

                async def talk() -> int:
                    said = 0
                    while said < LINES or not upgrade.done():
                        said += 1
                        await one.say(f"line {said}")
                        await asyncio.sleep(0.02)
                    return said

                talking = asyncio.create_task(talk())
                assert (await upgrade)[0] == 0
                said = await talking
                assert [(await two.next(Message)).text for _ in range(said)] == [
                    f"line {n}" for n in range(1, said + 1)
                ]
                await two.say("still here")
                assert (await one.next(Message)).text == "still here"
        finally:
            proxy.stop()


async def test_requests_may_come_to_any_host_and_one_that_dies_is_the_end_of_its_connections(tmp_path: Path) -> None:
    async with both(tmp_path) as two, asyncio.timeout(150), aiohttp.ClientSession() as http:
        urls = [f"http://127.0.0.1:{server.port}/" for server in (two.here, two.there)]
        asked = Polls(http, *urls)
        assert (await asked.open())[0] == 200  # at `here`
        async with http.ws_connect(f"{urls[1]}ws") as partner:
            assert await asked.send({"type": "find", "interests": ["kites"]}) == 204
            await partner.send_json({"type": "find", "interests": ["kites"]})
            await asked.until("matched")
            while (await partner.receive_json())["type"] != "matched":
                pass
            for number in range(1, 7):
                assert await asked.send({"type": "message", "text": f"line {number}", "id": f"{number}"}) == 204
                while (frame := await partner.receive_json())["type"] != "message":
                    pass
                assert frame["text"] == f"line {number}"
                await partner.send_json({"type": "message", "text": f"answer {number}"})
                assert (await asked.until("message"))["text"] == f"answer {number}"
            assert await metric(two.there, "serendip_http_forwarded_total", "poll", "answered") > 6
            for pid in {line["pid"] for line in two.here.events("process.ready")} | {two.here.pid}:
                os.kill(pid, signal.SIGKILL)
            there = Polls(http, urls[1])
            there.id = asked.id
            statuses = set()
            while 404 not in statuses:
                async with http.get(f"{there.path()}?after=0") as answer:
                    statuses.add(answer.status)
            assert statuses <= {404, 503}
