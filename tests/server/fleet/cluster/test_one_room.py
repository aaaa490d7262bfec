"""One waiting room of hosts that run, through a real NATS: what its people notice when it moves, is lost, or NATS is."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from contextlib import suppress
from pathlib import Path

import aiohttp

from tests.server.fleet.cluster.test_together import hears, hosts, stands
from tests.server.fleet.migrate.upgrades import Person, people
from tests.server.fleet.nats.test_nats_bus import started
from tests.server.main.processes.test_process_group import Several, comes, talk


async def owner_of(*servers: Several) -> Several:
    """Wait until all say the same of them has the room; which."""
    async with asyncio.timeout(30):
        while True:
            with suppress(KeyError):  # its hub was only just started
                found = {server: await stands(server) for server in servers}
                owners = {said["owner"] for said in found.values()}
                for server, said in found.items():
                    if owners == {said["node"]}:
                        return server
            await asyncio.sleep(0.05)


async def meet(http: aiohttp.ClientSession, server: Several, word: str) -> tuple[Person, Person]:
    """Two of a host look for each other, and talk."""
    one, two = await people(http, server.port, 2)
    for person in (one, two):
        await person.say("find", interests=[word], strict=True)
    await asyncio.gather(one.hear("matched"), two.hear("matched"))
    await talk(one, two)
    return one, two


async def waiting(http: aiohttp.ClientSession, server: Several, word: str) -> Person:
    """Somebody looks, and nobody else."""
    (person,) = await people(http, server.port, 1)
    await person.say("find", interests=[word], strict=True)
    await person.hear("waiting")
    return person


async def finds(http: aiohttp.ClientSession, server: Several, person: Person, word: str) -> None:
    """Who waited is met by a newcomer of the same host."""
    (other,) = await people(http, server.port, 1)
    await other.say("find", interests=[word], strict=True)
    await asyncio.gather(person.hear("matched"), other.hear("matched"))
    await talk(person, other)


async def test_people_of_a_host_meet_in_the_room_of_another_and_keep_their_place_when_its_hub_dies(
    tmp_path: Path,
) -> None:
    async with started() as nats, hosts(tmp_path, nats, 2) as (one, two), aiohttp.ClientSession() as http:
        await hears(one, two)
        owner = await owner_of(one, two)
        other = two if owner is one else one
        assert "serendip_hub_owner 1.0" in await figures(http, owner)
        assert "serendip_hub_owner 0.0" in await figures(http, other)
        pair = await meet(http, other, "sailing")
        waits = await waiting(http, other, "chess")
        await comes(http, metrics(owner), "serendip_hub_tickets 1.0")
        await owner.kill("hub")
        await owner_of(one, two)
        await comes(http, metrics(owner), "serendip_hub_tickets 1.0")
        await finds(http, other, waits, "chess")
        await other.kill("hub")
        waits = await waiting(http, other, "go")
        await comes(http, metrics(owner), "serendip_hub_tickets 1.0")
        await other.kill("worker 1")
        await comes(http, metrics(owner), "serendip_hub_tickets 0.0")
        assert pair[0].socket is not None
        assert not [line for server in (one, two) for line in server.events("loop.fault")]


async def test_whether_nats_is_killed_or_stands_still_each_host_serves_its_own_and_then_all(tmp_path: Path) -> None:
    async with started() as nats, hosts(tmp_path, nats, 2) as (one, two), aiohttp.ClientSession() as http:
        await hears(one, two)
        owner = await owner_of(one, two)
        other = two if owner is one else one
        waits = await waiting(http, other, "chess")
        nats.process.send_signal(signal.SIGSTOP)
        await owner_of(other)
        await finds(http, other, waits, "chess")
        nats.process.send_signal(signal.SIGCONT)
        await hears(one, two)
        await owner_of(one, two)
        waits = await waiting(http, other, "go")
        await asyncio.to_thread(nats.stop)
        await owner_of(other)
        await meet(http, other, "sailing")
        await asyncio.to_thread(nats.start)
        owner = await owner_of(one, two)  # whichever of the two reaches NATS first
        await comes(http, metrics(owner), "serendip_hub_tickets 1.0")
        await finds(http, other, waits, "go")


async def test_a_host_that_stands_still_loses_the_room_and_an_upgrade_hands_it_on(tmp_path: Path) -> None:
    async with started() as nats, hosts(tmp_path, nats, 2) as (one, two), aiohttp.ClientSession() as http:
        await hears(one, two)
        owner = await owner_of(one, two)
        other = two if owner is one else one
        waits = await waiting(http, other, "chess")
        held = [*map(owner.pid_of, ("hub", "frontend", "worker 1")), owner.newest]
        for pid in reversed(held):
            os.kill(pid, signal.SIGSTOP)
        await owner_of(other)
        await finds(http, other, waits, "chess")
        for pid in held:
            os.kill(pid, signal.SIGCONT)
        await owner_of(one, two)
        waiters = [await waiting(http, server, f"word {number}") for number, server in enumerate((one, two))]
        assert (await one.upgrade())[0] == 0
        await hears(two, one)
        await owner_of(one, two)
        for number, (server, person) in enumerate(zip((one, two), waiters, strict=True)):
            await finds(http, server, person, f"word {number}")


def metrics(server: Several) -> str:
    """Where its figures are."""
    return f"http://127.0.0.1:{server.events('metrics.ready')[0]['port']}/metrics"


async def figures(http: aiohttp.ClientSession, server: Several) -> str:
    async with http.get(metrics(server)) as answer:
        return re.sub(r"\{[^}]*\}", "", await answer.text())
