"""What moves cost and what came of them, for the metrics. Rule: counted by whoever decides it, once a person.

Both processes of a hand-over count, and only the one that goes on is asked: the new one tells who was taken and what the old one still has, the
old one (where it has to go on) who came back.
"""

from server.metrics.exposition import Reading
from server.metrics.histogram import Histogram
from server.metrics.moving import MOVE_BOUNDS
from server.metrics.table import VALUES


class Moved:
    """One process's counts, from its start on. `left`: people whom the process before this one still has."""

    def __init__(self) -> None:
        self.left = 0
        self._results = dict.fromkeys(VALUES["serendip_moves"]["result"], 0)
        self._times = Histogram(MOVE_BOUNDS)

    def taken(self, seconds: float) -> None:
        """One more who goes on here; out of service for `seconds`."""
        self._results["taken"] += 1
        self._times.add(max(0.0, seconds))

    def returned(self, people: int) -> None:
        """So many go on in the process that they were to leave."""
        self._results["returned"] += people

    def refused(self, people: int) -> None:
        """So many could not be taken."""
        self._results["refused"] += people

    def reading(self) -> Reading:
        """The numbers so far."""
        return {
            "serendip_moves": {(result,): count for result, count in self._results.items()},
            "serendip_move_seconds": self._times.reading(),
            "serendip_handover_left": self.left,
        }
