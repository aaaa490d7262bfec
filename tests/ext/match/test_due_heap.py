"""Compare the heap with a sorted list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext.match.due_heap import DueHeap


@given(st.lists(st.one_of(st.none(), st.tuples(st.integers(0, 9).map(float), st.integers(0, 2**64 - 1)))))
def test_the_earliest_comes_first_and_of_equals_the_first_come(moves: list[tuple[float, int] | None]) -> None:
    heap = DueHeap()
    plain: list[tuple[float, int]] = []
    for move in moves:
        if move is not None:
            heap.push(*move)
            plain.append(move)
            plain.sort(key=lambda entry: entry[0])  # stable
        elif plain:
            heap.drop()
            plain.pop(0)
        assert heap.first() == (plain[0] if plain else None)
        assert heap.due() == (plain[0][0] if plain else float("inf"))
        if plain:
            assert heap.client() == plain[0][1]
        assert len(heap) == len(plain)


def test_ten_thousand_come_and_go() -> None:
    heap = DueHeap()
    for number in range(10_000):
        heap.push(number * 7919 % 10_007, number)
    came = []
    while (first := heap.first()) is not None:
        came.append(first)
        heap.drop()
    assert came == sorted((number * 7919 % 10_007, number) for number in range(10_000))
    with pytest.raises(IndexError):
        heap.drop()
    with pytest.raises(IndexError):
        heap.client()


def test_who_is_never_due_takes_no_place() -> None:
    heap = DueHeap()
    heap.push(float("inf"), 1)
    assert (len(heap), heap.first()) == (0, None)
