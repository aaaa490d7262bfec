"""A fourth host that is wrong beside three that are right: it is kept out, is told why, and costs nobody anything."""

from __future__ import annotations

import json

import aiohttp
import pytest

from tests.cluster.rig import CLUSTER_PORT, NOTHING_KEPT, Cell, acquainted, talking
from tests.server.main.processes.test_process_group import talk

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(120)]  # makes and cuts networks


async def test_a_host_with_another_secret_is_nobody(cell: Cell, http: aiohttp.ClientSession) -> None:
    one = cell.hosts[0]
    line = 'serendip_nats_dropped_total{why="seal"}'
    async with talking(http, *cell.hosts), cell.guest("foreign", keys=False, **NOTHING_KEPT) as foreign:
        await foreign.hears()
        before = await one.counts(http, line)
        await one.figure(http, line, lambda count: count > before)
        await one.hears(*cell.hosts[1:])
        status, said = await foreign.run("cluster", "check", "--json")
        assert "are not sealed by this service" in said
        assert status == 1, said
        await talk(*await acquainted(*await foreign.people(http, 2), "foreign"))


async def test_a_host_whose_address_leads_elsewhere_is_named_by_the_others(
    cell: Cell, http: aiohttp.ClientSession
) -> None:
    address = {"SERENDIP_CLUSTER__ADDRESS": f"127.0.0.1:{CLUSTER_PORT}"}
    async with talking(http, *cell.hosts), cell.guest("astray", **address, **NOTHING_KEPT) as astray:
        one = cell.hosts[0]
        await one.hears(*cell.hosts[1:], astray)
        status, said = await one.run("cluster", "check", "--json")
        assert status == 2, said
        (wrong,) = [line for line in json.loads(said) if line["level"] == "error"]
        assert f"at {astray.address}: refused" in wrong["said"]
        await talk(*await acquainted(*await astray.people(http, 2), "astray"))


async def test_an_address_of_another_machine_is_a_fault_at_the_start(cell: Cell) -> None:
    address = {"SERENDIP_CLUSTER__ADDRESS": cell.hosts[0].address}
    with pytest.raises(AssertionError, match=r"cluster\.address"):
        async with cell.guest("twin", **address, **NOTHING_KEPT):
            pass


async def test_a_host_that_nats_does_not_know_serves_alone_until_it_does(
    cell: Cell, http: aiohttp.ClientSession
) -> None:
    cell.admit("late")
    seed = (cell.keys / "late.seed").read_bytes()
    cell.expel("late")
    (cell.keys / "kept").write_bytes(seed)
    settings = {"SERENDIP_CLUSTER__CREDENTIALS": str(cell.keys / "kept")}
    async with talking(http, *cell.hosts), cell.guest("late", seed=False, **settings, **NOTHING_KEPT) as late:
        assert await late.says(http, "/readyz", lambda said: "uthorization" in str(said["degraded"])) == 200
        await talk(*await acquainted(*await late.people(http, 2), "late"))
        status, said = await late.run("cluster", "check", "--json")
        assert (status, "uthorization" in said) == (2, True), said
        (cell.keys / "late.seed").write_bytes(seed)
        cell.admit("late")
        await late.hears(*cell.hosts)
        await cell.hosts[0].hears(*cell.hosts[1:], late)
        cell.expel("late")
        await cell.hosts[0].hears(*cell.hosts[1:])
        assert await late.says(http, "/readyz", lambda said: "alone" in str(said["degraded"])) == 200


async def test_a_host_of_another_name_may_not_speak_as_one_of_these(cell: Cell, http: aiohttp.ClientSession) -> None:
    async with cell.guest("other", SERENDIP_CLUSTER__NAME="other", **NOTHING_KEPT) as other:
        assert await other.says(http, "/readyz", lambda said: "ermissions" in str(said["degraded"])) == 200
        status, said = await other.run("cluster", "check", "--json")
        assert (status, "must publish and subscribe to other.>" in said) == (2, True), said
        await talk(*await acquainted(*await other.people(http, 2), "other"))
