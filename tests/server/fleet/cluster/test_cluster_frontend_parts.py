"""A host among others, as a whole: real processes, with a database and objects that two share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Set
from pathlib import Path

import aiohttp
import pytest

from server.data.keys.epoch_keys import EPOCH, epoch_of
from server.fleet.cluster.epoch_key_exchange import AHEAD
from server.fleet.rpc import node_info
from server.fleet.rpc.rpc_client import RpcClient
from server.fleet.rpc.rpc_envelope import Kind
from server.fleet.rpc.rpc_seal import Seal
from server.ops.security import secret_keys
from tests.server.main.processes.test_process_group import Several, several
from tests.support import services

NODE = "00000000aa"
PATIENCE = 90.0  # seconds for an answer: a request may wait for a frontend that only starts, for which a server has 60


def among(**more: str) -> tuple[str, dict[str, str]]:
    """(cluster address, settings) of a host that finds no NATS."""
    address = f"127.0.0.1:{services.free_port()}"
    chosen = {
        "SERENDIP_CLUSTER__NATS": "nats://127.0.0.1:1",
        "SERENDIP_CLUSTER__ADDRESS": address,
        "SERENDIP_WORKERS": "1",
    }
    return address, {**chosen, **more}


async def greeted(host: Several, address: str) -> node_info.NodeHello:
    """What it says of itself."""
    asker = RpcClient(Seal(await asyncio.to_thread(secret_keys.load, host.data)), NODE)
    return node_info.read(await asker.ask(address, Kind.HELLO, b"", within=PATIENCE))


@pytest.mark.timeout(300)
async def test_one_worker_is_a_host_too_and_an_upgrade_keeps_its_port(tmp_path: Path) -> None:
    address, chosen = among()
    async with several(tmp_path, **chosen) as host:
        await host.told("process.ready", 3)
        assert {line["process"] for line in host.events("process.ready")} == {"hub", "frontend", "worker 1"}
        first = await greeted(host, address)
        assert (first.cluster, first.epochs, first.schema) == ("1", [], "")
        upgrading = asyncio.create_task(host.upgrade())
        nodes = {(await greeted(host, address)).node}
        while not upgrading.done():  # one at a time: as many as come by a clock would starve what they wait for
            nodes.add((await greeted(host, address)).node)
        assert (await upgrading)[0] == 0
        assert first.node in nodes
        async with asyncio.timeout(PATIENCE):  # the one before answers until it has ended
            while (await greeted(host, address)).node == first.node:
                pass
        await host.kill("frontend")
        assert (await greeted(host, address)).node != first.node, "a generation has one node, whatever of it dies"


async def readiness(host: Several) -> list[str]:
    """What it says is away."""
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{host.port}/readyz") as answer:
        assert answer.status == 200
        found: list[str] = (await answer.json())["degraded"]
    return found


@pytest.mark.timeout(120)
async def test_two_hosts_share_a_database_and_each_gets_the_key_that_it_lacks(
    tmp_path: Path, cluster: services.Postgres, bucket: services.S3, nats: services.Nats
) -> None:
    await asyncio.to_thread(cluster.sql, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    shared = {
        "SERENDIP_STORE__ENABLED": "true",
        "SERENDIP_STORE__URL": cluster.url("postgres").replace("+asyncpg", ""),
        "SERENDIP_OBJECTS__URL": f"s3://{bucket.bucket}/station",
        "SERENDIP_OBJECTS__ENDPOINT": bucket.endpoint,
        "SERENDIP_OBJECTS__ACCESS_KEY": bucket.access_key,
        "SERENDIP_OBJECTS__SECRET_KEY": bucket.secret_key,
        "SERENDIP_CONSOLE__ENABLED": "false",
    }
    for name in ("a", "b"):
        (tmp_path / name / "data").mkdir(parents=True, mode=0o700)
    address, chosen = among(**shared)
    _, others = among(**shared)
    chosen["SERENDIP_CLUSTER__NATS"] = others["SERENDIP_CLUSTER__NATS"] = nats.url
    now = time.time()
    following = epoch_of(now + AHEAD)  # another one on the last day of an epoch
    begins = time.strftime("%d %B %H:%M", time.gmtime(following * EPOCH))
    wanted = {following: f" from {begins} UTC on"} | {epoch_of(now): ""}  # since when records wait for it
    async with several(tmp_path / "a", **chosen) as a:
        await told_of_each(a, "cluster.key_there", wanted.keys())
        assert wanted.keys() <= set((await greeted(a, address)).epochs)
        assert not [words for words in await readiness(a) if words.startswith("keys:")]
        assert await a.status() == 0
    await asyncio.to_thread(_copied, a.data, tmp_path / "b" / "data")
    async with several(tmp_path / "b", **others) as b:
        await told_of_each(b, "cluster.key_missing", wanted.keys())
        assert {words for words in await readiness(b) if words.startswith("keys:")} == {
            f"keys: that of epoch {epoch} is missing (another host made it, and none is there now); records wait{since}"
            for epoch, since in wanted.items()
        }
        async with several(tmp_path / "a", **chosen) as a:
            await told_of_each(b, "cluster.key_there", wanted.keys())
            for epoch in wanted:
                kept = [path / "data" / "keys" / f"{epoch}.key" for path in (tmp_path / "a", tmp_path / "b")]
                assert len({await asyncio.to_thread(path.read_bytes) for path in kept}) == 1
            assert not [words for words in await readiness(b) if words.startswith("keys:")]
            assert await a.status() == 0
        assert await b.status() == 0


async def told_of_each(server: Several, event: str, epochs: Set[int]) -> None:
    """Wait until a host has logged this event of each of these epochs, and of no other."""
    async with asyncio.timeout(PATIENCE):
        while {int(line["epoch"]) for line in server.events(event)} != epochs:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)


def _copied(here: Path, there: Path) -> None:
    """The secret and the keys that last, as an operator copies them."""
    (there / "keys").mkdir(mode=0o700)
    for name in ("secret", "keys/identity.key", "keys/kept.key", "keys/receipt.key"):
        (there / name).write_bytes((here / name).read_bytes())
        (there / name).chmod(0o600)
