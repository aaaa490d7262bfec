"""A metric's name says how it is counted and in which unit."""

from server.ops.metrics.metric_type import Metric


def test_a_counter_is_shown_with_total_and_a_unit_is_read_from_the_name() -> None:
    counter = Metric("serendip_sent_bytes", "counter", "bytes sent", "How much?")
    assert (counter.shown, counter.unit) == ("serendip_sent_bytes_total", "bytes")
    gauge = Metric("serendip_rings", "gauge", "rings held", "How many?")
    assert (gauge.shown, gauge.unit) == ("serendip_rings", "1")
