"""Declare the metrics of automatic text screening, as rows of `server.ops.metrics.metric_table`."""

from engine.conduct.detection_tips import EFFECTS, KINDS
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
        "since they cost too much (rest), or not by the text model, which is left out first (model)",
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
SCREENED_VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "serendip_tips": {"kind": (*KINDS, "paused")},  # paused: to users whose first lines wait
    "serendip_findings": {"rule": tuple(EFFECTS)},
    "serendip_screening_skipped": {"what": ("line", "rest", "model")},
    "serendip_age_questions": {"result": ("claimed", "again", "hinted", "adult", "minor", "unanswered")},
}
