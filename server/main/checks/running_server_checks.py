"""Check the running server by its own metrics: descriptors, queues, reports that wait, CPU, and how many users this machine holds.

Two scrapes, APART_S seconds apart, give rates. **Invariant:** a figure that was not measured is not guessed: the finding says what is missing.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from server.main.checks.check_finding import Finding, error, notice, ok, warning
from server.ops.config.settings import Metrics, Settings
from server.ops.health.core_wait import STARVED

APART_S: Final = 5.0
PATIENCE_S: Final = 10.0
BUSY: Final = 0.7  # share of a core that leaves room for the moment when many come at once
MEASURABLE: Final = 100  # users; with fewer, what a process does for itself is most of its CPU
PER_USER_BYTES: Final = 16_384  # a waiting user, and the kernel's part of a connection (docs/operate/scale.md)
RESERVED: Final = 0.875  # the share of descriptors that users get
FULL: Final = 0.85
HOUR_S, DAY_S = 3600, 86_400

Samples = dict[tuple[str, str], float]  # by name, and the value of the only label ("" without one)


class Bound(NamedTuple):
    """Number of users that a resource allows. `why`: the sentence's end."""

    users: float
    why: str


async def running_server(settings: Settings) -> list[Finding]:
    """Run all checks of the running server."""
    if not settings.metrics.enabled or not settings.metrics.port:
        return [notice("server", "has no metrics at a port that is known here", "set metrics.port")]
    try:
        first, begun = await scrape(settings.metrics), time.monotonic()
        await asyncio.sleep(APART_S)
        second, ended = await scrape(settings.metrics), time.monotonic()
    except (aiohttp.ClientError, TimeoutError, ValueError) as fault:
        said = f"no metrics at port {settings.metrics.port}: {str(fault) or type(fault).__name__}"
        return [error("server", said, "does it run? serendip status")]
    found = [*_descriptors(second), *_queues(second), *_moderation(second), *_starved(first, second, ended - begun)]
    least = await asyncio.to_thread(capacity, first, second, ended - begun)
    return [*(found or [ok("server", "well, by its metrics")]), least]


async def scrape(chosen: Metrics) -> Samples:
    """Return the samples of the metrics port that have no label, or one. Raises aiohttp.ClientError, TimeoutError, ValueError."""
    host = "127.0.0.1" if chosen.host in ("0.0.0.0", "::", "") else chosen.host  # noqa: S104 - a comparison
    named = next((name for name in chosen.hosts if name != "*"), "localhost")
    url = f"http://{f'[{host}]' if ':' in host else host}:{chosen.port}/metrics"
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE_S)) as http,
        http.get(url, headers={"Host": named}) as answer,
    ):
        answer.raise_for_status()
        text = await answer.text()
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if len(sample.labels) <= 1
    }


def _descriptors(now: Samples) -> Iterator[Finding]:
    for (name, process), most in now.items():
        if name == "serendip_process_max_fds" and most:
            share = now.get(("serendip_process_open_fds", process), 0) / most
            if share > FULL:
                said = f"{process} uses {100 * share:.0f} % of its {most:.0f} descriptors"
                yield error("server", said, "serendip help SerendipDescriptorsNearLimit")


def _queues(now: Samples) -> Iterator[Finding]:
    for name, most, what in (
        ("serendip_store_waiting", 1000, "records wait for the database"),
        ("serendip_reports_waiting", 10, "reports wait for the database"),
    ):
        waiting = now.get((name, ""), 0)
        if waiting > most:
            yield warning("server", f"{waiting:.0f} {what}", "serendip help SerendipStoreAway")


def _moderation(now: Samples) -> Iterator[Finding]:
    for (name, queue), age in now.items():
        if name == "serendip_cases_oldest_seconds" and age > (HOUR_S if queue == "urgent" else DAY_S):
            level = error if queue == "urgent" else warning
            remedy = "read it: serendip safety cases"
            yield level("reports", f"the oldest of the queue {queue} has waited for {age / HOUR_S:.0f} h", remedy)


def _starved(before: Samples, now: Samples, seconds: float) -> Iterator[Finding]:
    for name, process in now:
        if name == "serendip_cpu_wait_seconds_total":
            share = min(1.0, _grown(before, now, name, process) / seconds)
            if share > STARVED:
                said = f"{process} waited for a core {100 * share:.0f} % of the last seconds"
                yield warning("server", said, "serendip help SerendipStarved")


def _grown(before: Samples, now: Samples, name: str, label: str) -> float:
    """Return by how much a counter grew; 0 if its process was started in between."""
    return max(0.0, now.get((name, label), 0.0) - before.get((name, label), 0.0))


def capacity(before: Samples, now: Samples, seconds: float = APART_S) -> Finding:
    """Return how many users this machine holds, the resource that bounds it, and the most of the last day. `seconds`: between the samples."""
    users, top = now.get(("serendip_connections", ""), 0.0), now.get(("serendip_connections_top", ""), 0.0)
    bounds = [*_by_descriptors(now), *_by_memory(users), *_by_cpu(before, now, users, seconds)]
    if not bounds:
        said = "how many people this machine holds is not known: its metrics and /proc/meminfo tell no bound"
        return notice("capacity", said, "")
    least = min(bounds, key=lambda one: one.users)
    held = round(least.users, -3 if least.users >= 10_000 else -2)
    said = f"this machine holds about {held:,.0f} people, by {least.why}; most at once in the last day: {top:,.0f}, now {users:,.0f}"
    if users < MEASURABLE:
        said += f". What a person costs in CPU is measured from {MEASURABLE} people on"
    if top > BUSY * least.users:
        return warning(
            "capacity", said, "serendip help scale: more workers, more memory or descriptors, a further host"
        )
    return ok("capacity", said)


def _by_descriptors(now: Samples) -> Iterator[Bound]:
    """Sum over the processes that have users."""
    limits = [most for (name, process), most in now.items() if name == "serendip_process_max_fds" and _serves(process)]
    if limits:
        yield Bound(RESERVED * sum(limits), "the descriptors of its workers (LimitNOFILE)")


def _by_memory(users: float) -> Iterator[Bound]:
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        free = int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return
    yield Bound(users + free / PER_USER_BYTES, "the memory that is free")


def _by_cpu(before: Samples, now: Samples, users: float, seconds: float) -> Iterator[Bound]:
    """Scale the CPU of the last seconds: all workers share the cores, the hub has one core at most."""
    if users < MEASURABLE:
        return
    name = "serendip_process_cpu_seconds_total"
    workers = [process for (one, process) in now if one == name and _serves(process)]
    spent = sum(_grown(before, now, name, process) for process in workers) / seconds
    cores = min(len(workers), len(os.sched_getaffinity(0)))
    if spent > 0:
        yield Bound(users * BUSY * cores / spent, f"CPU: {100 * spent / cores:.0f} % of {cores} cores now")
    hub = _grown(before, now, name, "hub") / seconds
    if hub > 0:
        yield Bound(users * BUSY / hub, "the hub, which has one core")


def _serves(process: str) -> bool:
    return process == "server" or process.startswith("worker")
