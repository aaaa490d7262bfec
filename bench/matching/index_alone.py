"""Measure the index alone (`ext.match.matcher`), called with whole arrays, on the pools and loads of its goals.

One thread, one seed. `overlap_of_exact` compares with the exact mode on the same stream; an unmatched ticket counts as an overlap of 0.
"""

import gc
from collections.abc import Iterator
from typing import Any

import numpy as np

from bench.matching.arrival_batches import BLOCK, Run
from bench.matching.result_rows import Row
from bench.matching.workloads import INTERESTS, LANGUAGES, RECENT, Arrivals, Stream
from ext.match.interner import Interner
from ext.match.matcher import Matcher


def rows(seed: int, quick: bool) -> Iterator[Row]:
    """Measure all scenarios; `quick`: within a minute."""
    some = 400_000 if quick else 3_000_000
    yield steady(some, seed)
    yield from pair(1000, 200 if quick else 500, seed)
    yield from pair(10_000, 20 if quick else 60, seed)
    yield from pair(100_000, 2 if quick else 10, seed)
    yield from pair(1_000_000, 0.3 if quick else 6, seed)
    yield from pair(1_000_000, 0.1 if quick else 1, seed, weighted=True)
    yield steady(some, seed, 1_000_000)
    yield all_blocked(1_000_000, 200_000 if quick else 1_000_000, seed)


class Listener:
    """Live weights: a word is counted again for one ticket in 25, so that frequent interests weigh less and less."""

    def __init__(self) -> None:
        self.interner = Interner(INTERESTS)
        self.words = [f"interest {i}" for i in range(INTERESTS)]
        self.known = {word: word for word in self.words}
        self.interner.intern_all(self.words, self.known, str)

    def hear(self, block: Arrivals) -> Arrivals:
        """Update the weights, untimed."""
        for i in range(0, len(block), 25):
            words = [self.words[interest] for interest in block.ids(i)]
            self.interner.release(self.interner.intern_all(words, self.known, str) or ())
        return block


def held(size: int, turnovers: float, seed: int, exact: bool, weighted: bool = False) -> tuple[Row, float]:
    """Measure a pool kept at `size`. Return the row, and the mean overlap with unmatched tickets as 0.

    weighted: each interest weighs by its rarity, from 8 to 255; overlaps are then sums of weights.
    """
    room = size + size // 8 + 4096
    how: dict[str, Any] = {"table_from": 1 << 31, "log": 0} if exact else {}
    listener = Listener() if weighted else None
    interner = listener.interner if listener else None
    matcher = Matcher(room, lists=3_000_000, seed=seed, interner=interner, **how)
    run = Run(matcher, Stream(seed))
    run.load(size)
    hear = listener.hear if listener else lambda block: block
    run.go(max(100_000, int(size * turnovers)), size, hear, exact=exact)
    row = run.result(f"held-{size}" + ("-weighted" if weighted else ""), "exact" if exact else "budgeted")
    return row, run.overlap / run.arrivals


def pair(size: int, turnovers: float, seed: int, weighted: bool = False) -> list[Row]:
    """Measure exact and budgeted mode on the same stream."""
    one, most = held(size, turnovers, seed, True, weighted)
    one.overlap_of_exact = 1.0
    gc.collect()
    two, got = held(size, turnovers, seed, False, weighted)
    two.overlap_of_exact = round(got / most, 4)
    return [one, two]


def steady(arrivals: int, seed: int, beside: int = 0) -> Row:
    """Measure match or wait, from an empty pool; `beside`: tickets of another mode, which can match none of these."""
    run = Run(Matcher(1_000_000 + beside, lists=3_000_000, seed=seed), Stream(seed), pools=len(LANGUAGES) + 1)
    run.load(beside, len(LANGUAGES))
    run.stream = Stream(seed)
    run.handles.clear()
    run.go(arrivals, exact=True)
    row = run.result(f"unmatchable-{beside}" if beside else "steady", "exact")
    row.overlap_of_exact = 1.0
    return row


def all_blocked(size: int, arrivals: int, seed: int) -> Row:
    """Measure a pool in which all share one interest and all are blocked from all."""
    run = Run(Matcher(size + 100_000, seed=seed), Stream(seed))

    def same(block: Arrivals) -> Arrivals:
        n = len(block)
        ones = np.ones((n, RECENT), np.uint32)
        return Arrivals(
            np.zeros(n, np.uint16),
            np.arange(n + 1, dtype=np.uint32),
            np.zeros(n, np.uint32),
            ones[:, 0].copy(),
            ones,
            block.clients,
        )

    for _ in range(0, size, BLOCK):
        run.batch(same(run.stream.take(min(BLOCK, size))), only_insert=True, hold=True)
    run.matcher.most_postings, run.matcher.most_tickets = 256, 64
    run.go(arrivals, size, same)
    return run.result("all-blocked", "budgeted")
