"""What the matcher's bench makes of several rounds, and its spans."""

import numpy as np

from bench.matcher import BATCH, SPAN, Result, Run, middle
from bench.workloads import Stream
from ext.matcher import Matcher


def test_of_several_rounds_each_scenario_keeps_its_median() -> None:
    rounds = [
        [Result("a", arrivals_per_s=3.0, p99_ns=1.0), Result("b", arrivals_per_s=1.0)],
        [Result("a", arrivals_per_s=1.0, p99_ns=3.0), Result("b", arrivals_per_s=3.0)],
        [Result("a", arrivals_per_s=2.0, p99_ns=2.0), Result("b", arrivals_per_s=2.0)],
    ]
    assert [(row.scenario, row.arrivals_per_s) for row in middle(rounds)] == [("a", 2.0), ("b", 2.0)]
    assert middle(rounds)[0].p99_ns == 2.0  # all of a row is of one round
    assert [row.arrivals_per_s for row in middle(rounds[:2])] == [1.0, 1.0]


def test_the_spread_lies_around_the_rate_and_needs_a_whole_span() -> None:
    run = Run(Matcher(200_000, lists=1_000_000), Stream(1))
    run.go(BATCH * SPAN * 6, exact=True)
    row = run.result("steady", "exact")
    assert 0 < row.slowest_per_s <= row.fastest_per_s
    assert row.slowest_per_s <= row.arrivals_per_s * 1.0001
    run.cpus[False].clear()
    run.batch(run.stream.take(BATCH), exact=True)
    run.untimed = BATCH
    short = run.result("steady", "exact")
    assert np.isclose(short.arrivals_per_s, BATCH / run.cpus[False][0], rtol=0.01)
    assert short.slowest_per_s == short.fastest_per_s == 0.0
