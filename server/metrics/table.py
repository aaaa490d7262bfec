"""Who is here, and how they find somebody. Rule: a row names the question that it answers; no label holds anything from outside."""

from engine.measures import COMMON_BOUNDS, MODES, WAIT_BOUNDS
from server.metrics.metric import LANGUAGES, Metric

METRICS = (
    Metric(
        "serendip_build_info",
        "gauge",
        "1, with the versions that run",
        ("version", "python"),
        question="Which version runs where, and since when?",
    ),
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
)

VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "serendip_sessions": {"state": ("idle", "waiting", "chatting", "parted"), "connection": ("here", "away")},
    "serendip_waiting": {"mode": MODES, "language": LANGUAGES},
    "serendip_match_wait_seconds": {"mode": MODES},
    "serendip_matches": {"rule": ("good", "any", "anyone", "spy")},
    "serendip_tickets": {
        "outcome": ("submitted", "matched", "cancelled", "expired", "deduplicated", "lost", "refused")
    },
}
