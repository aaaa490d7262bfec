"""The part of the table that is about sessions that move from one process to another. Rule: declarations only."""

from server.metrics.metric import Metric

# Seconds out of service. 2 ms is what 99 of 100 moves are to stay under; a second is a page that stands still.
MOVE_BOUNDS = (0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.05, 0.25, 1.0)

MOVING = (
    Metric(
        "serendip_moves",
        "counter",
        "people of hand-overs: who came here (taken), of them without their connection (dropped); who went from here (given), could not go (stayed), "
        "were not taken (refused), or are here again since the new process died (back)",
        "Does an upgrade keep everybody?",
        ("result",),
    ),
    Metric(
        "serendip_move_seconds",
        "histogram",
        "how long people who moved together (a chat, some who wait) were out of service: from one process's last look to the other's first",
        "Does anybody feel an upgrade?",
        buckets=MOVE_BOUNDS,
    ),
    Metric(
        "serendip_handover_left",
        "gauge",
        "people who have not moved yet; 0 where no hand-over runs",
        "How far is the upgrade, and does it stand still?",
    ),
)
