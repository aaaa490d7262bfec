"""Metrics of several hosts are part of the table, and their labels hold nothing from outside but versions."""

from server.metrics.cluster import CLUSTER, CLUSTER_VALUES
from server.metrics.table import METRICS, VALUES


def test_they_stand_in_the_table_in_their_order() -> None:
    assert [metric for metric in METRICS if metric in CLUSTER] == list(CLUSTER)


def test_their_labels_are_few_and_known() -> None:
    assert {label for metric in CLUSTER for label in metric.labels} == {"state", "version", "why"}
    assert all(VALUES[name] == values for name, values in CLUSTER_VALUES.items())
