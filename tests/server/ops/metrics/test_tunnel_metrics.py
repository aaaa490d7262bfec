"""Tunnels have their part of the table, with a value for each way in which one ends."""

from server.ops.metrics.metric_table import METRICS, VALUES
from server.ops.metrics.tunnel_metrics import ENDS, RETURNS, TUNNELLED


def test_all_of_tunnels_is_in_the_table_once() -> None:
    assert [metric.name for metric in METRICS if metric in TUNNELLED] == [metric.name for metric in TUNNELLED]


def test_every_metric_with_a_label_lists_its_values() -> None:
    assert VALUES["serendip_tunnels_ended"] == {"why": ENDS}
    assert VALUES["serendip_visitor_returns"] == {"result": RETURNS}
