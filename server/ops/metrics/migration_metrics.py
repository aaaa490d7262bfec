"""Declare the metrics of session migrations between processes and hosts, and of tunnels (relays to a session on another host).

Rows of `server.ops.metrics.metric_table`.
"""

from server.ops.metrics.metric_type import Metric

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
        "serendip_migrations",
        "counter",
        "people who moved, by why (an upgrade; a match or a resume in another worker; the end of their worker), by the way of their "
        "connection (its descriptor; to another host a tunnel, or none: the client comes back), and by what became of it: came from the other "
        "process, went to it, came back because it died or was not reached, were refused there",
        "Does every user arrive in the other process?",
        ("why", "way", "result"),
    ),
    Metric(
        "serendip_migration_seconds",
        "histogram",
        "how long people who moved were out of service, from one process's last byte to the other's first, by why and by the way of their "
        "connection; of those who went to another host as the host that they left measures it",
        "Do users notice a migration?",
        ("why", "way"),
        buckets=MOVE_BOUNDS,
    ),
    Metric(
        "serendip_upgrade_sessions_left",
        "gauge",
        "people whom the old process still has while a hand-over runs, 0 otherwise",
        "Does a hand-over stand still?",
    ),
)
MOVE_VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "serendip_migrations": {"why": MOVE_WHYS, "way": MOVE_WAYS, "result": MOVE_RESULTS},
    "serendip_migration_seconds": {"why": MOVE_WHYS, "way": MOVE_WAYS},
}


ENDS = ("returned", "cut", "lost", "closed", "left", "turned_out", "dropped", "failed")
RETURNS = ("sent", "cut", "stayed")
TUNNELLED = (
    Metric(
        "serendip_tunnels",
        "gauge",
        "people connected here whose session is at another host; they are counted as connected there",
        "How many chats go over two hosts?",
    ),
    Metric(
        "serendip_tunnel_reads",
        "counter",
        "reads of either end of a tunnel; one is a line, or several",
        "How much do hosts pass on for each other?",
    ),
    Metric("serendip_tunnel_bytes", "counter", "bytes that came by either end of a tunnel", "What do tunnels ask of the network?"),
    Metric(
        "serendip_tunnels_ended",
        "counter",
        "tunnels that ended, by why: the other host gave the person back (returned), or began to and went (cut), or was gone (lost: they are told so "
        "and go on here); it closed their connection (closed); they left (left); this process ends (turned_out); the way broke, and they were told "
        "to come back to where their session is (dropped); they had to connect anew (failed)",
        "Do people come back from where they talked?",
        ("why",),
    ),
    Metric(
        "serendip_tunnel_return_seconds",
        "histogram",
        "how long people were out of service on their way back, from the other host's word to this one's first",
        "Do users notice the return?",
        buckets=MOVE_BOUNDS,
    ),
    Metric(
        "serendip_visitors",
        "gauge",
        "people of other hosts' doors whose session is here",
        "How many people come from other hosts?",
    ),
    Metric(
        "serendip_visitor_returns",
        "counter",
        "visitors whose chat was over, by what became of them: given back (sent), lost on the way as their host or the way to it was gone (cut), "
        "kept here as there is too much of theirs (stayed)",
        "Do visitors go back?",
        ("result",),
    ),
)  # fmt: skip
TUNNELLED_VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "serendip_tunnels_ended": {"why": ENDS},
    "serendip_visitor_returns": {"result": RETURNS},
}
