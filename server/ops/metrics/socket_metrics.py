"""Declare the metrics of sockets: handshakes, frames, closes, HTTP, and the event loop, as rows of `server.ops.metrics.metric_table`."""

from ext.net.counters import TIME_BOUNDS
from server.ops.metrics.metric_type import Metric

LAG_BOUNDS = (0.001, 0.0025, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0, 15.0, 60.0)  # seconds; uvloop's own resolution is 1 ms
HTTP_BOUNDS = (0.005, 0.025, 0.1, 0.5, 2.5, 10.0, 30.0)  # seconds; a poll of Omegle's protocol is held for 30
WIRE = (
    Metric("serendip_accepted", "counter", "sockets accepted", "How many connections arrive?"),
    Metric(
        "serendip_handshakes",
        "counter",
        "request heads by how they were judged; `opened` is a WebSocket, `http` went to aiohttp, `short` found no descriptor or memory",
        "Why can people not connect?",
        ("result",),
    ),
    Metric(
        "serendip_closes",
        "counter",
        "WebSocket connections ended, by the close code and who said it; `none`: no code came",
        "Who hangs up on whom, and why?",
        ("side", "code"),
    ),
    Metric(
        "serendip_errors",
        "counter",
        "errors told to clients, by code",
        "What do clients do wrong, or run into?",
        ("code",),
    ),
    Metric(
        "serendip_limited",
        "counter",
        "frames refused by a person's rate, by what they asked; what is neither a search nor a signal stands with messages",
        "Whom do the limits stop, and at what?",
        ("what",),
    ),
    Metric("serendip_received_bytes", "counter", "bytes read from WebSocket connections", "How much traffic comes in?"),
    Metric("serendip_sent_bytes", "counter", "bytes sent to them", "How much traffic goes out?"),
    Metric("serendip_reads", "counter", "reads of sockets", "How many frames does a read bring?"),
    Metric("serendip_sends", "counter", "sends to sockets", "How many messages does a send carry?"),
    Metric("serendip_frames", "counter", "WebSocket frames parsed", "How many frames does a read bring?"),
    Metric(
        "serendip_decisions",
        "counter",
        "frames that the engine decided on, in Python",
        "How much leaves the compiled path?",
    ),
    Metric("serendip_pings", "counter", "pings sent to silent clients", "How many connections are silent?"),
    Metric("serendip_turns", "counter", "turns of the reactor", "How large are its batches?"),
    Metric("serendip_ready_sockets", "counter", "ready sockets that those turns found", "How large are its batches?"),
    Metric(
        "serendip_turn_seconds",
        "histogram",
        "how long a turn held the loop",
        "Does a turn delay all users?",
        buckets=TIME_BOUNDS,
    ),
    Metric(
        "serendip_loop_lag_seconds",
        "histogram",
        "how late the loop runs a timer, of four a second, or of one a second without a connection",
        "Is a process short of CPU, or blocked?",
        ("process",),
        buckets=LAG_BOUNDS,
    ),
    Metric(
        "serendip_http_responses",
        "counter",
        "HTTP answers by class of status",
        "Do pages and the API work?",
        ("status",),
    ),
    Metric(
        "serendip_http_spoilt",
        "counter",
        "HTTP connections by what a client did wrong: no request (malformed), hung up within its body (aborted), took no answer (untaken),"
        " too many at the port of the metrics or the console (crowded)",
        "Do clients try what HTTP does not allow?",
        ("why",),
    ),
    Metric(
        "serendip_http_seconds",
        "histogram",
        "how long a handler took, by the first part of its address (`none`: nothing is there; `/events` is held on purpose)",
        "Which pages are slow?",
        ("route",),
        buckets=HTTP_BOUNDS,
    ),
    Metric(
        "serendip_gc_collections",
        "counter",
        "runs of Python's garbage collector",
        "Does something leave cycles?",
        ("generation",),
    ),
    Metric("serendip_gc_seconds", "counter", "time that these held the loop", "Does the collector delay all users?"),
)
