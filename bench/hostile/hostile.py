"""Measure hostile scripts beside fifty chatting pairs: the defence that stops each, its cost to the server, its effect on the pairs.

    python -m bench hostile [--only NAME] [--seconds N] [--rounds N] [--keep]

In each round the pairs talk alone, then for as long beside the script, on a new server; verdicts are over the medians of all rounds. The 99th
percentile of line times may exceed that of the pairs alone by a fifth plus GRACE; no line may be lost, and no pair may be refused anything. Limits
and challenges are the defaults; the server has one core, all others another: the pairs come first, if the system allows it, the script is a process
of its own at a lower priority. Without that precedence the bench measures itself: a line waits for the end of the script's slice, up to 4 ms.
"""

import argparse
import asyncio
import gc
import multiprocessing
import os
import statistics
import time
from multiprocessing.queues import Queue
from typing import Any, Final

from bench.attacks.bystanders import in_ms
from bench.hostile.scripts import SCRIPTS, Ground
from bench.hostile.talking_pairs import MANY, Pairs
from bench.support.documents import fill, table
from bench.support.machine import machine
from bench.support.precedence import ahead
from bench.support.results import ROOT, write
from bench.support.serving import LOAD_CPU, SERVER_CPU, Serving

WITHIN: Final = 1.2  # times the p99 of the pairs alone
GRACE: Final = 0.5  # ms: what a p99 of this size moves by itself
USUAL: Final = (4.0, 3)  # seconds of each phase, rounds
PATIENCE: Final = 40.0  # seconds for the script's process
SETTINGS: Final = {"SERENDIP_LIMITS__ENABLED": "true", "SERENDIP_SERVER__DRAIN": "1", "SERENDIP_SESSION__GRACE": "2"}
COLUMNS: Final = (
    "who", "tried", "got through", "stopped by", "first after", "server CPU ms a second, alone, beside", "line p99 ms, alone, beside", "lost", "",
)  # fmt: skip
Row = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose scripts, duration, rounds, and whether to keep the result."""
    parser.add_argument("--only", action="append", choices=SCRIPTS, metavar="NAME", help=f"of: {', '.join(SCRIPTS)}")
    parser.add_argument("--seconds", type=float, default=USUAL[0], help="of each phase")
    parser.add_argument("--rounds", type=int, default=USUAL[1])
    parser.add_argument("--keep", action="store_true", help="keep the results, and the table of the document")


def main(chosen: argparse.Namespace) -> int:
    """Run the chosen scripts; return 1 if a verdict is bad."""
    about = machine()
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {int(LOAD_CPU)})
    if not ahead():
        print("without precedence over the scripts, which needs root: waits are the bench's own in part")
    gc.freeze()  # a full collection of what is imported takes longer than a line
    rows = []
    for name in chosen.only or SCRIPTS:
        rounds = [asyncio.run(measured(name, chosen.seconds)) for _ in range(chosen.rounds)]
        rows.append(together(name, rounds))
        print(lines(rows[-1:]).splitlines()[-1], flush=True)
    print(lines(rows))
    if chosen.keep:
        document = {"machine": about, "seconds": chosen.seconds, "rounds": chosen.rounds, "pairs": MANY, "rows": rows}
        write(document, "hostile", ordered=False)
        told = f"{chosen.seconds:g} s a phase, medians of {chosen.rounds} rounds, {MANY} pairs; load before: {about['load']:.1f}.\n"
        fill(ROOT / "docs" / "performance.md", "hostile", f"{lines(rows)}\n{told}")
    return 1 if any(row["faults"] for row in rows) else 0


async def measured(name: str, seconds: float) -> Row:
    """Run one round of a script."""
    with Serving(core=SERVER_CPU if (os.cpu_count() or 1) > 1 else "", **SETTINGS) as server:
        async with Pairs(server.port) as pairs:
            alone, quiet, _ = await phase(server, pairs, "", seconds)
            beside, loud, outcome = await phase(server, pairs, name, seconds)
    return {
        **outcome,
        "p99_ms": [in_ms(quiet, 0.99), in_ms(loud, 0.99)],
        "cpu_ms": [alone, beside],
        "lost": pairs.lost,
        "refused": pairs.refused,
    }


async def phase(server: Serving, pairs: Pairs, name: str, seconds: float) -> tuple[float, list[float], dict[str, Any]]:
    """Return (the server's CPU, ms a second; the pairs' waits; the script's outcome); empty `name`: no script."""
    context = multiprocessing.get_context("spawn")
    said: Queue[dict[str, Any]] = context.Queue()
    process = context.Process(target=offend, args=(name, server.port, seconds, said))
    found: dict[str, Any] = {}
    if name:
        process.start()
        await asyncio.to_thread(said.get, timeout=PATIENCE)  # it has imported what it needs
    pairs.anew()
    used, begun = server.cpu(), time.monotonic()
    if name:
        found = await asyncio.to_thread(said.get, timeout=PATIENCE)
    await asyncio.sleep(max(0.0, begun + seconds - time.monotonic()))
    spent = (server.cpu() - used) / (time.monotonic() - begun) * 1e3
    waits = pairs.anew()
    if name:
        await asyncio.to_thread(process.join, PATIENCE)
    return round(spent, 1), waits, found


def offend(name: str, port: int, seconds: float, said: "Queue[dict[str, Any]]") -> None:
    """Run the script's process."""
    os.nice(10)
    said.put({})

    async def run() -> None:
        outcome = await SCRIPTS[name](Ground(port, time.monotonic() + seconds))
        said.put(outcome.plain())

    asyncio.run(run())


def together(name: str, rounds: list[Row]) -> Row:
    """Return the medians of the rounds, and the faults in them."""
    middle = [
        {what: statistics.median(each[what][place] for each in rounds) for what in ("p99_ms", "cpu_ms")}
        for place in (0, 1)
    ]
    row: Row = {
        **{what: rounds[-1][what] for what in ("tried", "through", "stopped", "after")},
        "who": name,
        "p99_ms": [each["p99_ms"] for each in middle],
        "cpu_ms": [each["cpu_ms"] for each in middle],
        "lost": sum(each["lost"] for each in rounds),
        "refused": [each["refused"] for each in rounds if each["refused"]],
        "rounds": rounds,
    }
    return {**row, "faults": faults(row)}


def faults(row: Row) -> list[str]:
    """Return the faults of a row."""
    alone, beside = row["p99_ms"]
    found = {
        "lines": beside > alone * WITHIN + GRACE,
        "lost": row["lost"] > 0,
        "refused": bool(row["refused"]),
        "not stopped": not row["stopped"],
    }
    return [name for name, bad in found.items() if bad]


def lines(rows: list[Row]) -> str:
    """Return the table, as Markdown."""
    return table(COLUMNS, [cells(row) for row in rows])


def cells(row: Row) -> list[str]:
    """Return a line of it."""
    tries, seconds = row["after"] or (0, 0.0)
    return [
        row["who"],
        f"{row['tried']:,}",
        f"{row['through']:,}",
        ", ".join(f"{why} × {times:,}" for why, times in row["stopped"].items()) or "nothing",
        f"{tries:,}, {seconds:.2f} s" if row["after"] else "never",
        " / ".join(f"{value:,.0f}" for value in row["cpu_ms"]),
        " / ".join(f"{value:,.1f}" for value in row["p99_ms"]),
        str(row["lost"]),
        ", ".join(row["faults"]) or "good",
    ]
