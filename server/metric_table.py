"""Every metric of the service: name, type, unit, labels, meaning, and the operator's question that it answers.

Rule: what is not in METRICS is not shown. No label holds anything from outside: the values of each are listed here or
in the code that counts. `python -m server.metric_table > docs/metrics.md` makes the manual's page; a test keeps it equal.
"""

from typing import Literal, NamedTuple

from engine.measures import CHAT_BOUNDS, COMMON_BOUNDS, MODES, WAIT_BOUNDS
from ext.counters import TIME_BOUNDS

LAG_BOUNDS = (0.001, 0.0025, 0.01, 0.025, 0.1, 0.25, 1.0)  # seconds; uvloop's own resolution is 1 ms
# Languages with a series of their own; others are one, "other", and `*` is "any": cardinality has a bound.
LANGUAGES = (
    "any",
    "ar",
    "de",
    "en",
    "es",
    "fr",
    "hi",
    "id",
    "it",
    "ja",
    "ko",
    "nl",
    "pl",
    "pt",
    "ru",
    "tr",
    "uk",
    "vi",
    "zh",
    "other",
)


class Metric(NamedTuple):
    """One line of the table; `name` without `_total`; `buckets` are upper bounds, without infinity."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    question: str = ""

    @property
    def shown(self) -> str:
        """The name as Prometheus shows it."""
        return self.name + ("_total" if self.kind == "counter" else "")

    @property
    def unit(self) -> str:
        """Seconds, bytes, or a count of the things that the name says."""
        return next((unit for unit in ("seconds", "bytes") if self.name.endswith(unit)), "1")


METRICS: tuple[Metric, ...] = (
    Metric(
        "serendip_build_info",
        "gauge",
        "1, with the versions that run",
        ("version", "python"),
        question="Which version runs where, and since when?",
    ),
    # who is here
    Metric("serendip_connections", "gauge", "open WebSocket connections", question="How many people are connected?"),
    Metric(
        "serendip_sockets",
        "gauge",
        "sockets that the reactor holds: open, with a head to come, closing",
        question="Do sockets pile up that are nobody's?",
    ),
    Metric(
        "serendip_http_connections",
        "gauge",
        "HTTP connections held: pages, API, Omegle polls",
        question="How many descriptors do pages and polls take?",
    ),
    Metric(
        "serendip_sessions",
        "gauge",
        "sessions by what the person does and whether their connection is there",
        ("state", "connection"),
        question="Who waits, who chats, who dropped out and may come back?",
    ),
    Metric(
        "serendip_waiting",
        "gauge",
        "tickets that wait, by mode and language (those set aside left out)",
        ("mode", "language"),
        question="Where do people wait, and is a pool drying up?",
    ),
    Metric(
        "serendip_waiting_aside",
        "gauge",
        "tickets set aside because their connection dropped",
        question="How many would wait again if they came back?",
    ),
    Metric(
        "serendip_addresses",
        "gauge",
        "client addresses with an entry in the table of connection limits",
        question="How many networks do people come from, and is the table's bound near?",
    ),
    # finding somebody
    Metric(
        "serendip_tickets",
        "counter",
        "tickets by what became of them; `submitted` counts them all",
        ("outcome",),
        question="Do searches end in a match, or do people give up?",
    ),
    Metric(
        "serendip_matches",
        "counter",
        "chats begun, by the threshold that let the pair pass",
        ("rule",),
        question="How many are matched by interests, how many merely by waiting?",
    ),
    Metric(
        "serendip_match_wait_seconds",
        "histogram",
        "from `find` to `matched`, each person once",
        ("mode",),
        WAIT_BOUNDS,
        "How long does a person wait?",
    ),
    Metric(
        "serendip_match_common_interests",
        "histogram",
        "interests that the two of a pair share",
        (),
        COMMON_BOUNDS,
        "Do matched people have anything in common?",
    ),
    Metric("serendip_matcher_postings", "counter", "index entries looked at", question="How much work is a search?"),
    Metric(
        "serendip_matcher_candidates",
        "counter",
        "waiting tickets looked at",
        question="How many candidates does a search touch?",
    ),
    Metric(
        "serendip_matcher_cut",
        "counter",
        "searches that their budget ended",
        question="Does the budget cost people better partners?",
    ),
    Metric(
        "serendip_matcher_interests",
        "gauge",
        "interests that somebody waits with",
        question="Is the table of interests near its bound?",
    ),
    Metric(
        "serendip_matcher_memory_bytes",
        "gauge",
        "memory of tickets and index",
        question="What does the waiting room cost?",
    ),
    Metric(
        "serendip_pools",
        "gauge",
        "pools that exist: mode, language, role, college",
        question="Are people split over too many pools?",
    ),
    # chats
    Metric("serendip_chat_seconds", "histogram", "how long a chat lasted", (), CHAT_BOUNDS, "Do people talk, or skip?"),
    Metric(
        "serendip_chats_ended",
        "counter",
        "chats ended, by who or what ended them",
        ("by",),
        question="Do people leave, or does the network end their chats?",
    ),
    Metric(
        "serendip_resumes", "counter", "sessions taken up again by a new connection", question="Does coming back work?"
    ),
    Metric(
        "serendip_reports",
        "counter",
        "reports by reason, one a chat and side",
        ("reason",),
        question="Is there an abuse problem now?",
    ),
    # the relay
    Metric("serendip_messages", "counter", "chat messages relayed", question="How much is said?"),
    Metric("serendip_message_bytes", "counter", "bytes of their text", question="How long are messages?"),
    Metric("serendip_typing", "counter", "typing signs relayed", question="What do typing signs cost?"),
    Metric("serendip_signals", "counter", "WebRTC signals relayed", question="Is video being negotiated?"),
    Metric(
        "serendip_media_credentials",
        "counter",
        "TURN credentials given out, one a person and video chat",
        question="How many calls could be relayed?",
    ),
    Metric(
        "serendip_media_relayed_bytes",
        "counter",
        "bytes that TURN servers report to have carried; two people behind one relay count at both",
        ("direction",),
        question="What do relayed calls cost, and is the relay's line full?",
    ),
    Metric(
        "serendip_media_relay_sessions",
        "counter",
        "allocations that TURN servers report to have ended",
        question="How many calls are relayed, and how long?",
    ),
    Metric(
        "serendip_media_relays_reporting",
        "gauge",
        "connections by which TURN servers report; coturn holds some for each of its threads",
        question="Is a TURN server away, or not told to report?",
    ),
    Metric(
        "serendip_relay_seconds",
        "histogram",
        "a message inside the server: from its socket ready until sent to the partner",
        (),
        TIME_BOUNDS,
        "How long does the server hold a message?",
    ),
    Metric(
        "serendip_backpressure",
        "counter",
        "a socket took no more (blocked), a client was not read for a second (paused)",
        ("event",),
        question="Are partners slow to take what is sent?",
    ),
    Metric(
        "serendip_ring_bytes",
        "gauge",
        "memory of all chats' last messages",
        question="How near is the bound of chat memory?",
    ),
    Metric(
        "serendip_ring_limit_bytes",
        "gauge",
        "the bound of that memory (chat.memory)",
        question="How near is the bound of chat memory?",
    ),
    Metric(
        "serendip_rings",
        "gauge",
        "chats whose last messages are held",
        question="How many chats could be saved or resumed?",
    ),
    Metric(
        "serendip_ring_dropped",
        "counter",
        "messages of live chats given up, and ended rings emptied, because the bound of that memory was reached",
        ("what",),
        question="Do resumes and saves lose text because memory is short?",
    ),
    # the wire
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
    # the loop
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
    # what is kept
    Metric(
        "serendip_store_written",
        "counter",
        "chats whose record is in the database",
        question="Is the store keeping up?",
    ),
    Metric(
        "serendip_store_lost",
        "counter",
        "chats whose record was lost: the queue was full, or the stop came first",
        question="Do we lose records?",
    ),
    Metric(
        "serendip_store_failures",
        "counter",
        "batches that the database did not take (they are tried again)",
        question="Is the database well?",
    ),
    Metric(
        "serendip_store_waiting",
        "gauge",
        "chats whose record waits for the database",
        question="Is the store keeping up?",
    ),
    Metric("serendip_store_up", "gauge", "1 while the database takes records", question="Is the database well?"),
    Metric(
        "serendip_store_purges",
        "counter",
        "purges that ran to their end here",
        question="Is what must be forgotten forgotten?",
    ),
    Metric(
        "serendip_store_purge_failures",
        "counter",
        "purges that the database or the object store stopped",
        question="Is what must be forgotten forgotten?",
    ),
    Metric(
        "serendip_store_purged_timestamp_seconds",
        "gauge",
        "when the last purge ran to its end, unix time; at the start: the start",
        question="How old is the last purge?",
    ),
    Metric("serendip_logs_saved", "counter", "chats saved", question="Do people save logs?"),
    Metric("serendip_logs_refused", "counter", "saves that the store refused", question="Do saves fail?"),
    Metric(
        "serendip_logs_deleted", "counter", "saved logs that were removed", question="Do people delete what they saved?"
    ),
    Metric(
        "serendip_log_undeclared",
        "counter",
        "log events and fields that were dropped because no list has them",
        question="Does a part log what the list does not allow?",
    ),
)

# The values of each label, by metric; what is not here is listed by its type (build_info) or by the engine's tables.
VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "serendip_sessions": {"state": ("idle", "waiting", "chatting", "parted"), "connection": ("here", "away")},
    "serendip_waiting": {"mode": MODES, "language": LANGUAGES},
    "serendip_match_wait_seconds": {"mode": MODES},
    "serendip_matches": {"rule": ("good", "any", "anyone", "spy")},
    "serendip_tickets": {
        "outcome": ("submitted", "matched", "cancelled", "expired", "deduplicated", "lost", "refused")
    },
    "serendip_chats_ended": {"by": ("stranger", "lost", "moderation")},
    "serendip_reports": {"reason": ("minor", "nudity", "threat", "hate", "spam", "danger", "other")},
    "serendip_backpressure": {"event": ("blocked", "paused")},
    "serendip_ring_dropped": {"what": ("messages", "rings")},
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
    "serendip_media_relayed_bytes": {"direction": ("from_client", "to_client", "from_peer", "to_peer")},
    "serendip_http_responses": {"status": ("2xx", "3xx", "4xx", "5xx")},
}

HEAD = """\
# Metrics

Made from `server/metric_table.py` by `python -m server.metric_table`; a test keeps it equal.

`GET /metrics` on a port of its own (`metrics.port`, 9464), in Prometheus' text or OpenMetrics' form. What happens on the
hot path is counted in C by plain additions and read at the scrape; a message costs the additions and one look at the clock
a read. No label holds anything from outside. The process's own numbers (`process_*`) stand beside these.
`python -m bench instructions` shows what counting costs a message.
"""


def markdown() -> str:
    """The page: one row a metric."""
    rows = [
        f"| `{metric.shown}` | {metric.kind} | {metric.unit} | {_labels(metric)} | {metric.help} | {metric.question} |\n"
        for metric in METRICS
    ]
    bounds = [
        f"- `{metric.name}`: {', '.join(f'{bound:g}' for bound in metric.buckets)}\n"
        for metric in METRICS
        if metric.buckets
    ]
    return "".join(
        [
            HEAD,
            "\n| name | type | unit | labels | meaning | question |\n| --- | --- | --- | --- | --- | --- |\n",
            *rows,
            "\nUpper bounds of the buckets:\n\n",
            *bounds,
            "\nValues of the labels:\n\n",
            *(
                f"- `{name}` {label}: {', '.join(values)}\n"
                for name, labels in VALUES.items()
                for label, values in labels.items()
            ),
        ]
    )


def _labels(metric: Metric) -> str:
    return ", ".join(f"`{label}`" for label in metric.labels) or "none"


if __name__ == "__main__":
    import sys

    sys.stdout.write(markdown())
