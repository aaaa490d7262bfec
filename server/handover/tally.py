"""What a process counts of people who move, as who came and as who goes. Rule: plain additions, read at the scrape."""

from collections import Counter

from server.metrics.exposition import Reading
from server.metrics.histogram import Histogram
from server.metrics.moved import DESCRIPTOR, MOVE_BOUNDS, MOVE_RESULTS, MOVE_WHYS


class Tally:
    """One of a process. `people`: by why they move, and what became of it."""

    def __init__(self) -> None:
        self.people = Counter({(why, result): 0 for why in MOVE_WHYS for result in MOVE_RESULTS})
        self._seconds = {why: Histogram(MOVE_BOUNDS) for why in MOVE_WHYS}  # out of service, of those who came
        self.left = 0  # people who have not moved yet; 0 where no hand-over runs

    def came(self, why: str, people: int, seconds: float) -> None:
        """So many are here, who were out of service for that long."""
        self.people[why, "taken"] += people
        self._seconds[why].add(max(0.0, seconds))

    def reading(self) -> Reading:
        """A source of metrics."""
        return {
            "serendip_moves": {(why, DESCRIPTOR, result): count for (why, result), count in self.people.items()},
            "serendip_move_seconds": {(why,): seconds.reading() for why, seconds in self._seconds.items()},
            "serendip_handover_left": self.left,
        }
