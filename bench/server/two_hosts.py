"""Measure two hosts of one cluster beside one of them alone: time to match, time of a line, CPU, with partners on different hosts.

    python -m bench cells --rounds 7 --keep

Matches are checked, and a line that differs from the sent one fails the run. Each host is a network namespace of its own if this user may make one
(root), else both are on loopback. In each round every kind is measured in turn. `over hosts` takes both orders in turn, since the place of a chat
depends on who came first. CPU is that of the workers' first threads; a line over two hosts costs CPU on both, and what exceeds a line of one host
is the part of the edge (the host of the client's connection). The load is a Python client on the same processors, so times include its own work.
"""

import argparse
import asyncio
import json
import shutil
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Any, Final, NamedTuple

import uvloop

from bench.server.match_time import Meetings, Person
from bench.support.documents import fill, table
from bench.support.machine import machine
from bench.support.process_inspection import free_port, spent
from bench.support.results import ROOT, write
from bench.support.serving import PATIENCE, Serving
from tests.cluster import nets
from tests.support import services

WORKER: Final = "worker 1"
SECRET: Final = "secret"
CLUSTER_PORT: Final = 9467
ONE, OVER = "in one host", "over hosts"
KINDS: Final = (ONE, OVER)
MEETING: Final = 20  # people of each side who meet in turn
FIGURES: Final = ("meet_p50_ms", "meet_p99_ms", "line_p50_ms", "line_p99_ms", "line_cpu_us")


class Host(NamedTuple):
    """A serving host. `at`: its address for users."""

    server: Serving
    at: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose how much to measure."""
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="of meetings, of lines alone, and of lines of many, a round and kind"
    )
    parser.add_argument("--pairs", type=int, default=20, help="who talk at once where CPU is measured")
    parser.add_argument("--keep", action="store_true", help="write bench/results/cells.json and its table")


def main(chosen: argparse.Namespace) -> int:
    """Measure; the table on standard output."""
    before = machine()
    with cluster() as (hosts, apart):
        rounds = uvloop.run(measured(hosts, chosen))
    found = {
        "machine": before,
        "namespaces": apart,
        "rounds": chosen.rounds,
        "seconds": chosen.seconds,
        "pairs": chosen.pairs,
        "kinds": {kind: {name: spread([one[kind][name] for one in rounds]) for name in FIGURES} for kind in KINDS},
    }
    if chosen.keep:
        write(found, "cells", ordered=False)
        fill(ROOT / "docs" / "performance.md", "cells", lines(found))
    else:
        print(json.dumps(found, indent=1))
    print(lines(found))
    return 0


@contextmanager
def cluster() -> Iterator[tuple[list[Host], bool]]:
    """Start two hosts of one cluster. Return them, and whether each has its own network."""
    apart = not nets.lacking()
    with ExitStack() as stack:
        there: list[nets.Machine | None] = [None] * 3
        if apart:
            made = nets.Nets("b")
            stack.callback(made.close)
            there = [made.machine() for _ in range(3)]
        base = there.pop()
        with inside(base):
            nats = stack.enter_context(services.nats(at=services.HERE if base is None else base.private))
        hosts: list[Host] = []
        for one in there:
            private = f"127.0.0.1:{free_port()}" if one is None else f"{one.private}:{CLUSTER_PORT}"
            server = Serving(
                SERENDIP_WORKERS="1", SERENDIP_STORE__ENABLED="false", SERENDIP_SERVER__HOSTS="*", SERENDIP_SAFETY__UNATTENDED="true",
                SERENDIP_SERVER__HOST="127.0.0.1" if one is None else one.public,
                SERENDIP_CLUSTER__NATS=nats.url, SERENDIP_CLUSTER__ADDRESS=private,
            )  # fmt: skip
            if hosts:
                shutil.copy(hosts[0].server.data / SECRET, server.data / SECRET)
            with inside(one):
                stack.enter_context(server)
            hosts.append(Host(server, "127.0.0.1" if one is None else one.public))
        wait_for_workers(hosts)
        yield hosts, apart


@contextmanager
def inside(machine: "nets.Machine | None") -> Iterator[None]:
    """Run in that host's network, if it has one."""
    if machine is None:
        yield
    else:
        with machine.inside(threads=True):  # one reads a log
            yield


def wait_for_workers(hosts: list[Host]) -> None:
    """Wait until each process is there; that the hosts are connected shows when users are matched."""
    end = time.monotonic() + PATIENCE
    while not all(WORKER in host.server.processes for host in hosts):
        if time.monotonic() > end:
            raise RuntimeError("no worker began")
        time.sleep(0.05)  # a poll: the log is read by another thread


async def measured(hosts: list[Host], chosen: argparse.Namespace) -> list[dict[str, dict[str, float]]]:
    """Return the figures of each round, by kind."""
    one, two = hosts
    await joined(one, two)
    rounds = []
    for number in range(chosen.rounds):
        found = {}
        for kind, ways in ((ONE, [(one, one)]), (OVER, [(one, two), (two, one)])):
            first, second = ways[number % len(ways)]
            found[kind] = {
                **await met(first, second, chosen.seconds),
                **await said(first, second, chosen.seconds),
                **await cost(hosts, first, second, chosen.pairs, chosen.seconds),
            }
        rounds.append(found)
        print(f"round {number + 1} of {chosen.rounds}: {found}", file=sys.stderr, flush=True)
    return rounds


@asynccontextmanager
async def crowd(one: Host, two: Host, count: int) -> AsyncIterator[tuple[list[Person], list[Person]]]:
    """Connect users at each host; they leave at the end."""
    sides = [Person(host.server.port, host.at) for host in (one, two) for _ in range(count)]
    try:
        for person in sides:
            await person.come()
        yield sides[:count], sides[count:]
    finally:
        for person in sides:
            person.cut()
        await asyncio.sleep(0)  # a connection is closed a turn after it was cut


async def pair(first: Person, second: Person, word: str) -> None:
    """Match two users. Raises RuntimeError, TimeoutError."""
    for person in (first, second):
        person.find(word)
    for person in (first, second):
        if (await person.hear("matched"))["common"] != [word]:
            raise RuntimeError(f"not over {word}")


async def joined(one: Host, two: Host) -> None:
    """Wait until users of both hosts are matched. Raises TimeoutError: they have no shared waiting room."""
    async with crowd(one, two, 1) as ((first,), (second,)):
        await pair(first, second, "are you there?")


async def met(one: Host, two: Host, seconds: float) -> dict[str, float]:
    """Return the time from `find` to `matched`, a partner waiting at the other host."""
    async with crowd(one, two, MEETING) as (firsts, others):
        times = await Meetings([*firsts, *others]).go_on(seconds)
    return {"meet_p50_ms": quantile(times, 50), "meet_p99_ms": quantile(times, 99)}


async def said(one: Host, two: Host, seconds: float) -> dict[str, float]:
    """Return the time from sending a line to its arrival, both ways, without other load."""
    times: list[float] = []
    async with crowd(one, two, 1) as ((first,), (second,)):
        await pair(first, second, "line by line")
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            for speaker, hearer in ((first, second), (second, first)):
                begun = time.perf_counter()
                await line(speaker, hearer, f"line {len(times)}")
                times.append(time.perf_counter() - begun)
    return {"line_p50_ms": quantile(times, 50), "line_p99_ms": quantile(times, 99)}


async def line(speaker: Person, hearer: Person, text: str) -> None:
    """Wait for one line. Raises RuntimeError, TimeoutError."""
    speaker.say(text)
    if (await hearer.hear("message"))["text"] != text:
        raise RuntimeError("another line than the one that was said")


async def cost(hosts: list[Host], one: Host, two: Host, pairs: int, seconds: float) -> dict[str, float]:
    """Return the CPU of the workers of both hosts per line, of many chats at once."""
    async with crowd(one, two, pairs) as (firsts, others):
        both = list(zip(firsts, others, strict=True))
        for number, (first, second) in enumerate(both):
            await pair(first, second, f"many {number}")
        workers = [host.server.processes[WORKER] for host in hosts]
        end, before = time.perf_counter() + seconds, sum(map(spent, workers))
        counts = await asyncio.gather(*[talk(first, second, end) for first, second in both])
        used = sum(map(spent, workers)) - before
    return {"line_cpu_us": used / sum(counts) * 1e6}


async def talk(first: Person, second: Person, end: float) -> int:
    """Send lines in turn until `end` (perf_counter); return how many."""
    count = 0
    while time.perf_counter() < end:
        await line(first, second, f"line {count}")
        await line(second, first, f"line {count + 1}")
        count += 2
    return count


def quantile(times: list[float], percent: int) -> float:
    """Return a quantile in milliseconds."""
    return statistics.quantiles(times, n=100, method="inclusive")[percent - 1] * 1e3


def spread(values: list[float]) -> dict[str, float]:
    """Return the median of the rounds and their quartiles."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return {"median": round(middle, 3), "low": round(low, 3), "high": round(high, 3)}


def lines(found: dict[str, Any]) -> str:
    """Return the table of the documents."""
    said = (
        "from `find` to `matched`, p50 ms", "p99 ms", "a line, from sent to heard, p50 ms", "p99 ms",
        "CPU of all workers a line, µs",
    )  # fmt: skip
    rows = []
    for name, words in zip(FIGURES, said, strict=True):
        cells = [found["kinds"][kind][name] for kind in KINDS]
        rows.append((words, *(f"{one['median']:.2f} ({one['low']:.2f} to {one['high']:.2f})" for one in cells)))
    one, over = (found["kinds"][kind]["line_cpu_us"]["median"] for kind in KINDS)
    where = "two network namespaces" if found["namespaces"] else "loopback"
    return (
        table(("", *KINDS), rows)
        + f"\nMedians of {found['rounds']} rounds, and their quartiles. The edge's part of a line: {over - one:.1f} µs. Two hosts in {where}, "
        f"NATS and the load on the same {found['machine']['cores']} cores ({found['machine']['cpu']}); `python -m bench cells --keep`.\n"
    )
