"""Two hosts of one cell, of two releases whose records of people differ: they have one room, and people go both ways."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from engine.engine import VERSION
from tests.server.fleet.cluster.test_together import hears, hosts
from tests.server.fleet.migrate.releases import release
from tests.server.fleet.migrate.upgrades import Person, people
from tests.server.fleet.nats.test_nats_bus import started
from tests.server.main.processes.test_process_group import Several, talk

pytestmark = [pytest.mark.blocking, pytest.mark.timeout(120)]  # runs servers and waits for them


async def test_people_of_a_host_that_is_upgraded_first_meet_those_of_one_that_is_not(tmp_path: Path) -> None:
    later = release(tmp_path / "later", VERSION + 1, VERSION, "mood")
    async with started() as nats, hosts(tmp_path, nats, 2) as (one, two), aiohttp.ClientSession() as http:
        await hears(one, two)
        status, said = await two.upgrade(later)
        assert (status, said["done"]) == (0, True)
        await hears(one, two)
        await hears(two, one)
        crowd: list[Person] = []
        for full, empty in ((one, two), (two, one)):  # two who meet do so at the host that has fewer people
            crowd += await people(http, full.port, 6 + len(crowd))
            await meets(http, full, empty)
        for server in (one, two):
            for event in ("migration.refused", "cluster.stayed", "worker.fault", "cluster.fault"):
                assert server.events(event) == []


async def meets(http: aiohttp.ClientSession, full: Several, empty: Several) -> None:
    """Somebody of the one goes to the other, talks there, and is at home again for the next."""
    (guest,) = await people(http, full.port, 1)
    for word in ("sailing", "chess"):
        (host,) = await people(http, empty.port, 1)
        for person in (host, guest):
            await person.say("find", interests=[word], strict=True)
        for person in (host, guest):
            assert (await person.hear("matched"))["common"] == [word]
        await talk(host, guest)
        await guest.say("leave")
        await host.hear("left")
