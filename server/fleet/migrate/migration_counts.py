"""Count migrated sessions, as source and as target, by cause, transport of the connection and result, for the metrics."""

from server.ops.metrics.histogram import Histogram
from server.ops.metrics.metric_type import Reading
from server.ops.metrics.migration_metrics import (
    ABROAD_WAYS,
    DESCRIPTOR,
    MOVE_BOUNDS,
    MOVE_RESULTS,
    MOVE_WAYS,
    MOVE_WHYS,
)


class MigrationCounts:
    """Counters of one process. `people`: by (cause, result), within a host; `between_hosts`: by (cause, transport, result), between hosts."""

    def __init__(self) -> None:
        self.people = {(why, result): 0 for why in MOVE_WHYS for result in MOVE_RESULTS}
        self.between_hosts = {
            (why, way, result): 0 for why in MOVE_WHYS for way in ABROAD_WAYS for result in MOVE_RESULTS
        }
        self._seconds = {(why, way): Histogram(MOVE_BOUNDS) for why in MOVE_WHYS for way in MOVE_WAYS}  # out of service
        self.left = 0  # sessions that have not moved yet; 0 while no migration runs

    def came(self, why: str, people: int, seconds: float) -> None:
        """Count sessions that arrived, which were out of service for so many seconds."""
        self.people[why, "taken"] += people
        self.out_of_service(why, DESCRIPTOR, seconds)

    def went(self, why: str, way: str, result: str, people: int) -> None:
        """Count sessions whose transfer ended so (`transfer.TABLE`)."""
        if way == DESCRIPTOR:
            self.people[why, result] += people
        else:
            self.between_hosts[why, way, result] += people

    def out_of_service(self, why: str, way: str, seconds: float) -> None:
        """Record for how many seconds migrated sessions were out of service."""
        self._seconds[why, way].add(seconds if seconds > 0.0 else 0.0)

    def reading(self) -> Reading:
        """Return the metrics."""
        moves: dict[tuple[str, ...], float] = {
            (why, DESCRIPTOR, result): count for (why, result), count in self.people.items()
        }
        moves.update(self.between_hosts.items())
        return {
            "serendip_migrations": moves,
            "serendip_migration_seconds": {labels: seconds.reading() for labels, seconds in self._seconds.items()},
            "serendip_upgrade_sessions_left": self.left,
        }
