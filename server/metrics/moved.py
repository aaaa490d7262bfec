"""Metrics of hand-overs from one process to the next. Rule: as in `server.metrics.table`, of which this is a part."""

from server.metrics.metric import Metric

# Seconds. 99 of 100 are to be within two milliseconds; beyond a second nobody asks how long it was.
MOVE_BOUNDS = (0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0)
# What became of people in a hand-over, as each of the two processes counts it.
MOVE_RESULTS = ("taken", "given", "back", "refused")
MOVED = (
    Metric(
        "serendip_moves",
        "counter",
        "people by what became of them in a hand-over: came from the old process, went to the new one, came back because the new one died, "
        "could not be read there",
        "Did everybody come over at the last upgrade?",
        ("result",),
    ),
    Metric(
        "serendip_move_seconds",
        "histogram",
        "how long people who came were out of service, from the old process's last byte to the new one's first",
        "Does anybody notice an upgrade?",
        buckets=MOVE_BOUNDS,
    ),
    Metric(
        "serendip_handover_left",
        "gauge",
        "people whom the old process still has while a hand-over runs, 0 otherwise",
        "Does a hand-over stand still?",
    ),
)
