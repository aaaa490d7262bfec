"""Time batches of arrivals that are passed to the index: every second batch one arrival at a time, which gives the quantiles; the others in one
call, which gives the rates.

In a held pool, which keeps its size, each arrival searches, removes its partner and is inserted; an arrival without a partner waits too, and the
oldest ticket expires. A quantile is of the time between the ends of two arrivals, including work that an arrival does for others (such as moving
postings); a rate is of the thread's CPU time. The first tenth warms up.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.matching.result_rows import Row
from bench.matching.workloads import LANGUAGES, Arrivals, Stream
from ext.match.matcher import Matcher

BATCH = 1000
SPAN = 25  # batches without a clock in them, and as many between them
BLOCK = 250_000


class Run:
    """A matcher, a stream, and the counts."""

    def __init__(self, matcher: Matcher, stream: Stream, *, pools: int = len(LANGUAGES)) -> None:
        self.matcher, self.stream = matcher, stream
        while pools:
            matcher.pool()
            pools -= 1
        self.handles: list[np.ndarray[Any, np.dtype[np.int64]]] = []
        self.oldest = 0
        self.cycles: list[np.ndarray[Any, np.dtype[np.uint32]]] = []  # of batches timed arrival by arrival
        self.cpus: tuple[list[float], list[float]] = ([], [])  # of the other batches, and of these
        self.wall = 0.0  # of these
        self.arrivals = self.untimed = self.met = self.overlap = 0

    def batch(self, part: Arrivals, timed: bool = False, **how: Any) -> None:
        """Make one call of the matcher; `timed`: arrival by arrival."""
        n = len(part)
        partner, handle = np.empty(n, np.int64), np.empty(n, np.int64)
        score, cycles = np.zeros(n, np.uint32), np.zeros(n, np.uint32) if timed else None
        wall, cpu = time.perf_counter(), time.thread_time()
        met = self.matcher.submit_batch(
            part.pools, part.offsets, part.interests, partner, handle, score,
            clients=part.clients, persons=part.persons, recents=part.recents, cycles=cycles, **how,
        )  # fmt: skip
        self.cpus[timed].append(time.thread_time() - cpu)
        if cycles is None:
            self.untimed += n
        else:
            self.wall += time.perf_counter() - wall
            self.cycles.append(cycles)
        if handle.min() < -1:
            raise RuntimeError("the matcher was full")
        self.handles.append(handle)
        self.arrivals += n
        self.met += met
        self.overlap += int(score.sum())

    def load(self, count: int, pool: int | None = None) -> None:
        """Insert waiting tickets, untimed."""
        while count:
            block = self.stream.take(min(count, BLOCK))
            pools = block.pools if pool is None else np.full(len(block), pool, np.uint16)
            self.batch(
                Arrivals(pools, block.offsets, block.interests, block.persons, block.recents, block.clients),
                only_insert=True,
                hold=True,
            )
            count -= len(block)

    def hold(self, size: int) -> None:
        """Let the oldest tickets expire until `size` wait."""
        while len(self.matcher) > size:
            row = self.handles[0]
            rest = row[self.oldest : self.oldest + len(self.matcher) - size]
            self.matcher.remove_batch(np.ascontiguousarray(rest))
            self.oldest += len(rest)
            if self.oldest >= len(row):
                self.handles.pop(0)
                self.oldest = 0

    def start(self) -> None:
        """Start counting."""
        self.wall = 0.0
        self.arrivals = self.untimed = self.met = self.overlap = 0
        for row in (self.cycles, *self.cpus):
            row.clear()
        self.before = self.matcher.counts()

    def go(
        self, arrivals: int, size: int = 0, change: Callable[[Arrivals], Arrivals] = lambda a: a, **how: Any
    ) -> None:
        """Run `arrivals` in batches; the first tenth warms up."""
        self.start()
        warm = arrivals // 10
        done = 0
        while done < arrivals:
            block = change(self.stream.take(min(BLOCK, arrivals - done)))
            for at in range(0, len(block), BATCH):
                if done <= warm < done + BATCH:
                    self.start()
                timed = done // BATCH % 2 == 0
                self.batch(block.part(at, min(at + BATCH, len(block))), timed, hold=bool(size), **how)
                done += BATCH
                if size:
                    self.hold(size)
                else:
                    self.handles.clear()

    def result(self, scenario: str, mode: str) -> Row:
        """Return the row."""
        ticks = np.concatenate(self.cycles).astype(np.float64)
        # preempted spans are in both sums alike, and a batch's own overhead is small beside its arrivals
        ns = ticks * (self.wall * 1e9 / ticks.sum())
        slow = np.array([int((row * (self.wall * 1e9 / ticks.sum()) > 1e6).sum()) for row in self.cycles])
        whole = len(self.cpus[False]) // SPAN * SPAN
        spans = np.array(self.cpus[False][:whole]).reshape(-1, SPAN).sum(axis=1)
        spread = SPAN * BATCH / np.quantile(spans, (0.9, 0.1)) if whole else (0.0, 0.0)
        cpus = np.array(self.cpus[True])
        own = cpus > float(np.median(cpus)) + 1e-3
        after = self.matcher.counts()
        waiting = len(self.matcher)
        return Row(
            scenario, mode,
            arrivals_per_s=round(self.untimed / sum(self.cpus[False])),
            slowest_per_s=round(spread[0]), fastest_per_s=round(spread[1]),
            p50_ns=round(float(np.quantile(ns, 0.5))), p99_ns=round(float(np.quantile(ns, 0.99))), max_ns=round(float(ns.max())),
            matched=round(self.met / self.arrivals, 4),
            mean_overlap=round(self.overlap / max(1, self.met), 4),
            bytes_per_ticket=round(self.matcher.memory()["total"] / max(1, waiting), 1),
            postings_read=round((after["postings"] - self.before["postings"]) / self.arrivals, 1),
            arrivals=self.arrivals, over_1_ms=int(slow.sum()), over_1_ms_own=int(slow[own].sum()),
        )  # fmt: skip
