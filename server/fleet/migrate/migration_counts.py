"""What a process counts of people who move, as who came and as who goes. Rule: plain additions, read at the scrape."""

from collections import Counter

from server.ops.metrics.exposition import Reading
from server.ops.metrics.histogram import Histogram
from server.ops.metrics.migration_metrics import (
    ABROAD_WAYS,
    DESCRIPTOR,
    MOVE_BOUNDS,
    MOVE_RESULTS,
    MOVE_WAYS,
    MOVE_WHYS,
)


class MigrationCounts:
    """One of a process. `people`: by why they move, and what became of it; `abroad`: of those who go to another host or come from one, by
    why, the way of their connection, and what became of it."""

    def __init__(self) -> None:
        self.people = Counter({(why, result): 0 for why in MOVE_WHYS for result in MOVE_RESULTS})
        self.abroad = Counter(
            {(why, way, result): 0 for why in MOVE_WHYS for way in ABROAD_WAYS for result in MOVE_RESULTS}
        )
        self._seconds = {(why, way): Histogram(MOVE_BOUNDS) for why in MOVE_WHYS for way in MOVE_WAYS}  # out of service
        self.left = 0  # people who have not moved yet; 0 where no hand-over runs

    def came(self, why: str, people: int, seconds: float) -> None:
        """So many are here, who were out of service for that long."""
        self.people[why, "taken"] += people
        self.out_of_service(why, DESCRIPTOR, seconds)

    def went(self, why: str, way: str, result: str, people: int) -> None:
        """Count sessions whose transfer ended so (`transfer.TABLE`)."""
        if way == DESCRIPTOR:
            self.people[why, result] += people
        else:
            self.abroad[why, way, result] += people

    def out_of_service(self, why: str, way: str, seconds: float) -> None:
        """Some who moved were, for that long."""
        self._seconds[why, way].add(seconds if seconds > 0.0 else 0.0)

    def reading(self) -> Reading:
        """A source of metrics."""
        moves: dict[tuple[str, ...], float] = {
            (why, DESCRIPTOR, result): count for (why, result), count in self.people.items()
        }
        moves.update(self.abroad.items())
        return {
            "serendip_moves": moves,
            "serendip_move_seconds": {labels: seconds.reading() for labels, seconds in self._seconds.items()},
            "serendip_handover_left": self.left,
        }
