"""What the engine measures."""

from engine.core.engine_histograms import EngineHistograms, Histogram


def test_a_value_counts_in_the_first_bucket_whose_bound_it_does_not_pass() -> None:
    histogram = Histogram((1.0, 2.0))
    for value in (0.5, 1.0, 1.5, 3.0):
        histogram.add(value)
    assert (histogram.counts, histogram.total) == ([2, 1, 1], 6.0)


def test_a_match_counts_the_wait_of_both_and_once_what_they_share() -> None:
    measures = EngineHistograms()
    measures.matched(True, 0.0, 5.0, 2)
    assert sum(measures.waits["video"].counts) == 2
    assert sum(measures.waits["text"].counts) == 0
    assert (sum(measures.common.counts), measures.common.total) == (1, 2.0)
