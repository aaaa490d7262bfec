"""Measure the matcher: speed and quality, in four parts, on one thread.

`index`: the index alone, by its array call. `room`: the service's waiting room, called as the service does. `calls`: the index called from Python.
`baselines`: what one would write instead. Each part is kept with its machine and date, so it can be measured anew without the others.
"""

import argparse
import gc
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from bench.matching import baselines, waiting_room
from bench.matching import index_alone as index
from bench.matching import python_calls as calls
from bench.matching.result_rows import Row, middle
from bench.matching.workloads import INTERESTS, LANGUAGES, MOST, RECENT
from bench.support.machine import machine
from bench.support.results import read, write
from ext.match.matcher import Matcher

PARTS: Final[Mapping[str, Callable[[int, bool], Iterator[Row]]]] = {
    "index": index.rows,
    "room": waiting_room.rows,
    "calls": calls.rows,
    "baselines": baselines.rows,
}
WORKLOAD: Final = {
    "interests": INTERESTS,
    "zipf": 1.0,
    "drawn": [1, MOST],
    "languages": LANGUAGES,
    "recent": RECENT,
    "weights": "index: all 1; where a scenario says weighted, and in the room: 8 to 255 by rarity, live",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Choose parts and thoroughness, and whether to keep the figures."""
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts; all where none is named")
    parser.add_argument("--quick", action="store_true", help="a part within a minute or so")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1, help="measure all so often; each row is the median's")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--keep", action="store_true", help="put the parts into bench/results/matcher.json")


def main(chosen: argparse.Namespace) -> int:
    """Measure, and print or keep."""
    if chosen.rounds < 1:
        raise SystemExit("--rounds is 1 or more")
    found = measure(chosen.only, chosen.seed, chosen.quick, chosen.rounds)
    if chosen.keep:
        keep(found)
    if chosen.json:
        print(json.dumps({"workload": WORKLOAD, "parts": found}))
    return 0


def measure(parts: Sequence[str], seed: int, quick: bool, rounds: int) -> dict[str, Any]:
    """Return by part: machine, seed, rounds and rows. The parts take turns in each round, so that a bad minute hits all."""
    before = machine() | {"build": Matcher(8).variant}
    found: dict[str, list[list[Row]]] = {part: [] for part in parts}
    for _ in range(rounds):
        for part, runs in found.items():
            runs.append([told(part, row) for row in PARTS[part](seed, quick)])
    return {
        part: {"seed": seed, "machine": before, "rounds": rounds, "rows": [asdict(row) for row in middle(runs)]}
        for part, runs in found.items()
    }


def told(part: str, row: Row) -> Row:
    """Print a row at once, since the whole takes long, and return it."""
    line = f"{part} {row.scenario} {row.mode}: {row.arrivals_per_s:,.0f}/s p50 {row.p50_ns} p99 {row.p99_ns}"
    print(line, file=sys.stderr, flush=True)
    gc.collect()
    return row


def keep(found: Mapping[str, Any]) -> None:
    """Replace the kept parts by these; others stay."""
    parts = read("matcher").get("parts", {}) | found
    write(
        {"workload": WORKLOAD, "parts": {part: parts[part] for part in PARTS if part in parts}},
        "matcher",
        ordered=False,
    )
