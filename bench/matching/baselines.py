"""Implement the baselines that a user would write instead of the matcher, written well: an inverted index with a Counter, and NumPy byte columns.

Both do the same step for each arrival, as a held pool does: find the best partner that is no recent one on either side, remove it, insert the
arrival.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np

from bench.matching.result_rows import Row
from bench.matching.workloads import LANGUAGES, Arrivals, Stream

Ticket = tuple[int, tuple[int, ...], int, frozenset[int]]  # pool, interests, person, recent


class InvertedIndex:
    """A set of tickets per interest; the most frequent ticket in the union is the best partner."""

    def __init__(self) -> None:
        self.tickets: dict[int, Ticket] = {}
        self.lists: defaultdict[tuple[int, int], set[int]] = defaultdict(set)

    def put(self, key: int, ticket: Ticket) -> None:
        self.tickets[key] = ticket
        for interest in ticket[1]:
            self.lists[ticket[0], interest].add(key)

    def drop(self, key: int) -> None:
        ticket = self.tickets.pop(key)
        for interest in ticket[1]:
            self.lists[ticket[0], interest].discard(key)

    def best(self, ticket: Ticket) -> tuple[int, int] | None:
        """Return (key, overlap) of the best partner."""
        count: Counter[int] = Counter()
        for interest in ticket[1]:
            count.update(self.lists.get((ticket[0], interest), ()))
        while count:
            key, overlap = max(count.items(), key=lambda item: item[1])
            other = self.tickets[key]
            if other[2] not in ticket[3] and ticket[2] not in other[3]:
                return key, overlap
            del count[key]
        return None


class ByteColumns:
    """One byte per slot and interest, for 50,000 interests, by pool: all overlaps are the sum of a few columns."""

    def __init__(self, size: int) -> None:
        self.room = size + size // 4 + 64
        self.columns: list[dict[int, np.ndarray[Any, np.dtype[np.uint8]]]] = [{} for _ in LANGUAGES]
        self.tickets: dict[int, Ticket] = {}
        self.free = list(range(self.room))[::-1]
        self.sum = np.zeros(self.room, np.uint8)

    def put(self, _: int, ticket: Ticket) -> None:
        slot = self.free.pop()
        self.tickets[slot] = ticket
        columns = self.columns[ticket[0]]
        for interest in ticket[1]:
            column = columns.get(interest)
            if column is None:
                column = columns[interest] = np.zeros(self.room, np.uint8)
            column[slot] = 1

    def drop(self, slot: int) -> None:
        ticket = self.tickets.pop(slot)
        for interest in ticket[1]:
            self.columns[ticket[0]][interest][slot] = 0
        self.free.append(slot)

    def best(self, ticket: Ticket) -> tuple[int, int] | None:
        """Return (slot, overlap) of the best partner."""
        columns = self.columns[ticket[0]]
        found = [columns[i] for i in ticket[1] if i in columns]
        if not found:
            return None
        total = self.sum
        np.copyto(total, found[0])
        for column in found[1:]:
            np.add(total, column, out=total)
        while True:
            slot = int(total.argmax())
            if not total[slot]:
                return None
            other = self.tickets[slot]
            if other[2] not in ticket[3] and ticket[2] not in other[3]:
                return slot, int(total[slot])
            total[slot] = 0


def _tickets(block: Arrivals) -> list[Ticket]:
    pools, persons, recents = block.pools.tolist(), block.persons.tolist(), block.recents.tolist()
    return [(pools[i], block.ids(i), persons[i], frozenset(recents[i])) for i in range(len(block))]


def _held(make: Any, name: str, size: int, arrivals: int, seed: int) -> Row:
    stream = Stream(seed)
    index = make()
    for key, ticket in enumerate(_tickets(stream.take(size))):
        index.put(key, ticket)
    arriving = _tickets(stream.take(arrivals))
    times = np.zeros(arrivals)
    met = overlap = 0
    cpu = time.thread_time()
    for i, ticket in enumerate(arriving):
        before = time.perf_counter()
        found = index.best(ticket)
        if found is not None:
            met += 1
            overlap += found[1]
            index.drop(found[0])
        else:
            index.drop(next(iter(index.tickets)))
        index.put(size + i, ticket)
        times[i] = time.perf_counter() - before
    cpu = time.thread_time() - cpu
    ns = times * 1e9
    return Row(
        f"held-{size}", name, arrivals_per_s=round(arrivals / cpu, 1), p50_ns=round(float(np.quantile(ns, 0.5))),
        p99_ns=round(float(np.quantile(ns, 0.99))), max_ns=round(float(ns.max())), matched=round(met / arrivals, 4),
        mean_overlap=round(overlap / max(1, met), 4), overlap_of_exact=1.0, arrivals=arrivals,
    )  # fmt: skip


def rows(seed: int, quick: bool) -> Iterator[Row]:
    """Measure pools of 1,000, 10,000 and (unless `quick`) 100,000; the byte columns stop before they fill the memory."""
    for size, arrivals in ((1000, 4000), (10_000, 1000)) if quick else ((1000, 20_000), (10_000, 5000), (100_000, 300)):
        yield _held(InvertedIndex, "python-counter", size, arrivals, seed)
        if size <= 10_000:
            yield _held(lambda size=size: ByteColumns(size), "numpy-columns", size, arrivals, seed)
