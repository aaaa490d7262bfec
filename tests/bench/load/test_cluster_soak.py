"""Test the soak under faults: its verdict names each fault of a cluster, and a short run is good."""

import argparse
import asyncio
import tempfile
from pathlib import Path

import pytest

from bench.load import cluster_soak
from bench.load.balancer import Balancer
from bench.load.cluster_looks import Looks
from bench.load.cluster_soak import GRACE_S, SETTINGS, Disks, Event, Run
from tests.cluster import nets

CALM = {"resident MB": 900.0, "descriptors": 600.0, "files": 90.0, "rows": 400.0, "log KB a minute": 300.0, "load": 2.0}


def run() -> Run:
    """A run in which everything was well: one fault between 100 and 110 s."""
    made = Run(events=[Event("hub killed", "host-1", 100.0, 100.0, 110.0)], calm=[dict(CALM) for _ in range(9)])
    made.heard.lines, made.calm_lines, made.hosts = 1000, 10, ["host-1"]
    made.looks.judged["host-1"], made.looks.screened["host-1"] = 9, 900
    return made


def bad(one: Run) -> list[str]:
    """The first two words of the verdicts that are bad."""
    return [" ".join(name.split()[:2]) for name, good in cluster_soak.judged(one).items() if not good]


def test_a_run_in_which_all_was_well_has_a_good_verdict() -> None:
    one = run()
    one.heard.drops, one.heard.ends = [101.0], [110.0 + GRACE_S]
    one.heard.when = [(105.0, "unmet")]
    assert bad(one) == []
    table = cluster_soak.table(one, arguments(), cluster_soak.judged(one))
    assert "hub killed | 1 | 10 s | 1 | 1 |" in table
    assert "cores; load average 2 to 2 meanwhile." in table


@pytest.mark.parametrize("name", ["lost", "doubled", "foreign"])
def test_no_fault_excuses_a_line_that_is_lost_or_doubled(name: str) -> None:
    one = run()
    one.heard.fault(name)
    one.heard.when = [(105.0, name)]
    assert bad(one) == ["1,000 lines"]


def test_what_happens_apart_from_a_fault_is_a_fault_of_ours() -> None:
    one = run()
    one.heard.drops, one.heard.ends, one.heard.when = [99.0], [200.0], [(300.0, "silent")]
    assert bad(one) == ["1 connections", "1 ends", "two who"]
    one = run()
    one.failed, one.refused, one.calm_lines = ["hub killed"], ["not ready"], 0
    assert bad(one) == ["1 faults;", "0 upgrades,", "0 lines"]


@pytest.mark.parametrize("counts", ["judged", "screened"])
def test_a_host_whose_programs_did_nothing_is_named(counts: str) -> None:
    one = run()
    one.looks.failed = ["host-1, look 1: no picture was judged"]
    getattr(one.looks, counts).clear()
    assert bad(one) == ["host-1: " + ("0" if counts == "judged" else "9"), "no picture"]


def test_lines_screened_are_counted_over_the_death_of_a_process() -> None:
    looks = Looks()
    for value in (10.0, 25.0, 5.0):  # a counter begins anew
        looks.count("host-1", value)
    assert looks.screened["host-1"] == 30


@pytest.mark.parametrize("name", cluster_soak.GROWTH)
def test_what_grows_to_the_end_is_named(name: str) -> None:
    one = run()
    for at, calm in enumerate(one.calm):
        calm[name] *= (1 + at) ** 2
    assert [said.split(":")[0] for said, good in cluster_soak.judged(one).items() if not good] == [name]


def arguments(**more: object) -> argparse.Namespace:
    """The verb's own defaults."""
    parser = argparse.ArgumentParser()
    cluster_soak.add_arguments(parser)
    return argparse.Namespace(**{**vars(parser.parse_args([])), **more})


async def test_a_balancer_passes_on_to_a_host_that_answers() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    gone = await asyncio.start_server(answer, "127.0.0.1", 0)
    away = gone.sockets[0].getsockname()[:2]
    gone.close()
    await gone.wait_closed()
    async with Balancer([(host, port), away], 1) as balancer:
        for _ in range(8):
            at = int(balancer.url.rpartition(":")[2].partition("/")[0])
            reader, writer = await asyncio.open_connection("127.0.0.1", at)
            writer.write(b"GET / HTTP/1.0\r\n\r\n")
            assert b"200" in await reader.readline()
            writer.close()
    assert balancer.refused == 0
    server.close()


@pytest.mark.thorough
@pytest.mark.blocking
@pytest.mark.timeout(300)
async def test_a_short_run_over_three_faults_and_an_upgrade_is_good() -> None:
    if why := nets.lacking():
        pytest.skip(why)
    only = "worker killed,host cut off,database killed"
    one, chosen = Run(), arguments(minutes=0.5, pairs=6, every=2.0, upgrade=20.0, only=only)
    with tempfile.TemporaryDirectory(prefix="serendip-soak-") as folder:
        cluster = await asyncio.to_thread(Disks(Path(folder), 3, **SETTINGS).__enter__)
        try:
            await cluster_soak.soaked(cluster, chosen, one)
        finally:
            await asyncio.to_thread(cluster.__exit__, None, None, None)
    assert [said for said, good in cluster_soak.judged(one).items() if not good] == []
