"""Test batch pairing: valid, allowed, near the optimum."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ext.match.batch_pairing import pair
from ext.match.errors import BadArray
from tests.support.groups import examples


def best(weights: dict[tuple[int, int], int], left: tuple[int, ...]) -> int:
    """The heaviest matching by trying all."""
    if len(left) < 2:
        return 0
    first, rest = left[0], left[1:]
    most = best(weights, rest)
    for other in rest:
        weight = weights.get((first, other), 0)
        if weight:
            most = max(most, weight + best(weights, tuple(i for i in rest if i != other)))
    return most


@given(
    rows=st.lists(st.frozensets(st.integers(0, 6), max_size=4), max_size=8),
    worth=st.lists(st.integers(1, 20), min_size=7, max_size=7),
    persons=st.lists(st.integers(1, 3), min_size=8, max_size=8),
    avoid=st.lists(st.frozensets(st.integers(1, 3), max_size=1), min_size=8, max_size=8),
    places=st.lists(st.sampled_from([0, 0, 1, 2]), min_size=8, max_size=8),
)
@settings(max_examples=examples(300), deadline=None)
def test_pairs_are_allowed_and_close_to_the_best(
    rows: list[frozenset[int]], worth: list[int], persons: list[int], avoid: list[frozenset[int]], places: list[int]
) -> None:
    n = len(rows)
    offsets = np.cumsum([0, *map(len, rows)], dtype=np.uint32)
    ids = np.array([i for row in rows for i in sorted(row)], np.uint32)
    avoided = np.cumsum([0, *map(len, avoid[:n])], dtype=np.uint32)
    mate = np.zeros(n, np.int32)
    total = pair(
        offsets, ids, np.array([worth[i] for i in ids], np.uint32), mate,
        persons=np.array(persons[:n], np.uint64), avoid_offsets=avoided, avoid=np.array([p for row in avoid[:n] for p in row], np.uint64),
        places=np.array(places[:n], np.uint32),
    )  # fmt: skip
    weights = {
        (a, b): sum(worth[i] for i in rows[a] & rows[b])
        for a in range(n)
        for b in range(a + 1, n)
        if persons[a] != persons[b]
        and persons[a] not in avoid[b]
        and persons[b] not in avoid[a]
        and len({places[a], places[b]} - {0}) < 2
    }
    found = 0
    for a, b in enumerate(mate.tolist()):
        if b >= 0:
            assert mate[b] == a != b
            if a < b:
                assert weights[a, b] > 0
                found += weights[a, b]
    assert found == total
    optimum = best(weights, tuple(range(n)))
    assert optimum / 2 <= total <= optimum


def test_augmenting_gains_over_taking_the_heaviest_edges() -> None:
    dice = np.random.default_rng(1)
    rows = [np.unique((400 * dice.random(5) ** 3).astype(np.uint32)) for _ in range(600)]
    offsets = np.cumsum([0, *map(len, rows)], dtype=np.uint32)
    ids = np.concatenate(rows)
    worth = (20 + ids // 2).astype(np.uint32)
    totals = [pair(offsets, ids, worth, np.empty(600, np.int32), depth=depth) for depth in (0, 2, 4)]
    assert all(a < b for a, b in pairwise(totals))


def test_half_of_what_either_asked_for_is_wanted_while_the_level_is_good() -> None:
    offsets, ids = np.array([0, 3, 6], np.uint32), np.array([0, 1, 2, 2, 3, 4], np.uint32)
    worth, mate = np.full(6, 10, np.uint32), np.zeros(2, np.int32)
    assert pair(offsets, ids, worth, mate, levels=np.array([0, 1], np.uint8)) == 0
    assert pair(offsets, ids, worth, mate, levels=np.array([1, 1], np.uint8)) == 10


def test_bad_arrays_are_refused() -> None:
    mate = np.zeros(1, np.int32)
    one = np.array([1], np.uint32)
    with pytest.raises(BadArray):
        pair(np.array([0, 2], np.uint32), one, one, mate)
    with pytest.raises(BadArray):
        pair(np.array([0, 2], np.uint32), np.array([3, 3], np.uint32), np.array([1, 1], np.uint32), mate)
    with pytest.raises(BadArray):
        pair(np.array([0, 1], np.uint32), one, one, mate, depth=99)
