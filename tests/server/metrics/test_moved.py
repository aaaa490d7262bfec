"""The metrics of hand-overs belong to the table."""

from server.metrics.moved import MOVE_BOUNDS, MOVED
from server.metrics.table import METRICS


def test_they_are_in_the_table_and_bounds_rise() -> None:
    assert set(MOVED) <= set(METRICS)
    assert list(MOVE_BOUNDS) == sorted(set(MOVE_BOUNDS))
