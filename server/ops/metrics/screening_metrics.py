"""Declare the metrics of automatic text screening, as rows of `server.ops.metrics.metric_table`."""

from engine.conduct.detection_classes import PROVIDED, RULES
from engine.conduct.detection_consequences import CLASSES, KINDS
from server.ops.metrics.metric_type import Metric

SCREENED = (
    Metric(
        "serendip_tips",
        "counter",
        "tips that people were told about a line, by kind",
        "What do people have to be warned of?",
        ("kind",),
    ),
    Metric(
        "serendip_findings",
        "counter",
        "lines in which the program that looks at them found something, by rule; who is told nothing is counted too",
        "What is said here that should not be, and does a rule find too much?",
        ("rule",),
    ),
    Metric(
        "serendip_age_questions",
        "counter",
        "users who wrote that they are under 18 (claimed; after an answer: again) or may be (hinted), answers, chats that ended without one",
        "How many come who are not 18, and are many asked who are?",
        ("result",),
    ),
    Metric(
        "serendip_screening_up",
        "gauge",
        "1 while the program beside a process with people, which looks at lines, answers (only where screening is on)",
        "Is everything looked at now?",
        ("process",),
    ),
    Metric("serendip_screening_lines", "counter", "lines looked at", "Is it keeping up?"),
    Metric(
        "serendip_screening_offered",
        "counter",
        "lines that were delivered while screening is on: looked at, skipped, dropped, or waiting",
        "Of all that is said, which share is looked at?",
    ),
    Metric(
        "serendip_screening_dropped",
        "counter",
        "lines that were not looked at, since the memory for those that wait was full; they were delivered",
        "Is it too slow, or away?",
    ),
    Metric(
        "serendip_screening_skipped",
        "counter",
        "lines that were delivered and not looked at, since their chat cost the most while too much was said at once (line), or not to their end, "
        "since they cost too much (rest), or not by the text model, which is left out first (model), "
        "or were not sent to the provider of text (provider)",
        "Does a user write lines that are costly to screen, to hide those of others?",
        ("what",),
    ),
    Metric(
        "serendip_screening_lag_seconds",
        "gauge",
        "seconds from a line said to its look, the longest since the last word of the program",
        "How late does a warning come?",
        ("process",),
    ),
)
PROVIDER = (
    Metric(
        "serendip_provider_up",
        "gauge",
        "1 while the provider of text beside a process with people answers (only where `screening.provider` names one)",
        "Does it read along now?",
        ("process",),
    ),
    Metric(
        "serendip_provider_lines",
        "counter",
        "lines for the provider of text: answered, answered too late, or dropped since too many waited or it was away",
        "Is it too slow?",
        ("result",),
    ),
    Metric(
        "serendip_provider_findings",
        "counter",
        "findings of the provider of text, by class",
        "Does it find too much?",
        ("rule",),
    ),
    Metric(
        "serendip_provider_ends",
        "counter",
        "times that the provider of text was ended, by cause, and started again",
        "Why is it away?",
        ("cause",),
    ),
    Metric(
        "serendip_provider_lag_seconds",
        "gauge",
        "seconds from a question to the answer of the provider of text, the longest since the last word of its process",
        "How slow is it?",
        ("process",),
    ),
)
SCREENED_VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "serendip_tips": {"kind": (*KINDS, "paused")},  # paused: to users whose first lines wait
    "serendip_findings": {"rule": CLASSES},
    "serendip_screening_skipped": {"what": ("line", "rest", "model", "provider")},
    "serendip_provider_lines": {"result": ("answered", "late", "dropped")},
    "serendip_provider_findings": {
        "rule": tuple(dict.fromkeys(RULES[rule].name for rule in RULES if rule in PROVIDED))
    },
    "serendip_provider_ends": {"cause": ("ended", "flood", "malformed", "late", "unjailed", "other")},
    "serendip_age_questions": {"result": ("claimed", "again", "hinted", "adult", "minor", "unanswered")},
}
