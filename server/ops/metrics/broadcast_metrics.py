"""Metrics of what hosts ask and tell each other about people. Rule: as in `server.ops.metrics.metric_table`, of which this is a part."""

from server.ops.metrics.declaration import Metric

# Of keys of sessions: asked of the other hosts, found at one, not asked (or not looked for here) since too many were, found here for another.
SOUGHT = ("asked", "found", "full", "answered")
# Of what all hosts are told: said by this one, heard from another, lost as too much waited; what it did not hear and was told when it asked; hosts
# that did not answer then.
TOLD = ("said", "heard", "lost", "caught_up", "unanswered")
TOLD_METRICS = (
    Metric(
        "serendip_sought",
        "counter",
        "sessions that somebody came back to and this host has not, by what came of asking the others (asked; found; full: too many at once), "
        "and those that this host has and another asked for (answered)",
        "Do people find their chat at whatever host they come back to?",
        ("result",),
    ),
    Metric(
        "serendip_told",
        "counter",
        "what all hosts are to know of somebody (an age, a weighed report, video that is off) or of the store: said to them, heard of them, "
        "lost as too much waited; told to this one when it came, or was back (caught_up), and hosts that gave no answer then (unanswered)",
        "Does a measure hold on every host?",
        ("result",),
    ),
)
TOLD_VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "serendip_sought": {"result": SOUGHT},
    "serendip_told": {"result": TOLD},
}
