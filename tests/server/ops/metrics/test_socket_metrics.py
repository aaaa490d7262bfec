"""Metrics of the wire are part of the table, and their bounds grow."""

from server.ops.metrics.metric_table import METRICS
from server.ops.metrics.socket_metrics import HTTP_BOUNDS, LAG_BOUNDS, WIRE


def test_they_stand_in_the_table_in_their_order() -> None:
    assert [metric for metric in METRICS if metric in WIRE] == list(WIRE)


def test_bounds_grow() -> None:
    assert all(list(bounds) == sorted(set(bounds)) for bounds in (HTTP_BOUNDS, LAG_BOUNDS))
