"""Three hosts, and what is cut between them: nobody who talks at one host notices, and each host says what it lacks."""

from __future__ import annotations

import asyncio
import signal

import aiohttp
import pytest

from tests.cluster.rig import PATIENCE, Cluster, Host, acquainted, talking
from tests.deploy.nats_certificate import let_end
from tests.server.main.processes.test_process_group import talk

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(120)]  # makes and cuts networks


async def meet_at(host: Host, http: aiohttp.ClientSession, word: str) -> None:
    """Two who come now meet there and talk."""
    await talk(*await acquainted(*await host.people(http, 2), word))


async def test_three_hosts_hear_each_other_and_count_all(cluster: Cluster, http: aiohttp.ClientSession) -> None:
    async with talking(http, *cluster.hosts):
        crowd = [person for host in cluster.hosts for person in await host.people(http, 2)]
        for host in cluster.hosts:
            await host.says(http, "/status", lambda said: said["count"] == 6 + len(crowd))
            assert (await host.run("status"))[0] == 0
        status, said = await cluster.hosts[0].run("cluster", "check", "--json")
        assert status == 0, said
        for host in cluster.hosts:
            assert host.address in said


async def test_nats_is_killed_and_comes_back(cluster: Cluster, http: aiohttp.ClientSession) -> None:
    async with talking(http, *cluster.hosts):
        async with cluster.without_nats():
            for host in cluster.hosts:
                assert await host.says(http, "/readyz", lambda said: "alone" in str(said["degraded"])) == 200
                await host.alone()
                await meet_at(host, http, "without NATS")
        await cluster.whole()


async def test_the_certificate_of_nats_ends_and_is_renewed(cluster: Cluster, http: aiohttp.ClientSession) -> None:
    """Connected hosts stay connected; those that connect anew are alone, say why, and come back without a restart."""
    one, *_ = cluster.hosts
    try:
        async with talking(http, *cluster.hosts):
            await asyncio.to_thread(let_end, cluster.keys / "cert.pem", -0.5)
            cluster.nats.process.send_signal(signal.SIGHUP)
            async with asyncio.timeout(3 * PATIENCE):  # NATS takes it up in its own time
                while "certificate has expired" not in (said := (await one.run("cluster", "check", "--json"))[1]):
                    pass
            assert "its certificate ended on" in said
            await cluster.whole()
            async with cluster.without_nats():
                pass
            for host in cluster.hosts:
                assert await host.says(http, "/readyz", lambda said: "certificate has expired" in str(said)) == 200
                await meet_at(host, http, "without a certificate")
            await asyncio.to_thread(cluster.renew_certificate)
            await cluster.whole()
    finally:
        await asyncio.to_thread(cluster.renew_certificate)


async def test_a_host_is_cut_from_all_others_and_joined_again(cluster: Cluster, http: aiohttp.ClientSession) -> None:
    one, two, three = cluster.hosts
    async with talking(http, *cluster.hosts):
        one.machine.up(link=False)
        await asyncio.gather(two.hears(three), three.hears(two))
        await owners(cluster, http, 2)
        async with asyncio.timeout(PATIENCE):  # what they count is told before who it is
            while (rooms := await owned(cluster))[0] != (await one.stands())["node"] or rooms[1] != rooms[2]:  # noqa: ASYNC110 - other hosts
                await asyncio.sleep(0.05)
        assert rooms[0] != rooms[1]
        assert await one.says(http, "/readyz", lambda said: "alone" in str(said["degraded"])) == 200
        for host in cluster.hosts:
            await meet_at(host, http, "apart")
        one.machine.up(link=True)
        await cluster.whole()
        await owners(cluster, http, 1)
        assert len({(await host.stands())["owner"] for host in cluster.hosts}) == 1


async def owned(cluster: Cluster) -> list[str]:
    """Who has the waiting room, as each host says."""
    return [(await host.stands())["owner"] for host in cluster.hosts]


async def owners(cluster: Cluster, http: aiohttp.ClientSession, count: int) -> None:
    """Wait until so many hosts say that they have the waiting room, as Prometheus adds it up."""
    async with asyncio.timeout(PATIENCE):
        while sum([await host.counts(http, "serendip_hub_owner") for host in cluster.hosts]) != count:
            pass  # each asks over the network


async def test_one_way_between_two_hosts_is_cut(cluster: Cluster, http: aiohttp.ClientSession) -> None:
    one, two, three = cluster.hosts
    async with talking(http, *cluster.hosts):
        two.drops.set(senders=[one.machine])
        status, said = await one.run("cluster", "check", "--json")
        assert status == 2, said
        assert f"{two.address}: no answer" in said
        assert f"{three.address}: reached" in said
        await one.hears(two, three)
        await meet_at(one, http, "one way")


async def test_three_of_ten_packets_are_lost(cluster: Cluster, http: aiohttp.ClientSession) -> None:
    async with talking(http, *cluster.hosts):
        for host in cluster.hosts:
            host.drops.set(0.3)
        for host in cluster.hosts:
            await meet_at(host, http, "through the noise")
            status, _ = await host.get(http, "/readyz")
            assert status == 200
        status, said = await cluster.hosts[0].run(
            "cluster", "check", "--json"
        )  # seconds of noise; it may miss somebody
        assert status in (0, 1, 2), said
        assert "Traceback" not in (cluster.hosts[0].folder / "run.log").read_text()
        for host in cluster.hosts:
            host.drops.set()
        await cluster.whole()


async def test_a_clock_is_wrong(cluster: Cluster, http: aiohttp.ClientSession) -> None:
    one, two, _ = cluster.hosts
    told = len(two.server.events("cluster.clock_off"))
    async with talking(http, *cluster.hosts):
        one.clock.set(-100)
        assert f"{one.address}: -" in (await two.server.told("cluster.clock_off", told + 1))["said"]
        await two.figure(http, "serendip_members_clock_seconds", lambda off: off > 90)
        status, said = await two.run("cluster", "check", "--json")
        assert status == 2, said
        assert "clock" in said
        await meet_at(one, http, "yesterday")
        one.clock.set(0)
        await two.figure(http, "serendip_members_clock_seconds", lambda off: off < 5)
