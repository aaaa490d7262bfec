"""What arrays of arrivals took: the rate of whole spans of batches."""

from bench.matching.arrival_batches import BATCH, SPAN, Run
from bench.matching.workloads import Stream
from ext.match.matcher import Matcher


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
