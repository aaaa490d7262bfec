"""Declare metrics of tunnels: users connected to one host whose session is at another; a part of `server.ops.metrics.metric_table`."""

from server.ops.metrics.declaration import Metric
from server.ops.metrics.migration_metrics import MOVE_BOUNDS

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
        "Does anybody notice the way back?",
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
