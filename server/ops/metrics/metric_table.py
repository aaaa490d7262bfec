"""List every metric of the service: name, type, labels, meaning, and the operator's question that the metric answers.

**Invariant:** only listed metrics are served, and no label holds a value from outside: its values are in VALUES or in the code that counts.
"""

# The reference page is rendered from this table (`server.ops.metrics.metrics_reference`).

from engine.views import CHAT_BOUNDS, COMMON_BOUNDS, MODES, WAIT_BOUNDS
from ext.net.counters import TIME_BOUNDS
from server.ops.config.moderation_policy import QUEUES, REPORTS, RULES
from server.ops.health.background_tasks import NAMES
from server.ops.metrics.challenge_metrics import CHALLENGE_VALUES, CHALLENGES
from server.ops.metrics.cluster_metrics import CLUSTER, CLUSTER_VALUES, TOLD_METRICS, TOLD_VALUES
from server.ops.metrics.ipc_metrics import PROCESS_VALUES, PROCESSES
from server.ops.metrics.metric_type import Metric
from server.ops.metrics.migration_metrics import MOVE_VALUES, MOVED, TUNNELLED, TUNNELLED_VALUES
from server.ops.metrics.picture_metrics import PICTURED, PICTURED_VALUES
from server.ops.metrics.screening_metrics import PROVIDER, SCREENED, SCREENED_VALUES
from server.ops.metrics.socket_metrics import WIRE
from server.ops.metrics.storage_metrics import KEPT, KEPT_VALUES

# Languages with a series of their own; all others are "other", and `*` is "any": the number of series is bounded.
LANGUAGES = (
    "any", "ar", "de", "en", "es", "fr", "hi", "id", "it", "ja", "ko", "nl", "pl", "pt", "ru", "tr", "uk", "vi", "zh", "other",
)  # fmt: skip
PAGES = ("en", "ar", "de", "es", "fr", "ja", "nb", "pt", "ru")  # the languages of page and documents
OF_QUEUES = (*reversed(QUEUES), "other")  # queues of cases
NOTICE_KINDS = ("log", "chat", "danger", "child", "other")  # subjects of notices from the public
OF_RULES = (*RULES, "other")  # rules, as /rules numbers them

# Users: connected, waiting, matched.
PEOPLE = (
    Metric(
        "serendip_build_info",
        "gauge",
        "1, with the versions that run, and the commit (`unknown`: it was packed without one)",
        "Which version runs where, and since when?",
        ("version", "commit", "python"),
    ),
    Metric("serendip_connections", "gauge", "open WebSocket connections", "How many people are connected?"),
    Metric(
        "serendip_connections_top",
        "gauge",
        "most open WebSocket connections at a scrape within the last 24 hours, since the start",
        "How near was the fullest hour to what this machine holds?",
    ),
    Metric(
        "serendip_sockets",
        "gauge",
        "sockets that the reactor holds: open, with a head to come, closing",
        "Do sockets without a session pile up?",
    ),
    Metric(
        "serendip_http_connections",
        "gauge",
        "HTTP connections held: pages, API, Omegle polls",
        "How many descriptors do pages and polls take?",
    ),
    Metric(
        "serendip_sessions",
        "gauge",
        "sessions by what the person does and whether their connection is there",
        "Who waits, who chats, who dropped out and may come back?",
        ("state", "connection"),
    ),
    Metric(
        "serendip_waiting",
        "gauge",
        "tickets that wait, by mode and language (those set aside left out)",
        "Where do people wait, and is a pool drying up?",
        ("mode", "language"),
    ),
    Metric(
        "serendip_waiting_aside",
        "gauge",
        "tickets set aside because their connection dropped",
        "How many would wait again if they came back?",
    ),
    Metric(
        "serendip_addresses",
        "gauge",
        "client addresses, and networks around them, with an entry in the table of connection limits",
        "How many networks do people come from, and is the table's bound near?",
    ),
    Metric(
        "serendip_addresses_alone",
        "counter",
        "counts of an address for which the table of the host's processes had no room, so that its limits held in each process by itself",
        "Do limits of addresses hold over all workers?",
    ),
    Metric(
        "serendip_tickets",
        "counter",
        "tickets by what became of them; `submitted` counts them all",
        "Do searches end in a match, or do people give up?",
        ("outcome",),
    ),
    Metric(
        "serendip_matches",
        "counter",
        "chats begun, by the threshold that let the pair pass",
        "How many are matched by interests, how many merely by waiting?",
        ("rule",),
    ),
    Metric(
        "serendip_match_wait_seconds",
        "histogram",
        "from `find` to `matched`, each person once",
        "How long does a person wait?",
        ("mode",),
        buckets=WAIT_BOUNDS,
    ),
    Metric(
        "serendip_match_common_interests",
        "histogram",
        "interests that the two of a pair share",
        "Do matched people have anything in common?",
        buckets=COMMON_BOUNDS,
    ),
    Metric("serendip_matcher_postings", "counter", "index entries looked at", "How much work is a search?"),
    Metric(
        "serendip_matcher_candidates",
        "counter",
        "waiting tickets looked at",
        "How many candidates does a search touch?",
    ),
    Metric(
        "serendip_matcher_cut",
        "counter",
        "searches that their budget ended",
        "Does the budget cost people better partners?",
    ),
    Metric(
        "serendip_matcher_interests",
        "gauge",
        "interests of waiting users",
        "Is the table of interests near its bound?",
    ),
    Metric(
        "serendip_matcher_dropped",
        "counter",
        "interests without which a search went on, or was refused: its address holds too many, or the table is full",
        "Does one user fill the table of interests?",
    ),
    Metric("serendip_matcher_memory_bytes", "gauge", "memory of tickets and index", "What does the waiting room cost?"),
    Metric(
        "serendip_pools",
        "gauge",
        "pools that exist: mode, language, role, college",
        "Are people split over too many pools?",
    ),
)

# Chats and their relayed messages.
CHATS = (
    Metric(
        "serendip_chat_seconds", "histogram", "how long a chat lasted", "Do people talk, or skip?", buckets=CHAT_BOUNDS
    ),
    Metric(
        "serendip_chats_ended",
        "counter",
        "chats ended, by who or what ended them",
        "Do people leave, or does the network end their chats?",
        ("by",),
    ),
    Metric(
        "serendip_omegle_clients",
        "gauge",
        "programs of Omegle's protocol that are here; each has a session",
        "How many people come by Omegle's protocol, how many by ours?",
    ),
    Metric(
        "serendip_omegle_requests",
        "counter",
        "what such programs asked: started, refused to start, polled, or named a client that is no more",
        "Do old programs work?",
        ("what",),
    ),
    Metric(
        "serendip_poll_clients",
        "gauge",
        "clients that use HTTP requests instead of a WebSocket",
        "How many people are behind proxies that cut WebSockets?",
    ),
    Metric(
        "serendip_poll_requests",
        "counter",
        "requests of such clients: opened, refused to open, polled, sent, named a connection that is no more; cut: closed without their word",
        "Does the fallback to HTTP work?",
        ("what",),
    ),
    Metric("serendip_resumes", "counter", "sessions taken up again by a new connection", "Does coming back work?"),
    Metric(
        "serendip_reports",
        "counter",
        "reports by reason, one a chat and side",
        "Is there an abuse problem now?",
        ("reason",),
    ),
    Metric("serendip_messages", "counter", "chat messages relayed", "How much is said?"),
    Metric("serendip_message_bytes", "counter", "bytes of their text", "How long are messages?"),
    Metric("serendip_typing", "counter", "typing signs relayed", "What do typing signs cost?"),
    Metric("serendip_signals", "counter", "WebRTC signals relayed", "Is video being negotiated?"),
    Metric(
        "serendip_media_credentials",
        "counter",
        "TURN credentials given out, one a person and video chat",
        "How many calls could be relayed?",
    ),
    Metric(
        "serendip_media_relayed_bytes",
        "counter",
        "bytes that TURN servers report to have carried; two people behind one relay count at both",
        "What do relayed calls cost, and is the relay's line full?",
        ("direction",),
    ),
    Metric(
        "serendip_media_relay_sessions",
        "counter",
        "allocations that TURN servers report to have ended",
        "How many calls are relayed, and how long?",
    ),
    Metric(
        "serendip_media_relays_active",
        "gauge",
        "allocations that TURN servers reported to have begun and not yet to have ended",
        "How many calls are relayed now?",
    ),
    Metric(
        "serendip_media_relays_reporting",
        "gauge",
        "connections by which TURN servers report; coturn holds some for each of its threads (only with video.reports)",
        "Is a TURN server away, or not told to report?",
    ),
    Metric(
        "serendip_relay_seconds",
        "histogram",
        "a message inside the server: from its socket ready until sent to the partner",
        "How long does the server hold a message?",
        buckets=TIME_BOUNDS,
    ),
    Metric(
        "serendip_backpressure",
        "counter",
        "a socket took no more (blocked), a client was not read for a second (paused)",
        "Are partners slow to take what is sent?",
        ("event",),
    ),
    Metric(
        "serendip_ring_bytes", "gauge", "memory of all chats' last messages", "How near is the bound of chat memory?"
    ),
    Metric(
        "serendip_ring_limit_bytes",
        "gauge",
        "the bound of that memory (chat.memory)",
        "How near is the bound of chat memory?",
    ),
    Metric(
        "serendip_rings", "gauge", "chats whose last messages are held", "How many chats could be saved or resumed?"
    ),
    Metric(
        "serendip_ring_dropped",
        "counter",
        "messages of live chats given up, and ended rings emptied, because the bound of that memory was reached",
        "Do resumes and saves lose text because memory is short?",
        ("what",),
    ),
)


# Old names of metrics by their new ones. Both are shown in release 0.1; the old ones go with the release after it.
OLD_NAMES = {
    "serendip_migrations": "serendip_moves",
    "serendip_migration_seconds": "serendip_move_seconds",
    "serendip_upgrade_sessions_left": "serendip_handover_left",
    "serendip_broadcasts": "serendip_told",
    "serendip_session_lookups": "serendip_sought",
    "serendip_migrations_doubtful": "serendip_crossings_doubtful",
    "serendip_http_forwarded": "serendip_http_passed",
    "serendip_ipc_link_bytes": "serendip_link_bytes",
    "serendip_ipc_link_unknown": "serendip_link_unknown",
}
METRICS: tuple[Metric, ...] = (
    *PEOPLE, *CHATS, *SCREENED, *PROVIDER, *PICTURED, *WIRE, *PROCESSES, *CLUSTER, *TOLD_METRICS, *TUNNELLED, *MOVED, *KEPT, *CHALLENGES,
)  # fmt: skip

# The values of each label, by metric; labels that are missing here are listed by their type (build_info) or by the engine's tables.
VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "serendip_sessions": {"state": ("idle", "waiting", "chatting", "parted"), "connection": ("here", "away")},
    **MOVE_VALUES,
    **CHALLENGE_VALUES,
    **PROCESS_VALUES,
    "serendip_waiting": {"mode": MODES, "language": LANGUAGES},
    "serendip_match_wait_seconds": {"mode": MODES},
    "serendip_matches": {"rule": ("good", "any", "anyone", "spy")},
    "serendip_tickets": {
        "outcome": ("submitted", "matched", "cancelled", "expired", "deduplicated", "lost", "refused")
    },
    "serendip_chats_ended": {"by": ("stranger", "lost", "moderation")},
    "serendip_reports": {"reason": tuple(REPORTS)},
    **SCREENED_VALUES,
    **PICTURED_VALUES,
    **CLUSTER_VALUES,
    **TOLD_VALUES,
    **TUNNELLED_VALUES,
    "serendip_reports_founded": {"reason": tuple(REPORTS)},
    "serendip_cases_open": {"queue": OF_QUEUES},
    "serendip_cases_oldest_seconds": {"queue": OF_QUEUES},
    "serendip_case_decide_seconds": {"queue": OF_QUEUES},
    "serendip_notices_open": {"kind": NOTICE_KINDS},
    "serendip_notices_oldest_seconds": {"kind": NOTICE_KINDS},
    **KEPT_VALUES,
    "serendip_measures": {"measure": ("warning", "pause", "ban", "age", "other"), "rule": OF_RULES, "by": ("person", "program")},
    "serendip_appeals": {"result": ("upheld", "reversed", "lapsed", "other"), "rule": OF_RULES},
    "serendip_backpressure": {"event": ("blocked", "paused")},
    "serendip_ring_dropped": {"what": ("messages", "rings")},
    "serendip_media_relayed_bytes": {"direction": ("from_client", "to_client", "from_peer", "to_peer")},
    "serendip_handshakes": {
        "result": ("opened", "http", "bad", "host", "origin", "version", "large", "slow", "limited", "busy", "short", "lost")
    },
    "serendip_closes": {
        "side": ("client", "server"),
        "code": (
            "1000", "1001", "1002", "1003", "1007", "1009", "1011", "1012", "1013", "4003", "4008", "4009", "none", "other", "unanswered", "untaken",
        ),
    },
    "serendip_requests": {"state": ("open", "in_progress", "fulfilled", "denied", "revoked", "expired")},
    "serendip_orders": {"state": ("open", "held", "produced", "refused")},
    "serendip_deletion_notices": {"state": ("waiting", "refused", "failed")},
    "serendip_emergency_reviews": {"state": ("waiting", "lawful", "unlawful")},
    "serendip_operator_orders": {
        "what": ("list", "end", "pause_video", "announce", "announce_off", "maintenance_on", "maintenance_off", "log_level"),
        "result": ("done", "refused"),
    },
    "serendip_console_signins": {"result": ("passed", "enrolled", "refused", "limited")},
    "serendip_logs_refused": {"why": ("away", "busy", "full", "quota")},
    "serendip_http_spoilt": {"why": ("malformed", "aborted", "untaken", "crowded")},
    "serendip_limited": {"what": ("message", "find", "signal")},
    "serendip_omegle_requests": {"what": ("starts", "refused", "polls", "unknown")},
    "serendip_poll_requests": {"what": ("opened", "refused", "polls", "sends", "unknown", "cut")},
    "serendip_words_missing": {"language": PAGES},
    "serendip_mail_letters": {"outcome": ("sent", "retried", "failed")},
    "serendip_translations": {"result": ("translated", "language", "busy", "away", "limited")},
    "serendip_objects_seconds": {"operation": ("put", "get", "delete")},
    "serendip_objects_failures": {
        "operation": ("put", "get", "delete", "list"),
        "cause": ("denied", "signature", "missing", "disk", "away"),
    },
    "serendip_certificate_expiry_timestamp_seconds": {"of": ("site", "nats")},
    "serendip_gc_collections": {"generation": ("0", "1", "2")},
    "serendip_store_failures": {
        "what": ("records", "saves", "reads"),
        "cause": (
            "full", "io", "locked", "malformed", "refused", "timeout", "schema", "denied", "keys", "objects", "other",
        ),
    },
    "serendip_task_failures": {"task": NAMES},
    "serendip_http_responses": {"status": ("2xx", "3xx", "4xx", "5xx")},
}  # fmt: skip
