"""Sockets, frames, closes, and the loop that serves them. Rule: a row names the question that it answers; no label holds anything from outside."""

from ext.net.counters import TIME_BOUNDS
from server.metrics.metric import LAG_BOUNDS, Metric

METRICS = (
    Metric("serendip_accepted", "counter", "sockets accepted", question="How many connections arrive?"),
    Metric(
        "serendip_handshakes",
        "counter",
        "request heads by how they were judged; `opened` is a WebSocket, `http` went to aiohttp",
        ("result",),
        question="Why can people not connect?",
    ),
    Metric(
        "serendip_closes",
        "counter",
        "WebSocket connections ended, by the close code and who said it; `none`: no code came",
        ("side", "code"),
        question="Who hangs up on whom, and why?",
    ),
    Metric(
        "serendip_errors",
        "counter",
        "errors told to clients, by code",
        ("code",),
        question="What do clients do wrong, or run into?",
    ),
    Metric(
        "serendip_received_bytes",
        "counter",
        "bytes read from WebSocket connections",
        question="How much traffic comes in?",
    ),
    Metric("serendip_sent_bytes", "counter", "bytes sent to them", question="How much traffic goes out?"),
    Metric("serendip_reads", "counter", "reads of sockets", question="How many frames does a read bring?"),
    Metric("serendip_sends", "counter", "sends to sockets", question="How many messages does a send carry?"),
    Metric("serendip_frames", "counter", "WebSocket frames parsed", question="How many frames does a read bring?"),
    Metric(
        "serendip_decisions",
        "counter",
        "frames that the engine decided on, in Python",
        question="How much leaves the compiled path?",
    ),
    Metric("serendip_pings", "counter", "pings sent to silent clients", question="How many connections are silent?"),
    Metric("serendip_turns", "counter", "turns of the reactor", question="How large are its batches?"),
    Metric(
        "serendip_ready_sockets",
        "counter",
        "ready sockets that those turns found",
        question="How large are its batches?",
    ),
    Metric(
        "serendip_turn_seconds",
        "histogram",
        "how long a turn held the loop",
        (),
        TIME_BOUNDS,
        "Does a turn hold up everybody?",
    ),
    Metric(
        "serendip_loop_lag_seconds",
        "histogram",
        "how late the loop runs a timer",
        (),
        LAG_BOUNDS,
        "Is the process short of CPU, or blocked?",
    ),
    Metric(
        "serendip_http_responses",
        "counter",
        "HTTP answers by class of status",
        ("status",),
        question="Do pages and the API work?",
    ),
)

VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "serendip_handshakes": {
        "result": ("opened", "http", "bad", "host", "origin", "version", "large", "slow", "limited", "busy", "lost")
    },
    "serendip_closes": {
        "side": ("client", "server"),
        "code": (
            "1000",
            "1001",
            "1002",
            "1003",
            "1007",
            "1009",
            "1011",
            "1012",
            "1013",
            "4003",
            "4008",
            "4009",
            "none",
            "other",
            "unanswered",
            "untaken",
        ),
    },
    "serendip_http_responses": {"status": ("2xx", "3xx", "4xx", "5xx")},
}
