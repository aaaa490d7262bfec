"""Measure screening of lines: the relay with it and without, delay of a detection, cost of the program.

    python -m bench screening [--seconds N] [--rounds N] [--keep]

Two servers at once, one with screening and one without, get the same load in turn, in slices, each pair of slices in the other order: noise of the
machine hits both. The figure is the median over all pairs, the CPU of all processes of a server. A detection's delay is from writing the line into
shared memory until the server receives the detection; for that the program has a core to itself.

The share of lines that are read at FULL_RATE is measured twice: the program has a core to itself, and it shares one with a program that takes all
that it gets. Goals: at most 2 % more CPU per message, 99 of 100 detections within 250 ms, no line dropped, 10 µs per line, 80 MB; all lines read on a
free core, and 95 of 100 on a full one.
"""

import argparse
import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bench.attacks.bystanders import in_ms
from bench.load import generator
from bench.server.chat_cpu import scraped
from bench.server.servers import SERENDIP, Running, running
from bench.server.sieve_program import LINES
from bench.support.documents import fill, table
from bench.support.machine import machine
from bench.support.process_inspection import family, listed, resident, spent
from bench.support.results import ROOT, write
from bench.support.serving import LOAD_CPU, SERVER_CPU
from server.ops.config.settings import Screening
from server.trust.screening.screening_client import Finding, Screener

RATE: Final = 20_000  # lines a second
USUAL: Final = (2.0, 4)  # seconds of a slice, rounds
SLICES: Final = 6  # of each server, a round
CLIENTS: Final = 200
REST: Final = CLIENTS / 2 / RATE * 1e3  # ms that each rests before it answers
TICK: Final = 0.005  # seconds between two handfuls of lines
MARKED: Final = 100  # one line in so many is found
VERDICTS: Final = 10.0  # seconds of them
PATIENCE: Final = 120.0
FULL_RATE: Final = 80_000  # lines a second of a server whose core is full
COST, LATE, EACH, MEMORY = 1.02, 250.0, 10.0, 80.0  # the goals: times, ms, us, MB
FREE, FULL = 0.999, 0.95  # the shares of lines that are read
FOUND: Final = b"my snap"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose duration, rounds, and whether to keep the result."""
    parser.add_argument("--seconds", type=float, default=USUAL[0], help="of a slice")
    parser.add_argument("--rounds", type=int, default=USUAL[1], help="pairs of servers, one after the other")
    parser.add_argument("--keep", action="store_true", help="keep the results, and the table of the document")


def main(chosen: argparse.Namespace) -> int:
    """Measure, and print the table; return 1 if a goal is missed."""
    about = machine()
    row: dict[str, Any] = relay(chosen.seconds, chosen.rounds)
    row |= asyncio.run(verdicts(RATE, min(VERDICTS, 5 * chosen.seconds)))
    for name, busy in (("free", False), ("full", True)):
        row |= {
            f"{name}_{key}": value for key, value in asyncio.run(share(FULL_RATE, 5 * chosen.seconds, busy)).items()
        }
    print(lines(row))
    missed = faults(row)
    print(f"missed: {', '.join(missed)}" if missed else "every goal is met")
    if chosen.keep:
        write({"machine": about, "seconds": chosen.seconds, "rounds": chosen.rounds, **row}, "screening", ordered=False)
        told = f"Medians of {chosen.rounds * SLICES} pairs of {chosen.seconds:g} s; load before: {about['load']:.1f}.\n"
        fill(ROOT / "docs" / "performance.md", "screening", f"{lines(row)}\n{told}")
    return 1 if missed else 0


def relay(seconds: float, rounds: int) -> dict[str, Any]:
    """Return the CPU per message of both servers, and the median of their ratio."""
    found: list[tuple[float, float]] = []
    dropped = looked = 0.0
    for _ in range(rounds):
        with (
            running(SERENDIP, SERENDIP_SCREENING__TEXT="off") as without,
            running(SERENDIP, SERENDIP_SCREENING__TEXT="all") as screened,
        ):
            aside(screened.pid)
            for turn in range(SLICES):
                order = (without, screened) if turn % 2 else (screened, without)
                costs = {server.pid: sliced(server, seconds) for server in order}
                found.append((costs[without.pid], costs[screened.pid]))
            metrics = scraped(screened.metrics)
            dropped += metrics["serendip_screening_dropped_total"]
            looked += metrics["serendip_screening_lines_total"]
    return {
        "without_us": round(statistics.median(cost for cost, _ in found), 3),
        "screened_us": round(statistics.median(cost for _, cost in found), 3),
        "times": round(statistics.median(more / cost for cost, more in found), 4),
        "pairs": found,
        "relay_lines": int(looked),
        "relay_dropped": int(dropped),
    }


def sliced(server: Running, seconds: float) -> float:
    """Return microseconds of CPU per message, at RATE messages a second."""
    words = ["relay", "-n", str(CLIENTS), "-z", f"{REST:g}", "-P", listed(server.pid), "-t", str(seconds)]
    cost: float = generator.ended(generator.start(words, server.port, ("taskset", "-c", LOAD_CPU)))["cpu_s_per_M"]
    return cost


def aside(pid: int) -> None:
    """Bind the programs beside a server to the load's core, so that they take nothing of the server's."""
    for child in family(pid)[1:]:
        os.sched_setaffinity(child, {int(LOAD_CPU)})


@contextlib.asynccontextmanager
async def screener_on(core: str, found: Callable[[Sequence[Finding]], None]) -> AsyncIterator[Screener]:
    """Run a screening process on a core, beside which this process writes lines on another."""
    cores = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory(prefix="serendip-bench-") as folder:
        screener = Screener("bench", Screening(), Path(folder), found)
        task = asyncio.create_task(screener.run())
        try:
            async with asyncio.timeout(PATIENCE):
                while screener.reading()["serendip_screening_up"] != {("bench",): 1}:  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.01)
            os.sched_setaffinity(screener.pid, {int(core)} & cores or cores)
            os.sched_setaffinity(0, {int(LOAD_CPU)} & cores or cores)
            yield screener
        finally:
            os.sched_setaffinity(0, cores)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            screener.close()


def spinning() -> subprocess.Popen[bytes]:
    """Start a program that takes all of the server's core that it gets."""
    return subprocess.Popen(["taskset", "-c", SERVER_CPU, sys.executable, "-c", "while True: pass"])


async def share(rate: int, seconds: float, busy: bool) -> dict[str, float]:
    """Return the share of lines that were read, the program's microseconds of CPU for each, and the seconds for which it read on after the last
    one (up to one of them is the time of its report). `busy`: another program of usual priority uses its core up.
    """
    async with screener_on(SERVER_CPU, lambda _: None) as screener:
        beside = spinning() if busy else None
        try:
            used = spent(screener.pid)
            count = await speak(screener, {}, rate, seconds)
            end = time.perf_counter()
            async with asyncio.timeout(PATIENCE):
                while read_of(screener) + skipped_of(screener) != count - screener.tap.dropped:  # noqa: ASYNC110 - another process
                    await asyncio.sleep(0.01)
            used = spent(screener.pid) - used
        finally:
            if beside is not None:
                beside.kill()
                beside.wait()
        read = read_of(screener)
        return {
            "rate": count / seconds, "read": round(read / count, 4), "modelled": round(1 - unmodelled_of(screener) / read, 4),
            "line_us": round(used / read * 1e6, 3), "behind_s": round(time.perf_counter() - end, 2),
        }  # fmt: skip


async def verdicts(rate: int, seconds: float) -> dict[str, Any]:
    """Return the delay of detections at a rate of lines, dropped lines, and the program's cost."""
    said: dict[int, float] = {}
    waits: list[float] = []

    def found(some: Sequence[Finding]) -> None:
        for _, _, number, _, _ in some:
            if number in said:  # a line may be found by two rules
                waits.append(time.perf_counter() - said.pop(number))

    async with screener_on(SERVER_CPU, found) as screener:
        used = spent(screener.pid)
        count = await speak(screener, said, rate, seconds)
        async with asyncio.timeout(PATIENCE):
            while said or read_of(screener) != count - screener.tap.dropped:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.01)
        taken = count - screener.tap.dropped
        return {
            "rate": rate, "lines": count, "dropped": screener.tap.dropped, "verdicts": len(waits),
            "verdict_p50_ms": in_ms(waits, 0.5), "verdict_p99_ms": in_ms(waits, 0.99),
            "line_us": round((spent(screener.pid) - used) / taken * 1e6, 2), "rss_mb": round(resident(screener.pid) / 1e6, 1),
        }  # fmt: skip


def read_of(screener: Screener) -> int:
    """Return the lines that were read, as it said last."""
    return counter(screener, "serendip_screening_lines")


def skipped_of(screener: Screener) -> int:
    """Return the lines that cost too much together."""
    return counter(screener, "serendip_screening_skipped", "line")


def unmodelled_of(screener: Screener) -> int:
    """Return the lines that the model did not read."""
    return counter(screener, "serendip_screening_skipped", "model")


def counter(screener: Screener, name: str, label: str = "") -> int:
    """Return a counter of its metrics."""
    found = screener.reading()[name]
    value = found[(label,)] if isinstance(found, Mapping) else found
    return int(value) if isinstance(value, int | float) else 0


async def speak(screener: Screener, said: dict[int, float], rate: int, seconds: float) -> int:
    """Write lines at a rate, in handfuls; one in MARKED matches a rule, and its time is put into `said`. Return their number."""
    number, start = 0, time.perf_counter()
    for turn in range(int(seconds / TICK)):
        await asyncio.sleep(max(0.0, start + turn * TICK - time.perf_counter()))
        for _ in range(int(rate * TICK)):
            number += 1
            marked = number % MARKED == 0
            text = FOUND if marked else LINES[number % len(LINES)]
            if screener.tap.put(number % 5_000, number & 1, number, time.time(), text) and marked:
                said[number] = time.perf_counter()
    return number


def faults(row: dict[str, Any]) -> list[str]:
    """Return the missed goals."""
    bad = {
        "relay": row["times"] > COST,
        "dropped": row["dropped"] > 0 or row["relay_dropped"] > 0,
        "verdict": row["verdict_p99_ms"] > LATE,
        "line": row["line_us"] > EACH,
        "memory": row["rss_mb"] > MEMORY,
        "free core": row["free_read"] < FREE,
        "full core": row["full_read"] < FULL,
    }
    return [name for name, missed in bad.items() if missed]


def lines(row: dict[str, Any]) -> str:
    """Return the figures as a table of Markdown."""
    return table(
        (
            "relay, CPU µs a message: off, on",
            "more",
            "verdict p50, p99 ms",
            "dropped",
            "µs a line",
            "RSS MB",
            f"read at {FULL_RATE:,} lines/s: free core, full core",
            "by the model, too",
        ),
        [
            (
                f"{row['without_us']:.2f} / {row['screened_us']:.2f}",
                f"{(row['times'] - 1) * 100:+.2f} %",
                f"{row['verdict_p50_ms']:,} / {row['verdict_p99_ms']:,}",
                f"{row['dropped'] + row['relay_dropped']:,} of {row['lines'] + row['relay_lines']:,}",
                f"{row['line_us']}",
                f"{row['rss_mb']}",
                f"{row['free_read']:.1%} ({row['free_line_us']} µs each), {row['full_read']:.1%} ({row['full_line_us']} µs)",
                f"{row['free_modelled']:.0%}, {row['full_modelled']:.0%}",
            )
        ],
    )
