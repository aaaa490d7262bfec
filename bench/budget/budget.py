"""What a chat costs the server, by part: microseconds of CPU, on open connections and with connects.

    python -m bench budget [--quick] [--keep]

Rule: how long a chat takes says the clock (all threads, until every record is written; the kernel's part is the system time), how it is
divided the instructions that callgrind counts in the same service under the same load (`parts` says which module is under which part).
That holds an instruction of one part as dear as one of another. Frames of Python are evaluated one by one while it counts, which makes
interpreted parts some hundredths dearer than they are.
"""

import argparse
import shutil
import sys
from typing import Any

from bench.budget import counting, figures
from bench.server import servers, written
from bench.server.whole import PINNED
from bench.support.documents import fill
from bench.support.machine import machine
from bench.support.results import ROOT, write

CLIENTS = 200
DEAREST = 25  # functions
LOADS = {figures.OPEN: ("chat", "-k"), figures.FRESH: ("chat", "-c", "16")}
USUAL = (5, 3.0, 12.0)  # rounds, seconds of each, seconds that are counted
QUICK = (3, 1.5, 5.0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How long, and whether it is kept."""
    parser.add_argument("--quick", action="store_true", help="two minutes in place of four")
    parser.add_argument("--within", default="", metavar="PART", help="the dearest functions of a part, too")
    parser.add_argument(
        "--keep", action="store_true", help="write bench/results/budget.json and the table of the document"
    )


def main(chosen: argparse.Namespace) -> int:
    """Measures and prints the table."""
    for program in ("valgrind", "callgrind_control"):
        if shutil.which(program) is None:
            raise SystemExit(f"missing: {program}. Get it: apt-get install valgrind")
    rounds, seconds, window = QUICK if chosen.quick else USUAL
    before = machine()
    runs = clocked(rounds, seconds)
    windows = {name: counting.counted(words, window) for name, words in LOADS.items()}
    document = {
        "machine": before,
        "rounds": rounds,
        "seconds": seconds,
        "clients": CLIENTS,
        "counted": [window.chats for window in windows.values()],
        "chats": figures.chats(runs, windows),
    }
    print(figures.lines(document))
    if chosen.within:
        for name, counted in windows.items():
            print(
                "\n".join(
                    (
                        f"{chosen.within}, {name}: instructions a chat",
                        *counting.dearest(counted, chosen.within, DEAREST),
                    )
                )
            )
    if chosen.keep:
        write(document, "budget", ordered=False)
        fill(ROOT / "docs" / "performance.md", "budget", figures.lines(document))
    return 0


def clocked(rounds: int, seconds: float) -> dict[str, list[dict[str, Any]]]:
    """The runs of each load by clock, in turn, each against a server of its own. `seconds`: of a run."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in LOADS}
    for _ in range(rounds):
        for name, words in LOADS.items():
            with servers.running(servers.SERENDIP) as (port, pid, metrics):
                load = [*words, "-n", str(CLIENTS), "-P", str(pid), "-t", str(seconds)]
                runs[name].append(written.run(load, port, pid, metrics, PINNED))
            print(f"{name:22} {runs[name][-1]['chat_us']:8.1f} us", file=sys.stderr, flush=True)
    return runs
