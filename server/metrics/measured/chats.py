"""Chats, and what is relayed in them. Rule: a row names the question that it answers; no label holds anything from outside."""

from engine.measures import CHAT_BOUNDS
from ext.net.counters import TIME_BOUNDS
from server.metrics.metric import Metric

METRICS = (
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
)

VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "serendip_chats_ended": {"by": ("stranger", "lost", "moderation")},
    "serendip_reports": {"reason": ("minor", "nudity", "threat", "hate", "spam", "danger", "other")},
    "serendip_backpressure": {"event": ("blocked", "paused")},
    "serendip_ring_dropped": {"what": ("messages", "rings")},
    "serendip_media_relayed_bytes": {"direction": ("from_client", "to_client", "from_peer", "to_peer")},
}
