"""Measure the cost of migrating a session: CPU and instructions of both sides, for idle, waiting, matched and chatting users.

    python -m bench moves [--quick] [--keep]

The code that migrates is the service's own (`bench.moves.migration_rig`); a session that is missing at the end, or does not answer, fails the run.
Time is the CPU time of this process, which is both sides', with the kernel's part; instructions are callgrind's, of the same migrations, without
the kernel's. A chat is two users, so "alone" means a pair.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, Final

import uvloop

from bench.moves import migration_rig
from bench.moves.migration_rig import BATCHES, KINDS
from bench.support import callgrind
from bench.support.c_programs import BUILD
from bench.support.documents import fill, short, table
from bench.support.machine import machine
from bench.support.results import ROOT, write

TO_REACH: Final = 20.0  # microseconds a person, both sides
COUNT: Final = 96  # people of a case
ROUNDS: Final = (40, 12)  # of a case, in which each goes to and fro; with `--quick`
TURNS: Final = 3  # times that each case is measured, in turn
COUNTED: Final = 2  # rounds under callgrind


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose how much to measure."""
    parser.add_argument("--quick", action="store_true", help="a third of the rounds")
    parser.add_argument(
        "--clock", action="store_true", help="microseconds alone; without: instructions too, by callgrind"
    )
    parser.add_argument(
        "--keep", action="store_true", help="write bench/results/moves.json and the table of the document"
    )


def main(chosen: argparse.Namespace) -> int:
    """Measure, and print the table."""
    if not chosen.clock and shutil.which("valgrind") is None:
        raise SystemExit("missing: valgrind. Get it: apt-get install valgrind")
    before = machine()
    found = {
        "machine": before,
        "people": COUNT,
        "us": clocked(COUNT, ROUNDS[chosen.quick], TURNS),
        "instructions": {} if chosen.clock else instructions(COUNT, COUNTED),
    }
    print(lines(found))
    if chosen.keep:
        write(found, "moves", ordered=False)
        fill(ROOT / "docs" / "performance.md", "moves", lines(found))
    return 0


def clocked(count: int, rounds: int, turns: int) -> dict[str, dict[str, list[float]]]:
    """Return microseconds per user, by kind and batch: the quartiles of all rounds."""
    found: dict[tuple[str, str], list[float]] = {(kind, batch): [] for kind in KINDS for batch in BATCHES}
    for _ in range(turns):
        for (kind, batch), costs in found.items():
            costs += uvloop.run(migration_rig.clocked(kind, count, BATCHES[batch], rounds))
    quartiles = {case: [round(cost, 2) for cost in statistics.quantiles(costs, n=4)] for case, costs in found.items()}
    return {kind: {batch: quartiles[kind, batch] for batch in BATCHES} for kind in KINDS}


def instructions(count: int, rounds: int) -> dict[str, dict[str, float]]:
    """Return the same in instructions; a count has nearly no noise, so there is one."""
    out = BUILD / "moves.out"
    BUILD.mkdir(parents=True, exist_ok=True)
    for old in BUILD.glob(f"{out.name}*"):
        old.unlink()
    cases = [(kind, batch) for kind in KINDS for batch in BATCHES]
    asked = [(kind, BATCHES[batch]) for kind, batch in cases]
    program = f"import uvloop; from bench.moves.migration_rig import counted; uvloop.run(counted({asked!r}, {count}, {rounds}))"
    command = [
        "valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--instr-atstart=no", sys.executable, "-c", program,
    ]  # fmt: skip
    found: dict[str, dict[str, float]] = {kind: {} for kind in KINDS}
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        for number, (kind, batch) in enumerate(cases, 1):
            callgrind.await_word(child, "ready")
            callgrind.switch(child.pid, "on")
            callgrind.go_on(child)
            callgrind.await_word(child, "over")
            callgrind.switch(child.pid, "off")
            callgrind.dump(child.pid)
            total = callgrind.total(out.with_name(f"{out.name}.{number}"))
            found[kind][batch] = round(total / (2 * count * rounds))
            callgrind.go_on(child)
    return found


def lines(found: Mapping[str, Any]) -> str:
    """Return the table and its conditions."""
    rows = []
    for kind, by_batch in found["us"].items():
        cells: list[str] = []
        for batch, (low, middle, high) in by_batch.items():
            count = found["instructions"].get(kind, {}).get(batch)
            cells += [
                f"{short(middle)} ({short(low)} to {short(high)})",
                "" if count is None else f"{count / 1000:.1f}",
            ]
        rows.append([kind, *cells])
    head = ["who moves", *(cell for batch in BATCHES for cell in (f"{batch}: µs", "1,000 instructions"))]
    on = found["machine"]
    return (
        f"{table(head, rows)}\n`python -m bench moves`: CPU of both processes a person, the kernel's part included; medians and quartiles of rounds "
        f"in which {found['people']} people go to and fro, {TURNS} times in turn. To reach: {TO_REACH:.0f} µs. Instructions by callgrind, without "
        f"the kernel's. {on['cpu']}, {on['cores']} cores; {on['interpreter']}, a turn of a plain loop {on['loop_ns']:.0f} ns; "
        f"load before: {on['load']:.1f}; {on['date']}.\n"
    )
