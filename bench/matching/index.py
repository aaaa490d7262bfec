"""How fast the matcher is, and how good: `python -m bench.matching.matcher --json`, one JSON document on stdout.

One thread. Each arrival of a `held` scenario is a search, the removal of the partner found and the insertion of the
arrival, so that the pool keeps its size; who finds nobody waits too, and the longest waiting expires. Every second batch
is timed arrival by arrival: of these are the quantiles, of the time between two arrivals' ends (with what is done in
between for all, as moving postings). Rates are of the CPU time of the thread in the others. The first tenth warms up.
`overlap_of_exact` compares with the exact mode on the same stream.
"""

import argparse
import gc
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import orjson

from bench.machine import machine
from bench.matching.baselines import baselines
from bench.matching.workloads import INTERESTS, LANGUAGES, MOST, RECENT, Arrivals, Stream
from engine.matching.interests import Spellings
from engine.matching.lobby import Lobby, Pool, Ticket
from ext.match.interner import Interner
from ext.match.matcher import Matcher

BATCH = 1000
SPAN = 25  # batches without a clock in them, and as many between them
BLOCK = 250_000


@dataclass
class Result:
    """One row; 0 stands for what the scenario does not have."""

    scenario: str
    mode: str = ""
    arrivals_per_s: float = 0.0
    slowest_per_s: float = 0.0  # of spans of 50,000 arrivals: a tenth of them was slower than this
    fastest_per_s: float = 0.0  # and a tenth faster than this
    p50_ns: float = 0.0
    p99_ns: float = 0.0
    max_ns: float = 0.0
    matched: float = 0.0
    mean_overlap: float = 0.0
    overlap_of_exact: float = 0.0
    bytes_per_ticket: float = 0.0
    postings_read: float = 0.0
    arrivals: int = 0
    over_1_ms: int = 0  # timed arrivals, by the wall: being interrupted counts
    over_1_ms_own: int = (
        0  # of these, in batches of which the thread's own CPU time says that the matcher did it; and batches not timed
    )


class Run:
    """A matcher, a stream, and what is counted."""

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
        """One call of the matcher; `timed`: arrival by arrival."""
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
        """Tickets that wait from the start, not timed."""
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
        """Let the longest waiting expire until `size` wait."""
        while len(self.matcher) > size:
            row = self.handles[0]
            rest = row[self.oldest : self.oldest + len(self.matcher) - size]
            self.matcher.remove_batch(np.ascontiguousarray(rest))
            self.oldest += len(rest)
            if self.oldest >= len(row):
                self.handles.pop(0)
                self.oldest = 0

    def start(self) -> None:
        """Count from here."""
        self.wall = 0.0
        self.arrivals = self.untimed = self.met = self.overlap = 0
        for row in (self.cycles, *self.cpus):
            row.clear()
        self.before = self.matcher.counts()

    def go(
        self, arrivals: int, size: int = 0, change: Callable[[Arrivals], Arrivals] = lambda a: a, **how: Any
    ) -> None:
        """`arrivals` in batches; the first tenth warms up."""
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

    def result(self, scenario: str, mode: str) -> Result:
        """The row."""
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
        return Result(
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


class Listener:
    """Weights that live: a word is heard again for one ticket in 25, so that what is asked for often weighs less and less."""

    def __init__(self) -> None:
        self.interner = Interner(INTERESTS)
        self.words = [f"interest {i}" for i in range(INTERESTS)]
        self.known = {word: word for word in self.words}
        self.interner.intern_all(self.words, self.known, str)

    def hear(self, block: Arrivals) -> Arrivals:
        """Not timed."""
        for i in range(0, len(block), 25):
            words = [self.words[interest] for interest in block.ids(i)]
            self.interner.release(self.interner.intern_all(words, self.known, str) or ())
        return block


def held(size: int, turnovers: float, seed: int, exact: bool, weighted: bool = False) -> tuple[Result, float]:
    """The pool kept at `size`; the row, and the mean overlap with the unmatched as 0.

    weighted: each interest weighs by how rarely it is asked for, from 8 to 255; overlaps are then sums of weights.
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


def pair(size: int, turnovers: float, seed: int, weighted: bool = False) -> list[Result]:
    """Exact and budgeted on the same stream."""
    one, most = held(size, turnovers, seed, True, weighted)
    one.overlap_of_exact = 1.0
    gc.collect()
    two, got = held(size, turnovers, seed, False, weighted)
    two.overlap_of_exact = round(got / most, 4)
    return [one, two]


def steady(arrivals: int, seed: int, beside: int = 0) -> Result:
    """Match or wait, from an empty pool; `beside`: tickets that wait in another mode and can match none of these."""
    run = Run(Matcher(1_000_000 + beside, lists=3_000_000, seed=seed), Stream(seed), pools=len(LANGUAGES) + 1)
    run.load(beside, len(LANGUAGES))
    run.stream = Stream(seed)
    run.handles.clear()
    run.go(arrivals, exact=True)
    row = run.result(f"unmatchable-{beside}" if beside else "steady", "exact")
    row.overlap_of_exact = 1.0
    return row


def all_blocked(size: int, arrivals: int, seed: int) -> Result:
    """Everybody has the one interest, and everybody is blocked from everybody."""
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


def from_python(kind: str, arrivals: int, seed: int) -> Result:
    """Match or wait, called from Python: ids or strings one call a ticket, arrays of 1,000, or the service's own lobby."""
    stream = Stream(seed)
    if kind == "batch":
        run = Run(Matcher(1_000_000, lists=3_000_000, seed=seed), stream)
        run.go(arrivals, exact=True)
        return run.result("python-batch", "exact")
    block = stream.take(arrivals)
    tickets = [block.ids(i) for i in range(arrivals)]
    pools, persons, recents = block.pools.tolist(), block.persons.tolist(), [tuple(r) for r in block.recents.tolist()]
    words = [tuple(f"Interest {i}" for i in ids) for ids in tickets]
    rooms = [Pool(language=f"l{p}") for p in pools]
    interner = Interner()
    matcher = Matcher(1_000_000, seed=seed, interner=interner if kind == "strings" else None)
    for _ in LANGUAGES:
        matcher.pool()
    submit = matcher.submit
    lobby = Lobby(most_tickets=1_000_000)
    spellings = Spellings()
    known = spellings.known

    def with_ids(i: int) -> Any:
        return submit(i, pools[i], tickets[i], 1, 0.0, persons[i], recents[i])

    def with_strings(i: int) -> Any:
        ids = interner.intern_all(words[i], known, spellings)
        return submit(i, pools[i], ids or (), 1, 0.0, persons[i], recents[i])

    def through_lobby(i: int) -> Any:
        now = i * 1e-3
        return lobby.submit(Ticket(i, rooms[i], lobby.intern(words[i]), False, persons[i], recents[i], now), now)

    call = {"ids": with_ids, "strings": with_strings, "lobby": through_lobby}[kind]
    clock = time.perf_counter
    met = overlap = 0
    times = np.zeros(arrivals // 2)
    half = arrivals - len(times)
    cpu = time.thread_time()
    for i in range(half):
        answer = call(i)
        if isinstance(answer, tuple):
            met += 1
            overlap += len(answer[2] if kind == "lobby" else answer[1])
    cpu = time.thread_time() - cpu
    for i in range(half, arrivals):  # the second half with each call timed
        before = clock()
        call(i)
        times[i - half] = clock() - before
    ns = times * 1e9
    return Result(
        "lobby" if kind == "lobby" else f"python-{kind}", "budgeted", arrivals_per_s=round(half / cpu),
        p50_ns=round(float(np.quantile(ns, 0.5))), p99_ns=round(float(np.quantile(ns, 0.99))), max_ns=round(float(ns.max())),
        matched=round(met / half, 4), mean_overlap=round(overlap / max(1, met), 4), arrivals=half,
    )  # fmt: skip


def rows(seed: int, quick: bool, with_baselines: bool) -> list[Result]:
    """All scenarios."""
    found: list[Result] = []

    def add(*more: Result) -> None:
        found.extend(more)
        for row in more:
            print(
                f"{row.scenario} {row.mode}: {row.arrivals_per_s:,.0f}/s p50 {row.p50_ns} p99 {row.p99_ns}",
                file=sys.stderr,
            )
        gc.collect()

    add(steady(400_000 if quick else 3_000_000, seed))
    add(*pair(1000, 200 if quick else 500, seed))
    add(*pair(10_000, 20 if quick else 60, seed))
    add(*pair(100_000, 2 if quick else 10, seed))
    add(*pair(1_000_000, 0.3 if quick else 6, seed))
    add(*pair(1_000_000, 0.1 if quick else 1, seed, weighted=True))
    add(steady(400_000 if quick else 3_000_000, seed, 1_000_000))
    add(all_blocked(1_000_000, 200_000 if quick else 1_000_000, seed))
    for kind in ("ids", "strings", "batch", "lobby"):
        add(from_python(kind, 100_000 if quick else 300_000, seed))
    if with_baselines:
        add(*(Result(**row) for row in baselines(seed, quick)))
    return found


def middle(rounds: list[list[Result]]) -> list[Result]:
    """Of each scenario the round whose rate is the median; where two are in the middle, the slower."""
    return [
        sorted(found, key=lambda row: row.arrivals_per_s)[(len(found) - 1) // 2] for found in zip(*rounds, strict=True)
    ]


def document(seed: int, quick: bool, with_baselines: bool, rounds: int = 1) -> dict[str, Any]:
    """What `--json` prints."""
    before = machine() | {"build": Matcher(8).variant}
    found = middle([rows(seed, quick, with_baselines) for _ in range(rounds)])
    return {
        "seed": seed,
        "machine": before,
        "rounds": rounds,
        "workload": {
            "interests": INTERESTS,
            "zipf": 1.0,
            "drawn": [1, MOST],
            "languages": LANGUAGES,
            "recent": RECENT,
            "weights": "all 1; where a scenario says weighted: 8 to 255 by rarity, live",
        },
        "scenarios": [asdict(row) for row in found],
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument("--quick", action="store_true", help="within a minute")
    parser.add_argument("--baselines", action="store_true", help="also what a user would write in Python")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1, help="measure all so often; each row is the median's")
    chosen = parser.parse_args()
    if chosen.rounds < 1:
        parser.error("--rounds is 1 or more")
    made = document(chosen.seed, chosen.quick, chosen.baselines, chosen.rounds)
    if chosen.json:
        sys.stdout.buffer.write(orjson.dumps(made) + b"\n")
    else:
        for row in made["scenarios"]:
            print(*(f"{key}={value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
