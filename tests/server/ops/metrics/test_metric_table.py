"""The table of metrics is whole: each has a question, units are in the names, and values are of labels that there are."""

from server.ops.metrics.metric_table import METRICS, VALUES


def test_every_metric_has_a_question() -> None:
    assert [metric.name for metric in METRICS if not metric.question.endswith("?")] == []


def test_values_are_listed_only_for_labels_that_a_metric_has() -> None:
    labels = {metric.name: set(metric.labels) for metric in METRICS}
    assert {name: set(values) - labels[name] for name, values in VALUES.items() if set(values) - labels[name]} == {}
