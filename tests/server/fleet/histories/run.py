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
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import orjson
import structlog

from server.ops.security.secret_keys import Keys, load
from tests.server.fleet.histories.actions import Deed, do, draw_history
from tests.server.fleet.histories.history import History

OF_A_WORLD: Final = 100  # histories that follow each other in one world
ROUND: Final = 5  # worlds that a process is given at once
LIFE: Final = 20  # rounds until a process is replaced: what a world leaves in memory ends with it
TRIES: Final = 300  # histories that are run to find the shortest one with a fault


class Told(NamedTuple):
    """One world. `fault`: what did not hold, empty: nothing; `deeds`: what was done in it, in order."""

    seed: int
    fault: str
    deeds: list[Deed]
    tally: Counter[str]


def world(seed: int, secret: Keys, count: int = OF_A_WORLD) -> Told:
    """Run the histories of a seed, one after another in one world, until one has a fault."""
    dice = random.Random(seed)
    return played(seed, secret, (deed for place in range(count) for deed in draw_history(dice, place == 0)))


def played(seed: int, secret: Keys, deeds: Iterable[Deed]) -> Told:
    """Do all of these in a new world, until something does not hold."""
    done, fault = list[Deed](), ""
    tally: Counter[str] = Counter()
    try:
        with History(secret) as one:
            try:
                for deed in deeds:
                    done.append(deed)
                    do(one, deed)
            finally:
                tally.update(one.counted())
    except Exception as broken:  # noqa: BLE001 - whatever it is: the history is told, and the next one runs
        fault = f"{type(broken).__name__}: {broken}"
    tally["worlds"] = 1
    tally["histories"] = sum(name == "settle" for name, _ in done) + (bool(fault) and done[-1][0] != "settle")
    tally["actions"] = sum(name not in ("settle", "gather") for name, _ in done)
    return Told(seed, fault, done, tally)


def shortened(told: Told, secret: Keys) -> Told:
    """Leave out what a fault does not need, as far as TRIES worlds show it: first the histories before it."""
    begins = [place for place, (name, _) in enumerate(told.deeds) if name == "gather"]
    for count in (1, 2, 4, 8, 16):
        again = played(told.seed, secret, told.deeds[begins[-count] :]) if count < len(begins) else told
        if again.fault:
            told = again
            break
    step, tries = len(told.deeds) // 2, TRIES
    while step and tries:
        at = len(told.deeds)
        while at > 0 and tries:
            tries -= 1
            again = played(told.seed, secret, [*told.deeds[: max(0, at - step)], *told.deeds[at:]])
            if again.fault:
                told = again
            at = min(at - step, len(told.deeds))
        step //= 2
    return told


_secret: Keys | None = None


def _begin(folder: str) -> None:
    global _secret
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    _secret = load(Path(folder))
    gc.collect()
    gc.freeze()
    gc.disable()  # a world says when: what a collection closes, it closes at the same step each time


def _round(seeds: range) -> tuple[range, Counter[str], list[Told]]:
    assert _secret is not None
    tally: Counter[str] = Counter()
    bad = []
    for seed in seeds:
        told = world(seed, _secret)
        tally.update(told.tally)
        if told.fault:
            bad.append(shortened(told, _secret))
    return seeds, tally, bad


class Log:
    """Rounds that were run, in a file, a JSON object each: a later run goes on behind them."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._done: set[int] = set()
        self.tally: Counter[str] = Counter()
        for line in path.read_bytes().splitlines() if path is not None and path.exists() else ():
            row = orjson.loads(line)
            self._done.update(range(*row["seeds"]))
            self.tally.update(row["tally"])

    def rounds(self, first: int, count: int) -> list[range]:
        """Return the seeds of so many worlds, without those that are done."""
        found = [range(seed, min(seed + ROUND, first + count)) for seed in range(first, first + count, ROUND)]
        return [seeds for seeds in found if not self._done.issuperset(seeds)]

    def add(self, seeds: range, tally: Counter[str], bad: Sequence[Told]) -> None:
        """Add a round."""
        tally["faults"] = len(bad)
        self.tally.update(tally)
        if self._path is not None:
            faults = [{"seed": told.seed, "fault": told.fault, "deeds": told.deeds} for told in bad]
            row = {"seeds": [seeds.start, seeds.stop], "tally": tally, "faults": faults, "at": round(time.time())}
            with self._path.open("ab") as file:
                file.write(orjson.dumps(row) + b"\n")


def main() -> int:
    """Run so many histories; return 1 if something did not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, help=f"of histories, {OF_A_WORLD} in each world")
    parser.add_argument("--seed", type=int, default=0, help="of the first world")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--log", type=Path, help="file that gets each round; those in it are not run again")
    chosen = parser.parse_args()
    begun, log = time.monotonic(), Log(chosen.log)
    rounds = log.rounds(chosen.seed, -(-chosen.count // OF_A_WORLD))
    with tempfile.TemporaryDirectory() as folder:
        _begin(str(load(Path(folder)) and folder))
        context = multiprocessing.get_context("fork")  # each has all modules at once
        with context.Pool(chosen.processes, maxtasksperchild=LIFE) as pool:
            for seeds, tally, bad in pool.imap_unordered(_round, rounds):
                log.add(seeds, tally, bad)
                for told in bad:
                    print(f"world {told.seed}: {told.fault}")
                    for name, given in told.deeds:
                        print(f"    {name} {given}")
                sys.stdout.flush()
    for name, count in log.tally.items():
        print(f"| {name} | {count:,} |")
    print(f"{time.monotonic() - begun:.0f} s, {chosen.processes} processes")
    return 1 if log.tally["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
