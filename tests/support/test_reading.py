"""Test that each process of a run reads all tests, beginning at another one."""

from pathlib import Path

import pytest

from tests.support.reading import begun

FILES = [Path(f"test_{number}.py") for number in range(10)]


@pytest.mark.parametrize("count", [1, 2, 3, 6, 10])
def test_each_reads_all_and_begins_elsewhere(count: int) -> None:
    orders = [begun(FILES, number, count) for number in range(count)]
    assert [sorted(order) for order in orders] == [FILES] * count
    assert len({order[0] for order in orders}) == count


def test_who_is_alone_keeps_the_order() -> None:
    assert begun(FILES, 0, 1) == FILES
