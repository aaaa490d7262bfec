"""nginx and Caddy of `deploy/` in front of three hosts: whoever comes back gets the same host, and another while that one is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.cluster.rig import PORT, Cluster
from tests.deploy.proxies import Proxy, caddy, certificate, nginx
from tests.deploy.test_proxies import Person

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(120)]  # starts proxies, kills a host
ADDRESSES = [f"127.9.7.{number}" for number in range(1, 13)]


@pytest.fixture(params=[nginx, caddy], ids=["nginx", "caddy"])
def proxy(request: pytest.FixtureRequest, cluster: Cluster, tmp_path: Path) -> Iterator[Proxy]:
    certificate(tmp_path)
    start: Callable[..., Proxy] = request.param
    running = start(tmp_path, *[f"{host.machine.public}:{PORT}" for host in cluster.hosts])
    yield running
    running.stop()


async def connections(cluster: Cluster, http: aiohttp.ClientSession, total: int) -> list[int]:
    """How many each host has, as soon as they are so many together."""
    async with asyncio.timeout(30):
        while True:
            found = [int(await host.counts(http, "serendip_connections")) for host in cluster.hosts]
            if sum(found) == total:
                return found


async def test_people_keep_their_host_and_get_another_while_it_is_gone(
    cluster: Cluster, proxy: Proxy, http: aiohttp.ClientSession
) -> None:
    await connections(cluster, http, 0)
    people = [Person(proxy, address) for address in ADDRESSES]
    first = [await person.socket() for person in people]
    once = await connections(cluster, http, len(people))
    again = [await person.socket() for person in people]
    assert await connections(cluster, http, 2 * len(people)) == [2 * count for count in once]
    assert sum(count > 0 for count in once) > 1
    victim = cluster.hosts[max(range(len(once)), key=once.__getitem__)]
    try:
        await asyncio.to_thread(victim.end)
        for person in people:
            assert (await person.get("/")).status == 200
        anew = [await person.socket() for person in people]
    finally:
        await victim.again()
    for socket in (*first, *again, *anew):
        await socket.close()
    for person in people:
        await person.__aexit__()
