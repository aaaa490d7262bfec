"""What the matcher's bench makes of several rounds."""

from bench.matching.result_rows import Row, middle


def test_of_several_rounds_each_scenario_keeps_its_median() -> None:
    rounds = [
        [Row("a", arrivals_per_s=3.0, p99_ns=1.0), Row("b", arrivals_per_s=1.0)],
        [Row("a", arrivals_per_s=1.0, p99_ns=3.0), Row("b", arrivals_per_s=3.0)],
        [Row("a", arrivals_per_s=2.0, p99_ns=2.0), Row("b", arrivals_per_s=2.0)],
    ]
    assert [(row.scenario, row.arrivals_per_s) for row in middle(rounds)] == [("a", 2.0), ("b", 2.0)]
    assert middle(rounds)[0].p99_ns == 2.0  # all that a row says of its own is of one round
    assert (middle(rounds)[0].slowest_round_per_s, middle(rounds)[0].fastest_round_per_s) == (1.0, 3.0)
    assert [row.arrivals_per_s for row in middle(rounds[:2])] == [1.0, 1.0]
