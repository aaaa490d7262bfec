"""Run three hosts of two workers each in namespaces, under talk and faults; numbered lines decide, and what is used must stay flat.

    python -m bench faults --minutes 60 --write

Every `--every` seconds one fault of `cluster_faults` is done and undone, an upgrade each `--upgrade` seconds; then all hosts have to be whole again.
A line may never be lost, doubled or foreign while its chat lives; a chat may end, and a connection drop, only around a fault. After each fault
every host has to judge a picture, and memory, descriptors, files, rows and log are counted: the last third of a run is compared with the middle
third. Needs root.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from bench.load import cluster_looks
from bench.load.balancer import Balancer
from bench.load.cluster_faults import DISK, Harm, pids_of
from bench.load.cluster_looks import Looks
from bench.load.numbered_line_pairs import Heard, meet_and_talk
from bench.support.documents import fill
from bench.support.machine import machine
from bench.support.results import write
from tests.cluster import nets
from tests.cluster.rig import PORT, Cluster, Host

NEVER: Final = ("lost", "doubled", "foreign")
GRACE_S: Final = 30  # of a session, and how long after a fault its consequences may be heard
SETTINGS: Final = {
    "SERENDIP_WORKERS": "2", "SERENDIP_SESSION__GRACE": str(GRACE_S), "SERENDIP_STORE__ROOM": "8MiB",
    **cluster_looks.SETTINGS,
}  # fmt: skip
JUDGED: Final = 6  # calm moments below which flatness has no verdict
GROWTH: Final = {"resident MB": 1.10, "descriptors": 1.10, "files": 1.05, "rows": 1.05, "log KB a minute": 2.0}
SLACK: Final = {"resident MB": 20.0, "descriptors": 30.0, "files": 5.0, "rows": 50.0, "log KB a minute": 100.0}
DOCUMENT: Final = "docs/operate/faults.md"
# The records of chats are kept by design; everything else has to stay flat.
ROWS: Final = """SELECT coalesce(sum((xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM %I', relname),
 false, true, '')))[1]::text::bigint), 0) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
 AND relname !~ '^(chat|party)'"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose duration, load and what is done."""
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--pace", type=float, default=0.2, help="seconds between two lines of a side")
    parser.add_argument("--every", type=float, default=30.0, help="seconds from whole again to the next fault")
    parser.add_argument("--upgrade", type=float, default=600.0, help="seconds between two upgrades")
    parser.add_argument("--only", default="", help="faults by name, separated by commas; default: all, in random order")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help=f"write the table of {DOCUMENT}")


@dataclass(slots=True)
class Event:
    """One fault. Times in monotonic seconds; `whole`: when all was whole again, 0 if it was not in time."""

    name: str
    victim: str
    begun: float
    undone: float
    whole: float


@dataclass(slots=True)
class Run:
    """All that was seen."""

    heard: Heard = field(default_factory=Heard)
    events: list[Event] = field(default_factory=list)
    calm: list[dict[str, float]] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)  # faults that could not be done or undone
    refused: list[str] = field(default_factory=list)
    upgraded: int = 0
    calm_lines: int = 0  # heard behind the last fault
    looks: Looks = field(default_factory=Looks)
    hosts: list[str] = field(default_factory=list)  # their names


class Disks(Cluster):
    """A cluster whose hosts have small disks of their own."""

    def _host(self, name: str, machine: nets.Machine) -> Host:
        host = super()._host(name, machine)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=700", "none", host.data], check=True)
        self._stack.callback(lambda: subprocess.run(["umount", "-l", host.data], check=False))
        (host.data / "keys").mkdir(mode=0o700)
        return host


def main(chosen: argparse.Namespace) -> int:
    """Run it; return 1 if the verdict is bad."""
    if why := nets.lacking():
        print(f"not possible here: {why}", file=sys.stderr)
        return 2
    run = Run()
    with tempfile.TemporaryDirectory(prefix="serendip-soak-") as folder, Disks(Path(folder), 3, **SETTINGS) as cluster:
        asyncio.run(soaked(cluster, chosen, run))
    verdicts = judged(run)
    for name, good in verdicts.items():
        print(f"{'good' if good else 'BAD '} {name}")
    if chosen.write:
        found = {"machine": machine(), "asked": vars(chosen), "events": per_fault(run), "verdicts": verdicts}
        write(found, "faults", ordered=False)
        fill(Path(DOCUMENT), "faults", table(run, chosen, verdicts))
    return 0 if all(verdicts.values()) else 1


async def soaked(cluster: Cluster, chosen: argparse.Namespace, run: Run) -> None:
    """Talk, and do harm, until the time is over."""
    harm, over = Harm(cluster, random.Random(chosen.seed)), asyncio.Event()
    ways = [(host.machine.public, PORT) for host in cluster.hosts]
    async with Balancer(ways, chosen.seed) as balancer:
        talks = [
            asyncio.create_task(meet_and_talk(balancer.url, number, run.heard, chosen.pace, over, once=True))
            for number in range(chosen.pairs)
        ]
        try:
            await harmed(cluster, harm, chosen, run)
            heard = run.heard.lines
            await asyncio.sleep(min(20.0, chosen.every))
            run.calm_lines = run.heard.lines - heard
        finally:
            over.set()
            for task in talks:
                task.cancel()
            ended = await asyncio.gather(*talks, return_exceptions=True)
            run.failed += [repr(error) for error in ended if isinstance(error, Exception)]
    run.refused, run.upgraded = harm.refused, harm.upgraded


async def harmed(cluster: Cluster, harm: Harm, chosen: argparse.Namespace, run: Run) -> None:
    """Do one fault after another, and look at what is used after each."""
    dice, waiting = random.Random(chosen.seed), list[str]()
    kinds = {name: act for name, act in harm.kinds.items() if not chosen.only or name in chosen.only.split(",")}
    begun = time.monotonic()
    end, upgrade = begun + chosen.minutes * 60, begun + chosen.upgrade
    logs = Logs(cluster)
    run.hosts = [host.name for host in cluster.hosts]
    while time.monotonic() < end:
        await asyncio.sleep(chosen.every)
        if time.monotonic() >= upgrade:
            name = "upgrade"
            upgrade += chosen.upgrade
        else:
            if not waiting:
                waiting = dice.sample(list(kinds), len(kinds))
            name = waiting.pop()
        event = await done(name, harm.upgrade if name == "upgrade" else kinds[name], harm, run)
        if not event.whole:
            run.failed.append(f"{name} ({event.victim}): not whole again in time")
            return
        await run.looks.look(cluster, f"look {len(run.events)}")
        run.calm.append(await asyncio.to_thread(used, cluster, logs))
        told = f"{(time.monotonic() - begun) / 60:5.1f} min  {name} ({event.victim}): whole after {event.whole - event.undone:.1f} s"
        print(f"{told}; {run.heard.lines:,} lines, {_wrong(run) or 'nothing wrong'}", file=sys.stderr, flush=True)


async def done(name: str, act: Any, harm: Harm, run: Run) -> Event:
    """Do a fault, undo it, and wait until all is whole."""
    begun, victim = time.monotonic(), ""
    try:
        victim = await act()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is in the verdict
        run.failed.append(f"{name}: {error!r}"[:200])
    event = Event(name, victim, begun, time.monotonic(), 0.0)
    run.events.append(event)
    if await harm.whole():
        event.whole = time.monotonic()
    return event


class Logs:
    """Growth of the hosts' logs, over restarts of hosts, which begin a new one."""

    def __init__(self, cluster: Cluster) -> None:
        self._files = [host.folder / "log" for host in cluster.hosts]
        self._sizes = [0] * len(self._files)
        self._at = time.monotonic()

    def kb_a_minute(self) -> float:
        """Return the growth since the last call."""
        now, sizes = time.monotonic(), [file.stat().st_size if file.exists() else 0 for file in self._files]
        grown = sum(new - old if new >= old else new for new, old in zip(sizes, self._sizes, strict=True))
        minutes, self._sizes, self._at = (now - self._at) / 60, sizes, now
        return grown / 1e3 / max(minutes, 0.01)


def used(cluster: Cluster, logs: Logs) -> dict[str, float]:
    """Return what all hosts use now, and the machine's load average."""
    resident = descriptors = files = 0
    for host in cluster.hosts:
        for pid in pids_of(host.machine.name):
            with suppress(OSError):
                resident += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
                descriptors += len(os.listdir(f"/proc/{pid}/fd"))
        files += sum(1 for path in host.folder.rglob("*") if path.is_file())
    return {
        "resident MB": resident / 1e6, "descriptors": descriptors, "files": files,
        "rows": float(cluster.postgres.sql(ROWS)), "log KB a minute": logs.kb_a_minute(), "load": os.getloadavg()[0],
    }  # fmt: skip


def within(moment: float, run: Run) -> bool:
    """Return whether a moment is within a fault, or in the time after it in which its consequences are heard."""
    return any(event.begun <= moment <= (event.whole or float("inf")) + GRACE_S for event in run.events)


def judged(run: Run) -> dict[str, bool]:
    """Return the verdicts."""
    heard = run.heard
    apart = [name for when, name in heard.when if name not in NEVER and not within(when, run)]
    drops, ends = ([when for when in times if not within(when, run)] for times in (heard.drops, heard.ends))
    never = ", ".join(f"{heard.faults[name]} {name}" for name in NEVER)
    verdicts = {
        f"{heard.lines:,} lines in {heard.chats:,} whole chats: {never}": heard.lines > 0
        and not any(heard.faults[name] for name in NEVER),
        f"{len(run.events)} faults; not done or not whole again: {run.failed}": bool(run.events) and not run.failed,
        f"{len(heard.drops)} connections dropped, {len(drops)} of them apart from a fault": not drops,
        f"{len(heard.ends)} ends of chats heard, {len(ends)} of them apart from a fault": not ends,
        f"two who did not meet, silence, half an end, apart from a fault: {apart}": not apart,
        f"{run.upgraded} upgrades, refused: {run.refused}": not run.refused,
        f"{run.calm_lines:,} lines heard behind the last fault": run.calm_lines > 0,
    }
    return verdicts | run.looks.verdicts(run.hosts) | flat(run.calm)


def flat(calm: list[dict[str, float]]) -> dict[str, bool]:
    """Return a verdict for each thing that is used: the last third against the middle third. Too few moments have no verdict."""
    if len(calm) < JUDGED:
        return {}
    third = len(calm) // 3
    found = {}
    for name, growth in GROWTH.items():
        middle, last = (fmean(one[name] for one in part) for part in (calm[third:-third], calm[-third:]))
        found[f"{name}: {middle:,.0f} in the middle, {last:,.0f} at the end"] = last <= middle * growth + SLACK[name]
    return found


def _wrong(run: Run) -> dict[str, int]:
    return {name: count for name, count in run.heard.faults.items() if count}


def per_fault(run: Run) -> dict[str, dict[str, float]]:
    """Return, by fault: how often, the longest recovery, and the chats and connections that ended around it."""
    found: dict[str, dict[str, float]] = {}
    for event, until in _windows(run):
        row = found.setdefault(event.name, {"times": 0, "longest_s": 0.0, "ends": 0, "drops": 0})
        row["times"] += 1
        row["longest_s"] = max(row["longest_s"], round(event.whole - event.undone, 1))
        row["ends"] += sum(event.begun <= when < until for when in run.heard.ends)
        row["drops"] += sum(event.begun <= when < until for when in run.heard.drops)
    return found


def _windows(run: Run) -> Iterator[tuple[Event, float]]:
    """Yield each fault with the time of the next."""
    later = [event.begun for event in run.events[1:]]
    yield from zip(run.events, [*later, float("inf")], strict=True)


def loaded(run: Run) -> list[str]:
    """Return the line about the machine; nothing before the first calm moment."""
    loads = [calm["load"] for calm in run.calm]
    return (
        [f"{os.cpu_count()} cores; load average {min(loads):.0f} to {max(loads):.0f} meanwhile.", ""] if loads else []
    )


def table(run: Run, chosen: argparse.Namespace, verdicts: dict[str, bool]) -> str:
    """Return the table of the document."""
    minutes = f"{chosen.minutes:g}"
    lines = [
        f"`python -m bench faults --minutes {minutes} --pairs {chosen.pairs} --every {chosen.every:g} --upgrade {chosen.upgrade:g}`",
        "",
        *loaded(run),
        "| fault | times | whole again, longest | chats that ended | connections that dropped |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, row in sorted(per_fault(run).items()):
        lines.append(
            f"| {name} | {row['times']:.0f} | {row['longest_s']:.0f} s | {row['ends']:.0f} | {row['drops']:.0f} |"
        )
    lines += ["", *(f"- {'good' if good else '**bad**'}: {name}" for name, good in verdicts.items())]
    return "\n".join([*lines, ""])
