"""Declare the metrics of a cluster: NATS, the shared waiting room, requests, session look-ups and broadcasts between hosts.

Rows of `server.ops.metrics.metric_table`; on a single host all of them are zero.
"""

from server.ops.metrics.metric_type import Metric

DROPPED = ("unsent", "seal", "size", "unreadable")
# Reasons to refuse a request at the cluster port: another secret, a wrong clock, expired, a repeated request, another version, a body that is too
# long, a body that does not arrive, too many requests.
REFUSALS = ("mac", "time", "late", "nonce", "kind", "size", "slow", "full")
WAYS = ("in", "out")
# Reasons to ignore another hub's message about the room: unreadable message or row, another version (apart), late or repeated (stale).
UNREADABLE = ("unreadable", "apart", "stale")
# Outcomes of migrations between hosts after which both hosts may have the session: at the source asked, unanswered; at the target ended, kept.
DOUBTS = ("asked", "unanswered", "ended", "kept")
# Outcomes of requests forwarded to another host: answered; the host was gone; it did not answer; too many were in progress.
PASSED_RESULTS = ("answered", "gone", "away", "full")
CLUSTER = (
    Metric(
        "serendip_draining",
        "gauge",
        "1 while an operator's `drain` takes this host out; its last word, so that its end rings no alert",
        "Does a host end on purpose?",
    ),
    Metric("serendip_nats_up", "gauge", "1 where this host has its connection to NATS", "Is a host alone?"),
    Metric("serendip_nats_connects", "counter", "connections that were made to NATS", "Does it come and go?"),
    Metric(
        "serendip_nats_dropped",
        "counter",
        "messages that were not sent as NATS was away, or not believed: sealed with another secret, too large, unreadable",
        "Do two services share one NATS, or has a host another secret?",
        ("why",),
    ),
    Metric(
        "serendip_members",
        "gauge",
        "other hosts that this one hears, by how they stand and by their version",
        "Does each host hear all others, and are their versions the same?",
        ("state", "version"),
    ),
    Metric(
        "serendip_members_clock_seconds",
        "gauge",
        "how far the clock of another host is from this one's, of the farthest",
        "Is a clock off, so that its host is soon not believed?",
    ),
    Metric(
        "serendip_members_apart",
        "gauge",
        "other hosts that have another waiting room, as they tell of theirs in another version",
        "Do people of all hosts meet?",
    ),
    Metric(
        "serendip_hub_owner",
        "gauge",
        "1 where this host has the one waiting room of its cluster, or takes itself for the one",
        "Is there one room?",
    ),
    Metric(
        "serendip_hub_owners_changed",
        "counter",
        "how often another host came to have the waiting room, as this one sees it",
        "Does the room come and go?",
    ),
    Metric(
        "serendip_cluster_gaps",
        "counter",
        "times that something another host said of the waiting room was lost on its way: who waits was handed in again",
        "Does NATS lose what hosts say?",
    ),
    Metric(
        "serendip_cluster_batches",
        "counter",
        "messages about the waiting room, that came from other hosts and went to them",
        "What do hosts have to tell each other?",
        ("way",),
    ),
    Metric(
        "serendip_cluster_batch_bytes",
        "counter",
        "bytes of messages about the waiting room, before they are sealed",
        "What does the one room cost NATS?",
        ("way",),
    ),
    Metric(
        "serendip_cluster_unreadable",
        "counter",
        "what another host said of the waiting room and was not heard, by why: no message or row of one (unreadable), of another version (apart), "
        "late or for the second time (stale)",
        "Do hosts understand each other?",
        ("why",),
    ),
    Metric(
        "serendip_cluster_refused",
        "counter",
        "requests that came to the cluster port and were not served, by why: sealed by another secret (mac), a clock that is off (time), one that "
        "lay here for too long (late), one that "
        "came twice (nonce), of another version (kind), too long (size), not whole in two seconds (slow), too many at once (full)",
        "Do other hosts reach this one, and does anyone else try?",
        ("why",),
    ),
    Metric(
        "serendip_epoch_keys_missing",
        "gauge",
        "keys of epochs that the hosts share and this one has not; that of the next month is wanted a day before it begins",
        "Will records be written, here too?",
    ),
    Metric(
        "serendip_migrations_doubtful",
        "counter",
        "crossings to another host of which it did not say that it has the people: the other host is asked to forget them (asked) and does not "
        "answer for 15 s (unanswered); and, there: people who were ended for that (ended), and who had come back there already (kept)",
        "Were people at two hosts for a moment?",
        ("what",),
    ),
    Metric(
        "serendip_http_forwarded",
        "counter",
        "requests that came here and were another host's to answer, by what for (Omegle's protocol, its logs, pictures, college checks, files of "
        "another release's page), and by what became of them: answered there, the host was gone, it did not answer, too many were under way",
        "Do requests reach the host that knows the answer?",
        ("what", "result"),
    ),
    Metric(
        "serendip_http_passing",
        "gauge",
        "requests that are passed on to other hosts now; a held poll of Omegle's protocol is one",
        "How much of what comes here is another host's?",
    ),
)
CLUSTER_VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "serendip_nats_dropped": {"why": DROPPED},
    "serendip_cluster_refused": {"why": REFUSALS},
    "serendip_cluster_batches": {"way": WAYS},
    "serendip_cluster_batch_bytes": {"way": WAYS},
    "serendip_cluster_unreadable": {"why": UNREADABLE},
    "serendip_migrations_doubtful": {"what": DOUBTS},
    "serendip_http_forwarded": {
        "what": ("omegle", "log", "picture", "college", "page", "poll"),
        "result": PASSED_RESULTS,
    },
}


# Results of looking for a session key at other hosts: asked; found at one; full: not asked because too many look-ups were running; answered: found
# here for another host.
SOUGHT = ("asked", "found", "full", "answered")
# Broadcasts: sent (said), received (heard), lost because the queue was full; missed ones that another host sent on request (caught_up); requests
# without an answer (unanswered).
TOLD = ("said", "heard", "lost", "caught_up", "unanswered")
TOLD_METRICS = (
    Metric(
        "serendip_session_lookups",
        "counter",
        "resumed sessions that this host does not have, by the result of asking the others (asked; found; full: too many at once), "
        "and those that this host has and another asked for (answered)",
        "Do people find their chat at whatever host they come back to?",
        ("result",),
    ),
    Metric(
        "serendip_broadcasts",
        "counter",
        "facts that all hosts need about a user (an age, a weighed report, disabled video) or the store: sent to them, received from them, "
        "lost as too much waited; told to this one when it came, or was back (caught_up), and hosts that gave no answer then (unanswered)",
        "Does a measure hold on every host?",
        ("result",),
    ),
)
TOLD_VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "serendip_session_lookups": {"result": SOUGHT},
    "serendip_broadcasts": {"result": TOLD},
}
