"""Measure two workers against one process, under the same load in turn, over several rounds, by CPU time.

    python -m bench workers --rounds 5 --keep

If the load needs cores of its own, the throughput of two workers cannot be seen here. The CPU of a message, and of a chat, in each process can:
each process fills at most one core. So what two workers carry beside one process follows from the busiest process: one core per worker, hub and
frontend on the rest. `wall` is the throughput that this machine reached anyway, without the load's own share. No process is bound to a processor.
A run with an error ends all.
"""

import argparse
import json
import os
import statistics
import sys
from typing import Any, Final, NamedTuple

import uvloop

from bench.load import generator
from bench.server import match_time
from bench.support.documents import fill, short, table
from bench.support.machine import machine
from bench.support.process_inspection import family, memory, settled
from bench.support.results import ROOT, write
from bench.support.serving import Serving

WORKERS: Final = 2
HUB: Final = "hub"
FRONTEND: Final = "frontend"
BESIDE: Final = "beside"  # all others: those that screen lines, and the supervisor


class Load(NamedTuple):
    """`words` of the generator; `unit`: its unit of work; `kept`: with a store."""

    name: str
    words: tuple[str, ...]
    unit: str
    said: str
    kept: bool = False


LOADS: Final = (
    Load("relay", ("relay", "-n", "2000"), "messages", "messages: 1,000 pairs, one on the way"),
    Load("pipelined", ("relay", "-n", "200", "-d", "16"), "messages", "messages: 100 pairs, 16 on the way"),
    Load("chats", ("chat", "-n", "400", "-k"), "chats", "chats of strangers, on open connections"),
    Load("chats kept", ("chat", "-n", "400", "-k"), "chats", "the same with a store", kept=True),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose how much to measure."""
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each run")
    parser.add_argument("--only", default="", help="loads, with commas; `meeting` and `memory` are two")
    parser.add_argument("--connected", type=int, default=10_000, help="people beside those who meet")
    parser.add_argument("--messages", type=int, default=20_000, help="a second, beside those who meet")
    parser.add_argument("--keep", action="store_true", help="write bench/results/workers.json and its table")


def main(chosen: argparse.Namespace) -> int:
    """Measure; the table on standard output."""
    only = tuple(name for name in chosen.only.split(",") if name)
    found: dict[str, Any] = {"machine": machine(), "rounds": chosen.rounds, "seconds": chosen.seconds, "loads": {}}
    for load in LOADS:
        if not only or load.name in only:
            found["loads"][load.name] = compared(load, chosen.rounds, chosen.seconds)
    if not only or "meeting" in only:
        found["meeting"] = met(chosen.connected, chosen.messages, chosen.seconds)
    if not only or "memory" in only:
        found["memory"] = held()
    if not chosen.keep:
        print(json.dumps(found, indent=1))
    else:
        write(found, "workers", ordered=False)
        fill(ROOT / "docs" / "performance.md", "workers", lines(found))
    print(lines(found))
    return 0


def compared(load: Load, rounds: int, seconds: float) -> dict[str, Any]:
    """Return one load over both, and the gain of two workers: medians of the rounds, and their spread."""
    runs = [(run(load, 1, seconds), run(load, WORKERS, seconds)) for _ in range(rounds)]
    found: dict[str, Any] = {}
    for name in ("capacity", "cpu", "wall"):
        ratios = sorted(two[name] / one[name] for one, two in runs)
        found[name] = statistics.median(ratios)
        found[f"{name}_spread"] = [ratios[0], ratios[-1]]
    for at, name in enumerate(("one", "two")):
        found[name] = {key: statistics.median(pair[at][key] for pair in runs) for key in runs[0][at]}
    print(f"{load.name:12} {found['capacity']:.2f} x capacity, {found['cpu']:.2f} x CPU", file=sys.stderr, flush=True)
    return found


def run(load: Load, workers: int, seconds: float) -> dict[str, float]:
    """Run once: `cpu`, microseconds of all processes per unit; of hub, of frontend, and of those beside them; `capacity`, units a second; `wall`."""
    settings = {"SERENDIP_SESSION__GRACE": "0", "SERENDIP_STORE__ENABLED": str(load.kept).lower()}
    if workers > 1:
        settings["SERENDIP_WORKERS"] = str(workers)
    with Serving(**settings) as server:
        names = [*server.processes] or ["server"]
        pids = [*server.processes.values()] or [server.pid]
        beside = [pid for pid in family(server.pid) if pid not in pids]
        listed = ",".join(map(str, [*pids, *beside]))
        figures = generator.ended(
            generator.start([*load.words, "-P", listed, "-t", str(seconds), "-w", "1"], server.port)
        )
    rate = figures[f"{load.unit}_s"]
    if not rate:
        raise RuntimeError("nothing came in the time that was measured")
    shares = figures["cpus"]
    cost = {name: share / rate for name, share in zip(names, shares, strict=False)}  # core seconds a unit
    fullest = max(cost.values())
    cost[BESIDE] = sum(shares[len(names) :]) / rate
    return {
        "wall": rate,
        "cpu": sum(cost.values()) * 1e6,
        "hub": cost.get(HUB, 0.0) * 1e6,
        "frontend": cost.get(FRONTEND, 0.0) * 1e6,
        "beside": cost[BESIDE] * 1e6,
        "capacity": min(1 / fullest, workers / sum(cost.values())),
    }


def met(connected: int, messages: int, seconds: float) -> dict[str, Any]:
    """Return the time from `find` to `matched` beside talking users, for both."""
    found = {}
    for name, workers in (("one", 1), ("two", WORKERS)):
        with Serving(SERENDIP_WORKERS=str(workers)) as server:
            found[name] = uvloop.run(match_time.measure(server, connected, messages, seconds))
    return found


def held() -> dict[str, float]:
    """Return MB of each process of a newly started host, shared pages divided among them."""
    with Serving(SERENDIP_WORKERS=str(WORKERS)) as server:
        for pid in server.processes.values():
            settled(pid)
        return {name: round(memory(pid) / 1e6, 1) for name, pid in server.processes.items()}


def lines(found: dict[str, Any]) -> str:
    """Return the table of the documents."""
    rows = []
    for load in LOADS:
        if (figures := found["loads"].get(load.name)) is None:
            continue
        low, high = figures["capacity_spread"]
        two = figures["two"]
        rows.append(
            (
                load.said,
                f"{figures['capacity']:.2f} ({low:.2f} to {high:.2f})",
                f"{short(figures['one']['cpu'])} → {short(two['cpu'])}",
                f"{short(two['hub'])}, {short(two['frontend'])}, {short(two.get('beside', 0.0))}",
            )
        )
    head = ("", "two workers carry, × one process", "CPU of all processes, µs each", "of it hub, frontend, screening")
    text = table(head, rows)
    if "meeting" in found:
        one, two = (found["meeting"][name]["busy"] for name in ("one", "two"))
        beside = found["meeting"]["two"]["messages_s"]
        text += (
            f"\nFrom `find` to `matched` beside {beside:,.0f} messages a second: p50 {two['p50_ms']} ms, p99 {two['p99_ms']} ms "
            f"with two workers, {one['p50_ms']} and {one['p99_ms']} ms with one process, the load on the same {os.cpu_count()} cores.\n"
        )
    if "memory" in found:
        text += f"\nMemory after the start, in MB: {', '.join(f'{name} {size:.1f}' for name, size in found['memory'].items())}.\n"
    return text
