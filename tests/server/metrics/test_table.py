"""The table of metrics is whole: each has a question, units are in the names, and values are of labels that there are."""

from server.metrics.table import METRICS, VALUES, Metric


def test_every_metric_has_a_question() -> None:
    assert [metric.name for metric in METRICS if not metric.question.endswith("?")] == []


def test_values_are_listed_only_for_labels_that_a_metric_has() -> None:
    labels = {metric.name: set(metric.labels) for metric in METRICS}
    assert {name: set(values) - labels[name] for name, values in VALUES.items() if set(values) - labels[name]} == {}


def test_a_counter_is_shown_with_total_and_a_unit_is_read_from_the_name() -> None:
    counter = Metric("serendip_sent_bytes", "counter", "bytes sent", "How much?")
    assert (counter.shown, counter.unit) == ("serendip_sent_bytes_total", "bytes")
    gauge = Metric("serendip_rings", "gauge", "rings held", "How many?")
    assert (gauge.shown, gauge.unit) == ("serendip_rings", "1")
