"""Soak the server: churn, chats, cuts and slow readers; plot memory, descriptors and lag, and give a verdict.

Memory counts from the end of the warm-up: until then SQLite fills its page cache (16 MB a connection) and allocators find their size. In the last
fifth of the time after it, memory may not be 2 % above that of the first fifth. The number of sockets returns to that of the start, no generator
found an error (a message lost, doubled, changed or foreign), and the loop's lag is bounded.
"""

import argparse
import asyncio
import time
import urllib.request
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.load import generator
from bench.load.misbehaving_clients import rudeness
from bench.support.machine import machine
from bench.support.plots import pyplot, save
from bench.support.process_inspection import free_port, resident
from bench.support.results import write
from bench.support.serving import LOAD_CPU, SERVER_CPU, Serving

WARM = 90.0  # seconds of warm-up; a third of a run shorter than four and a half minutes
SLOPE = 0.02  # share that resident memory may grow from the first fifth after the warm-up to the last
FILES = 12  # more than at rest: SQLAlchemy keeps up to five connections to SQLite, each with its database and WAL
LAG = 0.05  # seconds: mean lateness of the loop beside this load
PATIENCE = 30.0  # seconds for graces to end, sockets to close and records to be written


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose the duration."""
    parser.add_argument("--minutes", type=float, default=30.0)


def main(chosen: argparse.Namespace) -> int:
    """Run it; return 1 if the verdict is bad."""
    seconds, metrics = chosen.minutes * 60, free_port()
    looks: list[dict[str, float]] = []
    settings = {
        "SERENDIP_METRICS__ENABLED": "true",
        "SERENDIP_METRICS__PORT": str(metrics),
        "SERENDIP_SESSION__GRACE": "5",
    }
    with Serving(core=SERVER_CPU, **settings) as server:
        pid, port = server.pid, server.port
        # The store opens its connections with the first chats: what it keeps is no leak.
        generator.ended(generator.start(["chat", "-n", "20", "-t", "1"], port))
        at_rest = settled(pid, metrics, empty)
        loads = [
            generator.start([*words, "-t", str(seconds), "-c", "4"], port, ("taskset", "-c", LOAD_CPU))
            for words in (("relay", "-n", "200"), ("chat", "-n", "20"))
        ]
        rude = asyncio.run(rudeness(port, seconds, lambda: looks.append(look(pid, metrics))))
        results = [generator.figures(process) for process in loads]
        after = settled(pid, metrics, lambda at: empty(at) and at["sockets"] <= at_rest["sockets"])
    verdicts = judged(at_rest, warmed(looks, seconds), after, results, rude)
    document: dict[str, Any] = {
        "machine": machine(),
        "seconds": seconds,
        "warm": warm_up(seconds),
        "at_rest": at_rest,
        "after": after,
        "looks": looks[:: max(1, len(looks) // 300)],
        "loads": results,
        "rude": rude,
        "verdicts": verdicts,
    }
    write(document, "soak")
    plot(looks, warm_up(seconds))
    for name, good in verdicts.items():
        print(f"{'good' if good else 'BAD '} {name}")
    return 0 if all(verdicts.values()) else 1


def settled(pid: int, metrics: int, condition: Callable[[dict[str, float]], bool]) -> dict[str, float]:
    """Return the first sample at which `condition` holds; the last one if that takes longer than PATIENCE."""
    end = time.monotonic() + PATIENCE
    while not condition(at := look(pid, metrics)) and time.monotonic() < end:
        time.sleep(0.2)  # a poll: another process has no event for us
    return at


def empty(at: dict[str, float]) -> bool:
    """Whether no session is left and all records are written."""
    return at["connections"] == at["sessions"] == at["records"] == 0


def look(pid: int, metrics: int) -> dict[str, float]:
    """Return a sample: memory, descriptors, sessions, lag."""
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics}/metrics", timeout=10) as answer:
        lines = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if not line.startswith("#"))
    sockets, files = descriptors(pid)
    return {
        "time": time.monotonic(),
        "resident": resident(pid),
        "sockets": sockets,
        "files": files,
        "connections": float(lines["serendip_connections"]),
        "sessions": sum(float(value) for name, value in lines.items() if name.startswith("serendip_sessions{")),
        "records": float(lines["serendip_store_waiting"]),
        "lag_sum": float(lines['serendip_loop_lag_seconds_sum{process="server"}']),
        "lag_count": float(lines['serendip_loop_lag_seconds_count{process="server"}']),
    }


def descriptors(pid: int) -> tuple[int, int]:
    """Return (sockets, other descriptors) of a process."""
    sockets = others = 0
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            if str(entry.readlink()).startswith("socket:"):
                sockets += 1
            else:
                others += 1
        except FileNotFoundError:
            continue  # closed since
    return sockets, others


def warm_up(seconds: float) -> float:
    """Return the seconds of a run that are not judged."""
    return min(WARM, seconds / 3)


def warmed(looks: list[dict[str, float]], seconds: float) -> list[dict[str, float]]:
    """Return the samples after the warm-up."""
    return [at for at in looks if at["time"] - looks[0]["time"] >= warm_up(seconds)] or looks[-1:]


def judged(
    at_rest: dict[str, float],
    looks: list[dict[str, float]],
    after: dict[str, float],
    results: list[dict[str, Any]],
    rude: dict[str, int],
) -> dict[str, bool]:
    """Return the verdicts. `looks`: samples after the warm-up."""
    fifth = max(1, len(looks) // 5)
    early = sum(at["resident"] for at in looks[:fifth]) / fifth
    late = sum(at["resident"] for at in looks[-fifth:]) / fifth
    wrong = sum(rude[name] for name in ("lost", "doubled", "disordered", "ended"))
    lag = (after["lag_sum"] - at_rest["lag_sum"]) / max(1.0, after["lag_count"] - at_rest["lag_count"])
    return {
        f"resident memory {early / 1e6:.1f} MB early, {late / 1e6:.1f} MB late": late <= early * (1 + SLOPE),
        f"sockets {at_rest['sockets']} before, {after['sockets']} after": after["sockets"] <= at_rest["sockets"],
        f"other descriptors {at_rest['files']} before, {after['files']} after": after["files"]
        <= at_rest["files"] + FILES,
        f"sessions left: {after['sessions']:.0f}": after["sessions"] == 0,
        f"errors of the generators: {[result['errors'] for result in results]}": all(
            result["errors"] == 0 for result in results
        ),
        f"{rude['numbered']:,} lines over {rude['cut']:,} cuts, {wrong} lost, doubled or out of order": wrong == 0
        and rude["numbered"] > 0,
        f"mean lag of the loop {lag * 1e3:.2f} ms": lag < LAG,
    }


def plot(looks: list[dict[str, float]], warm: float) -> None:
    """Plot memory, descriptors and lag over time; the warm-up is grey."""
    plt = pyplot()
    figure, axes = plt.subplots(3, 1, figsize=(8, 6), sharex=True)
    start = looks[0]["time"]
    minutes = [(at["time"] - start) / 60 for at in looks]
    axes[0].plot(minutes, [at["resident"] / 1e6 for at in looks], color="#d6336c")
    axes[0].set_ylabel("resident MB")
    axes[1].plot(minutes, [at["sockets"] + at["files"] for at in looks])
    axes[1].set_ylabel("descriptors")
    lags = [0.0] + [
        1e3 * (b["lag_sum"] - a["lag_sum"]) / max(1.0, b["lag_count"] - a["lag_count"]) for a, b in pairwise(looks)
    ]
    axes[2].plot(minutes, lags)
    axes[2].set_ylabel("mean lag, ms")
    axes[2].set_xlabel("minutes")
    for axis in axes[:2]:
        axis.set_ylim(bottom=0)
    for axis in axes:
        axis.axvspan(0, warm / 60, color="#f1f3f5")
    save(figure, "soak")
