"""Declare the metrics of a host's processes and of the ipc links (sockets) between them, as rows of `server.ops.metrics.metric_table`.

Metrics with the label `process` are separate for each process; every other metric is the sum over the host.
"""

# The label's value is the process's name: `supervisor`, `hub`, `frontend`, `worker 1` and so on; `server` for a single process.

from engine.rooms.remote_waiting_room import ANSWER_BOUNDS
from server.ops.metrics.metric_type import Metric

ALONE = "server"  # the name of a process that does all the work alone
DEATHS = (
    "ended",
    "hung",
    "link",
    "start",
)  # why a process died: by itself, killed without a heartbeat, killed because its link broke, killed because it did not start in time
# Outcomes of the hub's matches; `moved` counts users whose session migrated for one.
MATCHES = ("made", "moved", "done", "failed", "lost")
PROCESSES = (
    Metric(
        "serendip_process_up",
        "gauge",
        "1 for a process that answered this scrape, 0 for one that did not within half a second, is dead or stands still",
        "Is a process away, or silent?",
        ("process",),
    ),
    Metric("serendip_people", "gauge", "people connected", "Is each worker as full as the others?", ("process",)),
    Metric(
        "serendip_process_cpu_seconds",
        "counter",
        "CPU time, user and system",
        "Is a process's one core full?",
        ("process",),
    ),
    Metric(
        "serendip_cpu_wait_seconds",
        "counter",
        "time in which the main thread was ready to run and had no core",
        "Does the machine give this process the CPU that it wants?",
        ("process",),
    ),
    Metric("serendip_process_resident_memory_bytes", "gauge", "resident memory", "Does a process grow?", ("process",)),
    Metric("serendip_process_open_fds", "gauge", "open descriptors", "Does one run out of descriptors?", ("process",)),
    Metric("serendip_process_max_fds", "gauge", "their limit", "Does one run out of descriptors?", ("process",)),
    Metric(
        "serendip_process_start_time_seconds",
        "gauge",
        "when it was started, unix time",
        "Does a process start again and again?",
        ("process",),
    ),
    Metric(
        "serendip_deaths",
        "counter",
        "processes that died and were started anew, by why: by themselves, since they said nothing, since a link broke, since they did not come to "
        "serve",
        "Does something kill processes, and people's chats with them?",
        ("process", "why"),
    ),
    Metric(
        "serendip_ipc_link_bytes",
        "gauge",
        "bytes that wait in the other processes until this one reads them",
        "Does a process not take what it is sent?",
        ("process",),
    ),
    Metric(
        "serendip_ipc_link_unknown",
        "counter",
        "what one process said and another one's release does not know: messages, rows for the hub, metrics",
        "Do processes of two releases miss something of each other?",
    ),
    Metric(
        "serendip_http_lost",
        "counter",
        "HTTP connections that workers closed, since too many waited for a frontend",
        "Are requests refused because the frontend is away?",
    ),
    Metric("serendip_hub_tickets", "gauge", "people who wait in the hub", "Does the hub know who waits?"),
    Metric(
        "serendip_hub_pending", "gauge", "matches on their way: made, and not reported yet", "Do matches get stuck?"
    ),
    Metric(
        "serendip_hub_matches",
        "counter",
        "matches of the hub: made; begun (done), come to nothing (failed), never reported (lost); and people who had to move for one (moved)",
        "Do those who are matched meet?",
        ("result",),
    ),
    Metric(
        "serendip_hub_answer_seconds",
        "histogram",
        "from a ticket's way to the hub to the first word of it, as its worker sees it",
        "Is the hub slow?",
        buckets=ANSWER_BOUNDS,
    ),
)
PROCESS_VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "serendip_deaths": {"why": DEATHS},
    "serendip_hub_matches": {"result": MATCHES},
}
