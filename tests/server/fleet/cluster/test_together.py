"""Two hosts of one service and a NATS between them: what an operator sees of them, and what the loss of each costs."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from server.main.commands.upgrade_commands import answer as ask
from server.ops.security import secret_keys
from tests.server.fleet.migrate.upgrades import people
from tests.server.fleet.nats.test_nats_bus import started
from tests.server.main.processes.test_process_group import Several, several, talk
from tests.support import services

HOST = {"SERENDIP_WORKERS": "1"}  # one worker, a hub and a frontend


async def stands(server: Several) -> dict[str, Any]:
    """`serendip status`, of several hosts: once the hub has said how they stand, a moment after the start."""
    while "cluster" not in (said := await asyncio.to_thread(ask, server.data, {"do": "status"}, show=False)):  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    found: dict[str, Any] = said["cluster"]
    return found


async def hears(server: Several, *others: Several, state: str = "serving") -> None:
    """Wait until a host hears these, and no one else."""
    wanted = sorted((server_address(other), state) for other in others)
    async with asyncio.timeout(30):
        while sorted((one[1], one[3]) for one in (await stands(server))["others"]) != wanted:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


def server_address(server: Several) -> str:
    """Where it listens for other hosts."""
    return f"127.0.0.1:{server.data.parent.name}"


@asynccontextmanager
async def hosts(folder: Path, nats: services.Nats, count: int, **more: str) -> AsyncIterator[list[Several]]:
    """So many, with one secret. `more`: settings of all of them."""
    await asyncio.to_thread(secret_keys.load, folder / "first")
    async with AsyncExitStack() as stack:
        made = []
        for port in services.free_ports(count):
            data = folder / str(port) / "data"
            await asyncio.to_thread(shutil.copytree, folder / "first", data)
            settings = {
                **HOST,
                "SERENDIP_CLUSTER__NATS": nats.url,
                "SERENDIP_CLUSTER__ADDRESS": f"127.0.0.1:{port}",
                **more,
            }
            made.append(await stack.enter_async_context(several(folder / str(port), **settings)))
        yield made
        for server in made:
            assert not server.events("task.failed")


async def answer(
    http: aiohttp.ClientSession, server: Several, path: str, told: Callable[[dict[str, Any]], object]
) -> int:
    """Ask until what is answered is so; the status."""
    async with asyncio.timeout(30):
        while True:
            async with http.get(f"http://127.0.0.1:{server.port}{path}") as said:
                if told(await said.json()):
                    return said.status
            await asyncio.sleep(0.05)


async def test_each_hears_the_other_and_people_are_counted_in_all(tmp_path: Path) -> None:
    async with started() as nats, hosts(tmp_path, nats, 2) as (one, two), aiohttp.ClientSession() as http:
        await hears(one, two)
        await hears(two, one)
        crowd = [*await people(http, one.port, 2), *await people(http, two.port, 3)]
        for server in (one, two):
            await answer(http, server, "/status", lambda said: said["count"] == 5)
        await asyncio.gather(*[person.say("find", interests=["sailing"]) for person in crowd[:2]])
        await asyncio.gather(*[person.hear("matched") for person in crowd[:2]])
        assert await answer(http, one, "/readyz", lambda said: not said["degraded"]) == 200

        await asyncio.to_thread(nats.stop)
        status = await answer(http, one, "/readyz", lambda said: "alone" in str(said["degraded"]))
        assert status == 200
        await talk(*crowd[:2])
        await answer(http, one, "/status", lambda said: said["count"] == 2)
        await asyncio.to_thread(nats.start)
        await hears(one, two)
        await answer(http, one, "/status", lambda said: said["count"] == 5)
        await talk(*crowd[:2])


async def test_who_ends_dies_or_is_upgraded_is_known_at_once_or_in_two_seconds(tmp_path: Path) -> None:
    async with started() as nats, hosts(tmp_path, nats, 3) as (one, two, three):
        await hears(one, two, three)
        node = (await stands(one))["node"]
        assert (await one.upgrade())[0] == 0
        await hears(two, one, three)
        assert (await stands(one))["node"] != node

        assert await two.status() == 0
        await hears(three, one)
        for pid in {line["pid"] for line in three.events("process.ready")} | {three.pid}:
            os.kill(pid, signal.SIGKILL)
        await hears(one)


async def test_a_hub_that_dies_is_heard_again(tmp_path: Path) -> None:
    async with started() as nats, hosts(tmp_path, nats, 2) as (one, two), aiohttp.ClientSession() as http:
        await hears(one, two)
        crowd = await people(http, two.port, 3)
        await two.kill("hub")
        await hears(one, two)
        await answer(http, one, "/status", lambda said: said["count"] == len(crowd))
