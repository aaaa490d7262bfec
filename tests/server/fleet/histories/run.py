"""Run random histories on all cores, and print what happened in them: `make histories N=1000000`."""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final, NamedTuple

import structlog

from server.ops.security.secret_keys import Keys, load
from tests.server.fleet.histories.actions import ACTIONS, arrive, draw
from tests.server.fleet.histories.history import History

LENGTH: Final = (8, 30)  # actions of a history
ROUND: Final = 50  # histories that a process is given at once


class Told(NamedTuple):
    """One history. `fault`: what did not hold, empty: nothing; `deeds`: its actions, in order."""

    seed: int
    fault: str
    deeds: list[tuple[str, dict[str, Any]]]
    tally: Counter[str]


def history(seed: int, secret: Keys) -> Told:
    """Run the history of a seed."""
    dice, deeds, fault = random.Random(seed), [], ""
    tally: Counter[str] = Counter(histories=1)
    with History(secret) as one:
        try:
            arrive(one, dice.choice)
            for _ in range(dice.randint(*LENGTH)):
                deeds.append(draw(dice))
                name, given = deeds[-1]
                ACTIONS[name].do(one, **given)
            one.settles()
        except Exception as broken:  # noqa: BLE001 - whatever it is: the history is told, and the next one runs
            fault = f"{type(broken).__name__}: {broken}"
        tally.update(one.counted())
    tally["actions"] = len(deeds)
    return Told(seed, fault, deeds, tally)


_secret: Keys | None = None


def _begin(folder: str) -> None:
    global _secret
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    _secret = load(Path(folder))
    gc.collect()
    gc.freeze()


def _round(seeds: range) -> tuple[Counter[str], list[Told]]:
    assert _secret is not None
    tally: Counter[str] = Counter()
    bad = []
    for seed in seeds:
        told = history(seed, _secret)
        tally.update(told.tally)
        if told.fault:
            bad.append(told)
    return tally, bad


def main() -> int:
    """Run so many histories; return 1 if something did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, help="of histories")
    parser.add_argument("--seed", type=int, default=0, help="of the first one")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    begun, tally, faults = time.monotonic(), Counter[str](), 0
    rounds = [
        range(seed, min(seed + ROUND, chosen.seed + chosen.count))
        for seed in range(chosen.seed, chosen.seed + chosen.count, ROUND)
    ]
    context = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as folder,
        context.Pool(chosen.processes, _begin, (str(load(Path(folder)) and folder),)) as pool,
    ):
        for counted, bad in pool.imap_unordered(_round, rounds):
            tally.update(counted)
            for told in bad:
                faults += 1
                print(f"history {told.seed}: {told.fault}")
                for name, given in told.deeds:
                    print(f"    {name} {given}")
            sys.stdout.flush()
    for name, count in tally.items():
        print(f"| {name} | {count:,} |")
    print(f"| faults | {faults:,} |\n{time.monotonic() - begun:.0f} s, {chosen.processes} processes")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
