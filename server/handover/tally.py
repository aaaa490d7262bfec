"""What a process counts of its hand-overs, as who came and as who goes. Rule: plain additions, read at the scrape."""

from collections import Counter

from server.metrics.exposition import Reading
from server.metrics.histogram import Histogram
from server.metrics.moved import MOVE_BOUNDS, MOVE_RESULTS


class Tally:
    """One of a process."""

    def __init__(self) -> None:
        self.people: Counter[str] = Counter(dict.fromkeys(MOVE_RESULTS, 0))
        self.seconds = Histogram(MOVE_BOUNDS)  # out of service, of those who came
        self.left = 0  # people who have not moved yet; 0 where no hand-over runs

    def reading(self) -> Reading:
        """A source of metrics."""
        return {
            "serendip_moves": {(result,): count for result, count in self.people.items()},
            "serendip_move_seconds": self.seconds.reading(),
            "serendip_handover_left": self.left,
        }
