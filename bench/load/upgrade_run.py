"""Upgrade a server under load as an operator does, by `serendip upgrade`, timed from outside.

CPU is that of the first threads of both processes, from the kernel. The cost of a move is what both used during the migration, less what the old
process used for the same users in as much time before.
"""

import asyncio
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from bench.support.process_inspection import spent
from server.ops.process.control_socket import NoServer, ask

LOOK = 0.01  # seconds between two looks at what both processes have used
Phase = Callable[[], dict[str, Any]]  # ends a phase of the load: its figures


class NotUpgradedError(Exception):
    """The upgrade was refused or given up; the text has the reason."""


class Looks:
    """CPU of process `pid` and its successor between `begin` and `end`."""

    def __init__(self, pid: int) -> None:
        self._seen: dict[int, list[float]] = {pid: []}
        self._looking: asyncio.Task[None] | None = None

    def begin(self, new: int) -> None:
        """Start: sessions migrate to process `new`."""
        self._seen[new] = []
        self._look()
        self._looking = asyncio.create_task(self._go_on())

    async def end(self) -> tuple[float, float]:
        """Return CPU seconds of (old, new) since `begin`; of an ended process as far as it was sampled."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        self._look()
        used = [looks[-1] - looks[0] if looks else 0.0 for looks in self._seen.values()]
        return used[0], sum(used[1:])

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            self._look()

    def _look(self) -> None:
        for pid, looks in self._seen.items():
            with suppress(FileNotFoundError, ProcessLookupError, IndexError):  # it has ended: what was seen last stands
                looks.append(spent(pid))


class Upgraded(NamedTuple):
    """Result of an upgrade."""

    pid: int  # who serves now
    figures: dict[str, Any]  # with `starting` and `moving`: what a line took meanwhile


async def upgraded(data: Path, pid: int, program: str | None, phase: Phase, serving: float) -> Upgraded:
    """Upgrade the server `pid` of a data folder to `program`, or to itself. `serving`: cores used for its users alone.

    Raises NotUpgradedError.
    """
    looks, begun, new, moving, starting, version = Looks(pid), time.perf_counter(), 0, 0.0, {}, ""
    async for told in answers(data, {"do": "upgrade", "program": program}):
        if told.get("step") == "ready":
            new, version, moving, starting = told["pid"], told["version"], time.perf_counter(), phase()
            looks.begin(new)
        elif "done" in told:
            ended = time.perf_counter()
            old_cpu, new_cpu = await looks.end()
            if not told["done"] or not new:
                raise NotUpgradedError(str(told.get("said", told)))
            seconds, people = ended - moving, told.get("people", 0)
            more = old_cpu + new_cpu - serving * seconds
            return Upgraded(new, {
                "version": version, "seconds_until_ready": round(moving - begun, 3), "seconds": round(seconds, 3),
                "people": people, "chats": told.get("chats", 0), "people_s": round(people / seconds),
                "old_cpu": round(old_cpu, 4), "new_cpu": round(new_cpu, 4), "move_us": round(more / max(1, people) * 1e6, 2),
                "starting": starting, "moving": phase(),
            })  # fmt: skip
    raise NotUpgradedError("the server stopped answering")


async def answers(data: Path, request: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """Yield the lines of the server's answer as they come. Raises NotUpgradedError if no server answers."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

    def listen() -> None:
        try:
            for line in ask(data, request):
                loop.call_soon_threadsafe(lines.put_nowait, line)
        finally:
            loop.call_soon_threadsafe(lines.put_nowait, None)

    listening = asyncio.create_task(asyncio.to_thread(listen))
    while (line := await lines.get()) is not None:
        yield line
    try:
        await listening
    except NoServer as error:
        raise NotUpgradedError(str(error)) from None


def moves(metrics: int) -> dict[str, Any]:
    """Return the new process's counters of the migration: sessions by result, and the time out of service of a share of them."""
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=10) as answer:
        return counted(answer.read().decode())


def counted(text: str) -> dict[str, Any]:
    """Return the same, from a scrape."""
    lines = dict(
        line.rsplit(" ", 1) for line in text.splitlines() if 'why="upgrade"' in line and 'way="descriptor"' in line
    )
    results = {
        name.partition('result="')[2].partition('"')[0]: int(float(value))
        for name, value in lines.items()
        if name.startswith("serendip_migrations_total{")
    }
    times = [
        (float(name.partition('le="')[2].partition('"')[0]), float(value))
        for name, value in lines.items()
        if name.startswith("serendip_migration_seconds_bucket{")
    ]
    return {**results, **{f"p{share:g}_ms": within(times, share / 100) for share in (50, 99, 99.9)}}


def within(times: list[tuple[float, float]], share: float) -> float | None:
    """Return the milliseconds that a share of all took at most, interpolated between two bounds; None if there were none."""
    if not times or not times[-1][1]:
        return None
    wanted = share * times[-1][1]
    for (low, before), (high, up_to) in pairwise([(0.0, 0.0), *times]):
        if up_to >= wanted:
            return round(
                low * 1e3
                if high == float("inf")
                else (low + (high - low) * (wanted - before) / max(1.0, up_to - before)) * 1e3,
                3,
            )
    return None
