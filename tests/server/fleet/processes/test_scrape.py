"""The scrape of a host of several processes: each is shown, the sums are the whole host's, and nobody's silence or death spoils them."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from server.fleet.frontend.metrics_merge import APART
from tests.server.fleet.processes.hosts import Host, client, hosting, meet

METRICS = {
    "SERENDIP_METRICS__ENABLED": "true",
    "SERENDIP_METRICS__PORT": "0",
    "SERENDIP_STORE__ENABLED": "false",
    "SERENDIP_MATCHING__ANYONE_AFTER": "0.6",
}
MOVED, DONE = (("serendip_hub_matches_total", result) for result in ("moved", "done"))
GIVEN = "serendip_migrations_total", "given", "descriptor", "meet"
Found = dict[tuple[str, ...], float]  # a sample by its name and the values of its labels


class Scrape:
    """Who scrapes a host."""

    def __init__(self, host: Host, http: aiohttp.ClientSession) -> None:
        self._host = host
        self._http = http

    async def __call__(self) -> Found:
        """What is shown now, by the newest frontend."""
        port = self._host.events("metrics.ready")[-1]["port"]
        async with self._http.get(f"http://127.0.0.1:{port}/metrics", headers={"Connection": "close"}) as answer:
            assert answer.status == 200
            text = await answer.text()
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    async def until(self, shows: Callable[[Found], bool]) -> Found:
        """Scrape until it shows this."""
        async with asyncio.timeout(40):
            while not shows(found := await self()):
                pass
        return found


@asynccontextmanager
async def scraped(folder: Path, **settings: str) -> AsyncIterator[tuple[Host, Scrape]]:
    """A host with two workers, and who scrapes it."""
    async with hosting(folder, 2, **METRICS, **settings) as host, aiohttp.ClientSession() as http:
        yield host, Scrape(host, http)


def processes(found: Found, name: str) -> dict[str, float]:
    """A family that has the label `process` alone."""
    return {key[1]: value for key, value in found.items() if key[0] == name and len(key) == 2}


async def test_each_process_is_shown_and_the_sums_are_of_all(tmp_path: Path) -> None:
    async with scraped(tmp_path) as (host, scrape), client(host, "a" * 22) as one, client(host, "b" * 22) as two:
        await meet(one, two, "tea", "hello")
        found = await scrape.until(
            lambda found: found[DONE] == 1 and found[GIVEN] == found[MOVED]  # the hub is told a moment later
        )
        all_ = {"supervisor", "hub", "frontend", "worker 1", "worker 2"}
        for name in ("up", "cpu_seconds_total", "resident_memory_bytes", "start_time_seconds"):
            assert set(processes(found, f"serendip_process_{name}")) == all_
        assert set(processes(found, "serendip_process_up").values()) == {1}
        assert min(processes(found, "serendip_process_resident_memory_bytes").values()) > 1e6
        with_loop = all_ - {"supervisor"}
        for name in ("serendip_loop_lag_seconds_count", "serendip_ipc_link_bytes", "serendip_process_open_fds"):
            assert with_loop <= set(processes(found, name))
        assert set(processes(found, "serendip_people")) == {"frontend", "worker 1", "worker 2"}
        assert (found["serendip_connections",], found["serendip_messages_total",]) == (2, 1)
        assert sum(processes(found, "serendip_people").values()) == 2
        assert found["serendip_hub_matches_total", "made"] == 1
        assert found["serendip_hub_answer_seconds_count",] == 2
        moved = found[MOVED]
        assert found["serendip_migrations_total", "taken", "descriptor", "meet"] == moved
        assert found["serendip_migration_seconds_count", "descriptor", "meet"] == moved
        assert (found["serendip_hub_tickets",], found["serendip_hub_pending",], found["serendip_http_lost_total",]) == (
            0,
            0,
            0,
        )
        for process in with_loop:
            assert found["serendip_deaths_total", process, "ended"] == 0


async def test_a_worker_that_stands_still_is_shown_so_and_what_it_had_said_counts(tmp_path: Path) -> None:
    async with scraped(tmp_path) as (host, scrape), client(host, "a" * 22) as one, client(host, "b" * 22) as two:
        await meet(one, two, "tea", "hello")
        before = await scrape()
        host.hold("worker 1")
        found = await scrape()
        ups = processes(found, "serendip_process_up")
        assert (ups.pop("worker 1"), set(ups.values())) == (0, {1})
        for name in ("serendip_messages_total", "serendip_connections"):
            assert found[name,] == before[name,]
        host.go_on("worker 1")
        await scrape.until(lambda found: processes(found, "serendip_process_up")["worker 1"] == 1)


@pytest.mark.parametrize("process", ["worker 1", "worker 2", "hub"])
async def test_a_death_is_counted_and_no_sum_falls(tmp_path: Path, process: str) -> None:
    async with scraped(tmp_path) as (host, scrape), client(host, "a" * 22) as one, client(host, "b" * 22) as two:
        await meet(one, two, "tea", "hello")
        before = await scrape()
        host.kill(process)
        await host.told("process.ready", 2, process=process)
        found = await scrape.until(lambda found: processes(found, "serendip_process_up").get(process) == 1)
        assert found["serendip_deaths_total", process, "ended"] == 1
        assert found["serendip_messages_total",] == before["serendip_messages_total",] == 1
        assert found["serendip_tickets_total", "matched"] == before["serendip_tickets_total", "matched"] == 2
        start = "serendip_process_start_time_seconds"
        assert processes(found, start)[process] > processes(before, start)[process]


async def test_a_frontend_that_is_new_begins_its_sums_and_shows_who_was_there_before_it(tmp_path: Path) -> None:
    async with scraped(tmp_path) as (host, scrape), client(host, "a" * 22) as one, client(host, "b" * 22) as two:
        await meet(one, two, "tea", "hello")
        assert (await scrape())["serendip_messages_total",] == 1
        host.kill("frontend")
        await host.told("metrics.ready", 2)
        await host.told("process.ready", 2, process="frontend")
        found = await scrape.until(lambda found: sum(processes(found, "serendip_people").values()) == 2)
        assert found["serendip_messages_total",] == 0, "as after a restart"
        assert found["serendip_connections",] == 2
        await one.say("and again")
        await scrape.until(lambda found: found["serendip_messages_total",] == 1)


async def test_a_supervisor_that_stands_still_is_shown_so(tmp_path: Path) -> None:
    async with scraped(tmp_path) as (host, scrape):
        os.kill(host.supervisor, signal.SIGSTOP)
        await scrape.until(lambda found: processes(found, "serendip_process_up")["supervisor"] == 0)
        os.kill(host.supervisor, signal.SIGCONT)
        await scrape.until(lambda found: processes(found, "serendip_process_up")["supervisor"] == 1)


async def test_how_long_people_usually_wait_is_known_though_none_of_them_is_at_the_frontend(tmp_path: Path) -> None:
    """Ten and more who waited for anyone; it is asked for at most once in some seconds."""
    settings = {"SERENDIP_MATCHING__ANY_AFTER": "0.55"}
    async with scraped(tmp_path, **settings) as (host, _), aiohttp.ClientSession() as http:
        assert '"usual":{}' in (await host.get(http, "/api/status"))[1].replace(" ", "")
        people = [client(host, f"{number:022d}") for number in range(12)]
        for person in people:
            await person.__aenter__()
        await asyncio.gather(*(person.find([f"alone {number}"]) for number, person in enumerate(people)))
        async with asyncio.timeout(6 * APART):
            while '"usual":{"text":1}' not in (await host.get(http, "/api/status"))[1].replace(" ", ""):  # noqa: ASYNC110 - others know it
                await asyncio.sleep(0.1)
        for person in people:
            await person.__aexit__(None, None, None)
