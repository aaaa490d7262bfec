"""The board Operations: process, network, store, limits and abuse, privacy."""

from grafana.parts import HERE, Board, Panel, Row, quantiles, rate, total

BOARD = Board(
    "serendip-operations",
    "Serendip: Operations",
    "Process, network, store, limits and abuse, privacy.",
    rows=(
        Row(
            "Process",
            (
                Panel("CPU", "Cores used by each process. It is one thread: at 1 it is full.", "short",
                      ((rate("process_cpu_seconds_total", "instance"), "{{instance}}"),), ((0.8, "orange"), (0.95, "red"))),
                Panel("Resident memory", "A waiting client costs about 1.5 KB.", "bytes", ((total("process_resident_memory_bytes", "instance"), "{{instance}}"),)),
                Panel("Descriptors", "Share of the limit. At 1 nobody can connect.", "percentunit",
                      ((f"max by (instance) (process_open_fds{{{HERE}}} / process_max_fds{{{HERE}}})", "{{instance}}"),), ((0.8, "orange"), (0.95, "red"))),
                Panel("Loop lag", "How late the loop runs a timer. Grows when the core is short or something blocks.", "s",
                      quantiles("serendip_loop_lag_seconds", of=(0.5, 0.99)), ((0.1, "orange"), (0.5, "red"))),
                Panel("Versions", "What runs where.", "short", ((total("serendip_build_info", "version, python"), "{{version}} on Python {{python}}"),), stacked=True),
                Panel("Since the start", "Age of each process; a saw-tooth restarts again and again.", "s",
                      ((f"time() - max by (instance) (process_start_time_seconds{{{HERE}}})", "{{instance}}"),)),
            ),
        ),
        Row(
            "Network",
            (
                Panel("Connections accepted", "Sockets accepted, WebSockets opened, handed to HTTP.", "cps",
                      ((rate("serendip_accepted_total"), "accepted"), (rate("serendip_handshakes_total", "result", ', result=~"opened|http"'), "{{result}}"))),
                Panel("Closes", "By side and code. `none`: the network went; `1012`: our restart; `unanswered`: no answer to pings.", "cps",
                      ((rate("serendip_closes_total", "side, code"), "{{side}} {{code}}"),)),
                Panel("Traffic", "Bytes of WebSocket connections.", "Bps", ((rate("serendip_received_bytes_total"), "in"), (rate("serendip_sent_bytes_total"), "out"))),
                Panel("Sockets held", "WebSockets, all sockets of the reactor, HTTP connections.", "short",
                      ((total("serendip_connections"), "WebSockets"), (total("serendip_sockets"), "reactor"), (total("serendip_http_connections"), "HTTP"))),
                Panel("Sessions taken up again", "By a new connection after a drop.", "cps", ((rate("serendip_resumes_total"), "resumes"),)),
                Panel("Silent clients", "Pings sent to clients that said nothing for 25 s.", "cps", ((rate("serendip_pings_total"), "pings"),)),
            ),
        ),
        Row(
            "Video",
            (
                Panel("Relayed media", "What TURN servers carry; out is what a provider bills. Two people behind one relay count at both.", "Bps",
                      ((rate("serendip_media_relayed_bytes_total", "direction"), "{{direction}}"),)),
                Panel("Relayed calls", "Credentials given out, and allocations that ended: the share of calls that need a relay.", "cps",
                      ((rate("serendip_media_credentials_total"), "credentials"), (rate("serendip_media_relay_sessions_total"), "relayed"),
                       (rate("serendip_signals_total"), "signals"))),
                Panel("Relays that report", "Connections of TURN servers. None: they are away, or not told to report.", "short",
                      ((total("serendip_media_relays_reporting"), "connections"),)),
            ),
        ),
        Row(
            "Limits and abuse",
            (
                Panel("Limits at work", "`limited`: too many connections of a network; `too_fast`, `flood`: too much of one client.", "cps",
                      ((rate("serendip_handshakes_total", more=', result="limited"'), "limited"),
                       (rate("serendip_errors_total", "code", ', code=~"too_fast|flood|busy|banned|challenge"'), "{{code}}"))),
                Panel("Reports", "By reason, each chat and side once. Compare with chats begun.", "cps", ((rate("serendip_reports_total", "reason"), "{{reason}}"),)),
                Panel("Networks", "Client addresses in the table of limits (a million at most).", "short", ((total("serendip_addresses"), "addresses"),),
                      ((800_000, "orange"),)),
            ),
        ),
        Row(
            "Store and privacy",
            (
                Panel("Records", "Chats written, lost, and batches that failed. `lost` must stay at nought.", "cps",
                      ((rate("serendip_store_written_total"), "written"), (rate("serendip_store_lost_total"), "lost"), (rate("serendip_store_failures_total"), "failed batches"))),
                Panel("Records that wait", "For the database. Growing: it is slow or away.", "short", ((total("serendip_store_waiting"), "waiting"),), ((10_000, "orange"),)),
                Panel("Database", "1 while it takes records.", "short", ((f"min by (instance) (serendip_store_up{{{HERE}}})", "{{instance}}"),)),
                Panel("Age of the last purge", "What must be forgotten is forgotten by the purge, every hour.", "s",
                      ((f"time() - max(serendip_store_purged_timestamp_seconds{{{HERE}}})", "age"),), ((7_200, "orange"), (86_400, "red"))),
                Panel("Purges", "Ran to their end, or stopped.", "cps", ((rate("serendip_store_purges_total"), "done"), (rate("serendip_store_purge_failures_total"), "stopped"))),
                Panel("Saved logs", "Saved, refused, removed.", "cps", ((rate("serendip_logs_saved_total"), "saved"), (rate("serendip_logs_refused_total", "why"), "refused: {{why}}"),
                                                                        (rate("serendip_logs_deleted_total"), "removed"))),
                Panel("Log fields dropped", "Events or fields that no list allows: a part would log what it must not.", "cps",
                      ((rate("serendip_log_undeclared_total"), "dropped"),), ((0.001, "red"),)),
            ),
        ),
    ),
)  # fmt: skip
