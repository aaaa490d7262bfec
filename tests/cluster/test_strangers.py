"""A fourth host that is wrong beside three that are right: it is kept out, is told why, and costs nobody anything."""

from __future__ import annotations

import json

import aiohttp
import pytest

from tests.cluster.rig import CLUSTER_PORT, NOTHING_KEPT, Cluster, acquainted, talking
from tests.server.main.processes.test_process_group import talk

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(120)]  # makes and cuts networks


async def test_a_host_with_another_secret_is_nobody(cluster: Cluster, http: aiohttp.ClientSession) -> None:
    one = cluster.hosts[0]
    line = 'serendip_nats_dropped_total{why="seal"}'
    async with talking(http, *cluster.hosts), cluster.guest("foreign", keys=False, **NOTHING_KEPT) as foreign:
        await foreign.hears()
        before = await one.counts(http, line)
        await one.figure(http, line, lambda count: count > before)
        await one.hears(*cluster.hosts[1:])
        status, said = await foreign.run("cluster", "check", "--json")
        assert "are not sealed by this service" in said
        assert status == 1, said
        await talk(*await acquainted(*await foreign.people(http, 2), "foreign"))


async def test_a_host_whose_address_leads_elsewhere_is_named_by_the_others(
    cluster: Cluster, http: aiohttp.ClientSession
) -> None:
    address = {"SERENDIP_CLUSTER__ADDRESS": f"127.0.0.1:{CLUSTER_PORT}"}
    async with talking(http, *cluster.hosts), cluster.guest("astray", **address, **NOTHING_KEPT) as astray:
        one = cluster.hosts[0]
        await one.hears(*cluster.hosts[1:], astray)
        status, said = await one.run("cluster", "check", "--json")
        assert status == 2, said
        (wrong,) = [line for line in json.loads(said) if line["level"] == "error"]
        assert f"at {astray.address}: refused" in wrong["said"]
        await talk(*await acquainted(*await astray.people(http, 2), "astray"))


async def test_an_address_of_another_machine_is_a_fault_at_the_start(cluster: Cluster) -> None:
    address = {"SERENDIP_CLUSTER__ADDRESS": cluster.hosts[0].address}
    with pytest.raises(AssertionError, match=r"cluster\.address"):
        async with cluster.guest("twin", **address, **NOTHING_KEPT):
            pass


async def test_a_host_that_nats_does_not_know_serves_alone_until_it_does(
    cluster: Cluster, http: aiohttp.ClientSession
) -> None:
    cluster.admit("late")
    seed = (cluster.keys / "late.seed").read_bytes()
    cluster.expel("late")
    (cluster.keys / "kept").write_bytes(seed)
    settings = {"SERENDIP_CLUSTER__CREDENTIALS": str(cluster.keys / "kept")}
    async with talking(http, *cluster.hosts), cluster.guest("late", seed=False, **settings, **NOTHING_KEPT) as late:
        assert await late.says(http, "/readyz", lambda said: "uthorization" in str(said["degraded"])) == 200
        await talk(*await acquainted(*await late.people(http, 2), "late"))
        status, said = await late.run("cluster", "check", "--json")
        assert (status, "uthorization" in said) == (2, True), said
        (cluster.keys / "late.seed").write_bytes(seed)
        cluster.admit("late")
        await late.hears(*cluster.hosts)
        await cluster.hosts[0].hears(*cluster.hosts[1:], late)
        cluster.expel("late")
        await cluster.hosts[0].hears(*cluster.hosts[1:])
        assert await late.says(http, "/readyz", lambda said: "alone" in str(said["degraded"])) == 200


async def test_a_host_of_another_name_may_not_speak_as_one_of_these(
    cluster: Cluster, http: aiohttp.ClientSession
) -> None:
    async with cluster.guest("other", SERENDIP_CLUSTER__NAME="other", **NOTHING_KEPT) as other:
        assert await other.says(http, "/readyz", lambda said: "ermissions" in str(said["degraded"])) == 200
        status, said = await other.run("cluster", "check", "--json")
        assert (status, "must publish and subscribe to other.>" in said) == (2, True), said
        await talk(*await acquainted(*await other.people(http, 2), "other"))
