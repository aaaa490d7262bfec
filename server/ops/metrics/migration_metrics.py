"""Declare metrics of migrations between processes and hosts, a part of `server.ops.metrics.metric_table`."""

from server.ops.metrics.declaration import Metric

# Seconds. 99 of 100 should be within two milliseconds; beyond a second the exact time does not matter.
MOVE_BOUNDS = (0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0)
UPGRADE, MEET, RESUME, DRAIN = "upgrade", "meet", "resume", "drain"
MOVE_WHYS = (UPGRADE, MEET, RESUME, DRAIN)
# How the client's connection follows: within a host by its descriptor; to another host by a tunnel, or not at all: the client reconnects.
DESCRIPTOR, TUNNEL, NONE = "descriptor", "tunnel", "none"
ABROAD_WAYS = (TUNNEL, NONE)
MOVE_WAYS = (DESCRIPTOR, *ABROAD_WAYS)
# Outcomes of migrations, as each of the two processes counts them.
MOVE_RESULTS = ("taken", "given", "back", "refused")
MOVED = (
    Metric(
        "serendip_moves",
        "counter",
        "people who moved, by why (an upgrade; to meet somebody or to resume in another worker; since theirs ends), by the way of their "
        "connection (its descriptor; to another host a tunnel, or none: the client comes back), and by what became of it: came from the other "
        "process, went to it, came back because it died or was not reached, were refused there",
        "Does everybody arrive who is to be in another process?",
        ("why", "way", "result"),
    ),
    Metric(
        "serendip_move_seconds",
        "histogram",
        "how long people who moved were out of service, from one process's last byte to the other's first, by why and by the way of their "
        "connection; of those who went to another host as the host that they left measures it",
        "Does anybody notice a move?",
        ("why", "way"),
        buckets=MOVE_BOUNDS,
    ),
    Metric(
        "serendip_handover_left",
        "gauge",
        "people whom the old process still has while a hand-over runs, 0 otherwise",
        "Does a hand-over stand still?",
    ),
)
MOVE_VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "serendip_moves": {"why": MOVE_WHYS, "way": MOVE_WAYS, "result": MOVE_RESULTS},
    "serendip_move_seconds": {"why": MOVE_WHYS, "way": MOVE_WAYS},
}
