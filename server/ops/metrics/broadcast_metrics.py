"""Declare metrics of session look-ups and broadcasts between hosts, a part of `server.ops.metrics.metric_table`."""

from server.ops.metrics.declaration import Metric

# Results of looking for a session key at other hosts: asked; found at one; full: not asked because too many look-ups were running; answered: found
# here for another host.
SOUGHT = ("asked", "found", "full", "answered")
# Broadcasts: sent (said), received (heard), lost because the queue was full; missed ones that another host sent on request (caught_up); requests
# without an answer (unanswered).
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
