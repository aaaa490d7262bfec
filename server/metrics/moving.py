"""The part of the table that is about sessions that move from one process to another. Rule: declarations only."""

from server.metrics.metric import Metric

# Seconds out of service. 2 ms is what 99 of 100 moves are to stay under; a second is a page that stands still.
MOVE_BOUNDS = (0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.05, 0.25, 1.0)

MOVING = (
    Metric(
        "serendip_moves",
        "counter",
        "people who were to move: the other process has them (taken), they came back since it died (returned), or it could not take them (refused)",
        "Does an upgrade keep everybody?",
        ("result",),
    ),
    Metric(
        "serendip_move_seconds",
        "histogram",
        "how long a person who moved was out of service: from the last byte served by one process to the first by the other",
        "Does anybody feel an upgrade?",
        buckets=MOVE_BOUNDS,
    ),
    Metric(
        "serendip_handover_left",
        "gauge",
        "people whom the process before this one still has; 0 where no hand-over runs",
        "How far is the upgrade, and does it stand still?",
    ),
)
