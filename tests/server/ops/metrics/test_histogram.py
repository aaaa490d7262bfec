"""A value falls into the first bucket whose bound is not below it, or behind the last."""

from server.ops.metrics.histogram import Histogram


def test_values_fall_into_the_bucket_of_their_bound_and_are_summed() -> None:
    histogram = Histogram((0.5, 1.0))
    for value in (0.0, 0.5, 0.75, 1.0, 8.0):
        histogram.add(value)
    assert histogram.reading() == ((2, 2, 1), 10.25)


def test_a_reading_stays_as_it_was_read() -> None:
    histogram = Histogram((1.0,))
    before = histogram.reading()
    histogram.add(0.5)
    assert before == ((0, 0), 0.0)
