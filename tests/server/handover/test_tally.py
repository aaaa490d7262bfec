"""Every result of a move is a series from the start, so that an alert sees its first."""

from server.handover.tally import Tally
from server.metrics.moved import MOVE_RESULTS


def test_results_are_shown_before_anybody_moved() -> None:
    tally = Tally()
    tally.people["taken"] += 2
    found = tally.reading()
    assert found["serendip_moves"] == {(result,): 2 if result == "taken" else 0 for result in MOVE_RESULTS}
    assert found["serendip_handover_left"] == 0
