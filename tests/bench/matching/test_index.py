"""What the matcher's bench makes of several rounds, and its spans."""

from bench.matching.matcher import BATCH, SPAN, Result, Run, middle
from bench.matching.workloads import Stream
from ext.match.matcher import Matcher


def test_of_several_rounds_each_scenario_keeps_its_median() -> None:
    rounds = [
        [Result("a", arrivals_per_s=3.0, p99_ns=1.0), Result("b", arrivals_per_s=1.0)],
        [Result("a", arrivals_per_s=1.0, p99_ns=3.0), Result("b", arrivals_per_s=3.0)],
        [Result("a", arrivals_per_s=2.0, p99_ns=2.0), Result("b", arrivals_per_s=2.0)],
    ]
    assert [(row.scenario, row.arrivals_per_s) for row in middle(rounds)] == [("a", 2.0), ("b", 2.0)]
    assert middle(rounds)[0].p99_ns == 2.0  # all of a row is of one round
    assert [row.arrivals_per_s for row in middle(rounds[:2])] == [1.0, 1.0]


def test_the_spread_is_of_whole_spans() -> None:
    run = Run(Matcher(20_000, lists=200_000), Stream(1))
    run.go(10 * BATCH, exact=True)
    cpus = run.cpus[False]
    cpus[:] = [0.001] * SPAN + [0.004] * SPAN + [1.0]  # the last batch belongs to no whole span
    row = run.result("steady", "exact")
    assert row.slowest_per_s == round(SPAN * BATCH / (0.1 * 0.001 * SPAN + 0.9 * 0.004 * SPAN))
    assert row.fastest_per_s == round(SPAN * BATCH / (0.9 * 0.001 * SPAN + 0.1 * 0.004 * SPAN))
    del cpus[SPAN - 1 :]
    row = run.result("steady", "exact")
    assert row.slowest_per_s == row.fastest_per_s == 0.0
