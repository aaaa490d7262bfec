"""Every result of a move is a series from the start, so that an alert sees its first."""

from server.handover.tally import Tally
from server.metrics.moved import MOVE_RESULTS, MOVE_WHYS


def test_results_are_shown_before_anybody_moved() -> None:
    tally = Tally()
    tally.came("meet", 2, 0.0007)
    found = tally.reading()
    assert found["serendip_moves"] == {
        (why, "descriptor", result): 2 if (why, result) == ("meet", "taken") else 0
        for why in MOVE_WHYS
        for result in MOVE_RESULTS
    }
    assert {labels: sum(times.counts) for labels, times in found["serendip_move_seconds"].items()} == {
        (why,): int(why == "meet") for why in MOVE_WHYS
    }
    assert found["serendip_handover_left"] == 0
