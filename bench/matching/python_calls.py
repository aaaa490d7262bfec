"""Call the index from Python without the waiting room around it: one ticket per call, or arrays of a thousand.

Match or wait, from an empty pool; half of the arrivals give the rate, by CPU time, the other half the quantiles.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from bench.matching.arrival_batches import Run
from bench.matching.result_rows import Row
from bench.matching.workloads import LANGUAGES, Stream
from engine.matching.interest_normalisation import SpellingCache
from ext.match.interner import Interner
from ext.match.matcher import Matcher

ROOM = 1_000_000


def rows(seed: int, quick: bool) -> Iterator[Row]:
    """Measure with ids, with words, with arrays."""
    arrivals = 100_000 if quick else 300_000
    yield one_by_one("ids", arrivals, seed)
    yield one_by_one("strings", arrivals, seed)
    run = Run(Matcher(ROOM, lists=3_000_000, seed=seed), Stream(seed))
    run.go(arrivals, exact=True)
    yield run.result("python-batch", "exact")


def one_by_one(kind: str, arrivals: int, seed: int) -> Row:
    """Measure `ids`, if a ticket's interests are numbers, or `strings`, if they are words that the same step interns."""
    block = Stream(seed).take(arrivals)
    tickets = [block.ids(i) for i in range(arrivals)]
    pools, persons, recents = block.pools.tolist(), block.persons.tolist(), [tuple(r) for r in block.recents.tolist()]
    interner = Interner()
    matcher = Matcher(ROOM, seed=seed, interner=interner if kind == "strings" else None)
    for _ in LANGUAGES:
        matcher.pool()
    submit, spellings = matcher.submit, SpellingCache()
    known = spellings.known
    words = [tuple(f"Interest {i}" for i in ids) for ids in tickets]

    def with_ids(i: int) -> Any:
        return submit(i, pools[i], tickets[i], 1, 0.0, persons[i], recents[i])

    def with_strings(i: int) -> Any:
        ids = interner.intern_all(words[i], known, spellings)
        return submit(i, pools[i], ids or (), 1, 0.0, persons[i], recents[i])

    return timed(f"python-{kind}", {"ids": with_ids, "strings": with_strings}[kind], arrivals)


def timed(scenario: str, call: Callable[[int], Any], arrivals: int) -> Row:
    """Time calls; one that matched returns a tuple whose second element is the common interests."""
    clock = time.perf_counter
    met = overlap = 0
    times = np.zeros(arrivals // 2)
    half = arrivals - len(times)
    cpu = time.thread_time()
    for i in range(half):
        answer = call(i)
        if isinstance(answer, tuple):
            met += 1
            overlap += len(answer[1])
    cpu = time.thread_time() - cpu
    for i in range(half, arrivals):
        before = clock()
        call(i)
        times[i - half] = clock() - before
    ns = times * 1e9
    return Row(
        scenario, "budgeted", arrivals_per_s=round(half / cpu),
        p50_ns=round(float(np.quantile(ns, 0.5))), p99_ns=round(float(np.quantile(ns, 0.99))), max_ns=round(float(ns.max())),
        matched=round(met / half, 4), mean_overlap=round(overlap / max(1, met), 4), arrivals=half,
    )  # fmt: skip
