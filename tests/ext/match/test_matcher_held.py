"""Test pools held at a size by arrays of arrivals: the best partner by brute force, and nothing left at the end."""

from collections import Counter, deque
from typing import Any

import numpy as np
import pytest

from bench.matching.workloads import Stream
from ext.match.matcher import Matcher, variants


class Held:
    """A matcher, and every ticket that waits in it, in plain Python."""

    def __init__(self, size: int, seed: int, **more: Any) -> None:
        self.matcher = Matcher(size + 4096, seed=seed, **more)
        for _ in range(8):
            self.matcher.pool()
        self.before = self.matcher.memory()["lists_open"]
        self.stream = Stream(seed, interests=3000)
        self.size = size
        self.tickets: dict[int, tuple[int, frozenset[int]]] = {}
        self.named: dict[tuple[int, int], set[int]] = {}
        self.line: deque[int] = deque()

    def arrive(self, count: int, *, exact: bool, check: bool, only_insert: bool = False) -> None:
        part = self.stream.take(count)
        partner, handle = np.empty(count, np.int64), np.empty(count, np.int64)
        score = np.zeros(count, np.uint32)
        self.matcher.submit_batch(
            part.pools, part.offsets, part.interests, partner, handle, score,
            clients=part.clients, persons=part.persons, hold=True, exact=exact, only_insert=only_insert,
        )  # fmt: skip
        for i in range(count):
            pool, ids = int(part.pools[i]), frozenset(part.ids(i))
            if check:
                shared = Counter(other for interest in ids for other in self.named.get((pool, interest), ()))
                assert score[i] == max(shared.values(), default=0)
            if partner[i] >= 0:
                other = self.gone(int(partner[i]))
                assert other[0] == pool
                assert len(other[1] & ids) == score[i]
            self.tickets[int(handle[i])] = (pool, ids)
            self.line.append(int(handle[i]))
            for interest in ids:
                self.named.setdefault((pool, interest), set()).add(int(handle[i]))
        while len(self.tickets) > self.size:
            oldest = self.line.popleft()
            if oldest in self.tickets:
                assert self.matcher.remove(oldest)
                self.gone(oldest)

    def gone(self, handle: int) -> tuple[int, frozenset[int]]:
        pool, ids = self.tickets.pop(handle)
        for interest in ids:
            self.named[pool, interest].remove(handle)
        return pool, ids

    def leave(self) -> None:
        """Everybody goes, and nothing is left of anybody."""
        assert self.matcher.remove_batch(np.fromiter(self.tickets, np.int64)) == len(self.tickets)
        self.matcher.tidy(1_000_000)
        after = self.matcher.memory()
        assert len(self.matcher) == 0
        assert after["lists_open"] == self.before
        assert after["postings"] == 0


@pytest.mark.parametrize("variant", variants())
@pytest.mark.parametrize("table_from", [20, 262_144])  # fetched ahead, and not
@pytest.mark.parametrize("size", [60, 1500])
def test_a_small_pool_finds_the_best_and_leaves_nothing(variant: str, size: int, table_from: int) -> None:
    held = Held(size, 7, variant=variant, table_from=table_from)
    for _ in range(20):
        held.arrive(250, exact=True, check=True)
    held.leave()


@pytest.mark.parametrize("variant", variants())
def test_a_pool_whose_dead_are_deleted_later_finds_the_best_and_leaves_nothing(variant: str) -> None:
    held = Held(60_000, 8, variant=variant, table_from=1 << 31, log=0)
    held.arrive(60_000, exact=True, check=False, only_insert=True)
    for _ in range(20):
        held.arrive(1000, exact=True, check=False)
    held.arrive(40, exact=True, check=True)
    held.leave()


@pytest.mark.parametrize("variant", variants())
def test_a_pool_with_a_table_and_a_log_gives_whom_it_has_and_leaves_nothing(variant: str) -> None:
    held = Held(20_000, 9, variant=variant, table_from=2000, log=500)
    held.arrive(20_000, exact=False, check=False, only_insert=True)
    for _ in range(30):
        held.arrive(1000, exact=False, check=False)
    held.arrive(20, exact=True, check=True)
    held.leave()


@pytest.mark.parametrize("variant", variants())
def test_without_a_log_arrivals_of_one_array_come_into_the_same_list(variant: str) -> None:
    """What an arrival looked up when it came is old when it is put under its interests: those before it were put there too."""
    matcher = Matcher(1000, variant=variant, table_from=1, log=0)
    pool = matcher.pool()
    assert isinstance(matcher.submit(100, pool, (7,), 1, 0.0), int)
    partner, handle = np.empty(8, np.int64), np.empty(8, np.int64)
    matcher.submit_batch(
        np.full(8, pool, np.uint16), np.arange(0, 17, 2, dtype=np.uint32),
        np.array([(7, 1000 + i) for i in range(8)], np.uint32).ravel(), partner, handle, np.zeros(8, np.uint32),
        clients=np.arange(101, 109, dtype=np.uint64), only_insert=True,
    )  # fmt: skip
    assert matcher.memory()["lists_open"] == 1 + 1 + 8
    found = [matcher.submit(200, pool, (7,), 1, 0.0, exact=True) for _ in range(9)]
    assert [answer[0] if isinstance(answer, tuple) else None for answer in found] == list(range(100, 109))
    assert len(matcher) == 0


@pytest.mark.parametrize("variant", variants())
def test_interests_of_two_pools_under_one_hash_are_kept_apart(variant: str) -> None:
    """The hash of a pool is a permutation: any interest of one pool shares its hash with one of every other."""
    matcher = Matcher(1000, variant=variant, seed=0)
    one, two = matcher.pool(), matcher.pool()
    twin = same_hash(5)
    assert isinstance(matcher.submit(1, one, (5, 7), 1, 0.0), int)
    assert isinstance(matcher.submit(2, two, (twin,), 1, 0.0), int)
    assert isinstance(matcher.submit(3, two, (6, 5), 1, 0.0), int)
    assert isinstance(matcher.submit(4, one, (twin,), 1, 0.0), int)
    found = matcher.submit(5, two, (twin, 9), 1, 0.0)
    assert isinstance(found, tuple)
    assert found[:2] == (2, (twin,))
    found = matcher.submit(6, one, (8, 5), 1, 0.0)
    assert isinstance(found, tuple)
    assert found[:2] == (1, (5,))
    assert len(matcher) == 2


@pytest.mark.parametrize("variant", variants())
def test_a_tombstone_hides_nobody_of_another_pool(variant: str) -> None:
    matcher = Matcher(1000, variant=variant, seed=0, table_from=1, log=1)
    one, two = matcher.pool(), matcher.pool()
    twin = same_hash(5)

    def arrive(client: int, *ids: int) -> int:
        """In pool one, in the stead of whom it meets."""
        partner, handle = np.empty(1, np.int64), np.empty(1, np.int64)
        matcher.submit_batch(
            np.array([one], np.uint16), np.array([0, len(ids)], np.uint32), np.array(ids, np.uint32), partner, handle,
            np.zeros(1, np.uint32), clients=np.array([client], np.uint64), hold=True,
        )  # fmt: skip
        return int(handle[0])

    arrive(1, 5, 7)
    instead = arrive(2, 7)  # the first is gone, and its tombstone stands where 5 is found
    assert isinstance(matcher.submit(3, two, (twin,), 1, 0.0, look=False), int)
    assert matcher.remove(instead)
    assert isinstance(matcher.submit(4, two, (8,), 1, 0.0, look=False), int)  # takes the first one's slot
    assert len(matcher) == 2
    found = matcher.submit(5, two, (twin,), 1, 0.0, exact=True)
    assert isinstance(found, tuple)
    assert found[0] == 3


def same_hash(interest: int) -> int:
    """What has in pool 1 the hash that `interest` has in pool 0, for seed 0: before the pool is added both are multiplied alike."""
    first, added, word = 0x85EBCA6B, 0x9E3779B1, 0xFFFFFFFF
    x = ((interest ^ interest >> 16) * first - added) & word
    x = x * pow(first, -1, 1 << 32) & word
    return x ^ x >> 16


def test_a_waiting_ticket_that_looks_again_still_knows_its_interests() -> None:
    matcher = Matcher(1000, seed=0x1234_5678_9ABC_DEF0)
    pool = matcher.pool()
    named = (0, 1, 77, 0x1234_5678, 0xFFFF_FFFD, *range(100, 120))
    waits = matcher.submit(1, pool, named, 0, 0.0, look=False)
    assert isinstance(waits, int)
    for interest in named:
        other = matcher.submit(2, pool, (interest,), 0, 0.0, look=False, person=2)
        assert isinstance(other, int)
        found = matcher.retry(waits, 1, exact=True)
        assert found is not None
        assert found[:2] == (2, (interest,))
        again = matcher.submit(1, pool, named, 0, 0.0, look=False)
        assert isinstance(again, int)
        waits = again
