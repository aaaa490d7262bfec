"""Every result of a move is a series from the start, so that an alert sees its first."""

from server.fleet.migrate.migration_counts import MigrationCounts
from server.ops.metrics.migration_metrics import MOVE_RESULTS, MOVE_WAYS, MOVE_WHYS


def test_results_are_shown_before_anybody_moved() -> None:
    tally = MigrationCounts()
    tally.came("meet", 2, 0.0007)
    found = tally.reading()
    tally.between_hosts["resume", "tunnel", "given"] += 1
    tally.out_of_service("resume", "tunnel", 0.003)
    moved = {("meet", "descriptor", "taken"): 2, ("resume", "tunnel", "given"): 1}
    assert found["serendip_migrations"] == {
        (why, way, result): 2 if (why, way, result) == ("meet", "descriptor", "taken") else 0
        for why in MOVE_WHYS
        for way in MOVE_WAYS
        for result in MOVE_RESULTS
    }
    found = tally.reading()
    assert {labels: count for labels, count in found["serendip_migrations"].items() if count} == moved
    timed = {("meet", "descriptor"), ("resume", "tunnel")}
    assert {labels: sum(times.counts) for labels, times in found["serendip_migration_seconds"].items()} == {
        (why, way): int((why, way) in timed) for why in MOVE_WHYS for way in MOVE_WAYS
    }
    assert found["serendip_upgrade_sessions_left"] == 0
