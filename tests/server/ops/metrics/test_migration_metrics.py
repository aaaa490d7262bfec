"""Moves have their part of the table, and their times the bounds that are asked about."""

from server.ops.metrics.metric_table import METRICS, VALUES
from server.ops.metrics.migration_metrics import ENDS, MOVE_BOUNDS, MOVED, RETURNS, TUNNELLED


def test_all_that_moves_is_in_the_table_once() -> None:
    assert [metric.name for metric in METRICS if metric in MOVED] == [metric.name for metric in MOVED]


def test_what_is_to_be_kept_has_a_bound_of_its_own() -> None:
    """99 of 100 moves within 2 ms; beyond a second nobody asks how long it was."""
    assert 0.002 in MOVE_BOUNDS
    assert (MOVE_BOUNDS[0], MOVE_BOUNDS[-1]) == (0.00025, 1.0)
    assert tuple(sorted(set(MOVE_BOUNDS))) == MOVE_BOUNDS


def test_every_label_of_a_migration_metric_lists_its_values() -> None:
    assert {metric.name: set(metric.labels) for metric in MOVED if metric.labels} == {
        name: set(labels)
        for name, labels in VALUES.items()
        if name.startswith("serendip_migration") and "doubtful" not in name
    }


def test_all_of_tunnels_is_in_the_table_once() -> None:
    assert [metric.name for metric in METRICS if metric in TUNNELLED] == [metric.name for metric in TUNNELLED]


def test_every_label_of_a_tunnel_metric_lists_its_values() -> None:
    assert VALUES["serendip_tunnels_ended"] == {"why": ENDS}
    assert VALUES["serendip_visitor_returns"] == {"result": RETURNS}
