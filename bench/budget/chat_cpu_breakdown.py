"""Measure how the CPU time of a chat divides among the parts of the server's source, in microseconds: once on connections that are already open,
once including the connecting.

    python -m bench budget [--quick] [--keep]

The clock gives the cost of a chat (all threads, until every record is written; the kernel's part is the system time; the processes beside the
server, as that which screens lines, are a part). callgrind's instruction
counts divide it, for the same service under the same load (`parts` assigns modules to parts), as if every instruction cost the same. While
callgrind counts, Python frames are evaluated one by one, so interpreted parts appear a few percent too expensive.
"""

import argparse
import shutil
import sys
from typing import Any

from bench.budget import instruction_counts, part_cost_table
from bench.server import chat_cpu, servers
from bench.server.peer_comparison import PINNED
from bench.support.documents import fill
from bench.support.machine import machine
from bench.support.process_inspection import listed
from bench.support.results import ROOT, write

CLIENTS = 200
DEAREST = 25  # functions
LOADS = {part_cost_table.OPEN: ("chat", "-k"), part_cost_table.FRESH: ("chat", "-c", "16")}
USUAL = (5, 3.0, 12.0)  # rounds, seconds of each, seconds that are counted
QUICK = (3, 1.5, 5.0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose the duration, and whether to keep the result."""
    parser.add_argument("--quick", action="store_true", help="two minutes in place of four")
    parser.add_argument("--within", default="", metavar="PART", help="the dearest functions of a part, too")
    parser.add_argument(
        "--keep", action="store_true", help="write bench/results/budget.json and the table of the document"
    )


def main(chosen: argparse.Namespace) -> int:
    """Measure, and print the table."""
    for program in ("valgrind", "vgdb"):
        if shutil.which(program) is None:
            raise SystemExit(f"missing: {program}. Get it: apt-get install valgrind")
    rounds, seconds, window = QUICK if chosen.quick else USUAL
    before = machine()
    runs = clocked(rounds, seconds)
    windows = {name: instruction_counts.counted(words, window) for name, words in LOADS.items()}
    document = {
        "machine": before,
        "rounds": rounds,
        "seconds": seconds,
        "clients": CLIENTS,
        "counted": [window.chats for window in windows.values()],
        "chats": part_cost_table.chats(runs, windows),
    }
    print(part_cost_table.lines(document))
    if chosen.within:
        for name, counted in windows.items():
            print(
                "\n".join(
                    (
                        f"{chosen.within}, {name}: instructions a chat",
                        *instruction_counts.dearest(counted, chosen.within, DEAREST),
                    )
                )
            )
    if chosen.keep:
        write(document, "budget", ordered=False)
        fill(ROOT / "docs" / "performance.md", "budget", part_cost_table.lines(document))
    return 0


def clocked(rounds: int, seconds: float) -> dict[str, list[dict[str, Any]]]:
    """Run each load by the clock, in turn, each against its own server. `seconds`: of a run."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in LOADS}
    for _ in range(rounds):
        for name, words in LOADS.items():
            with servers.running(servers.SERENDIP) as (port, pid, metrics):
                load = [*words, "-n", str(CLIENTS), "-P", listed(pid), "-t", str(seconds)]
                runs[name].append(chat_cpu.run(load, port, pid, metrics, PINNED))
            print(f"{name:22} {runs[name][-1]['chat_us']:8.1f} us", file=sys.stderr, flush=True)
    return runs
