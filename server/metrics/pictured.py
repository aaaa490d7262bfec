"""The part of the table that is about the pictures of video chats. Rule: declarations only."""

from server.metrics.metric import Metric

PICTURE_BOUNDS = (0.025, 0.05, 0.1, 0.2, 0.4, 1.0, 2.5, 10.0)  # seconds
PICTURED = (
    Metric(
        "serendip_pictures_up",
        "gauge",
        "1 while the program beside a process with people, which looks at pictures, answers (only where pictures are looked at)",
        "Are pictures looked at now?",
        ("process",),
    ),
    Metric(
        "serendip_picture_seconds",
        "histogram",
        "from pictures received to what they show, the wait for the program included",
        "How late is something seen?",
        buckets=PICTURE_BOUNDS,
    ),
    Metric(
        "serendip_pictures_waiting",
        "gauge",
        "pictures that wait for the program",
        "Is it keeping up?",
    ),
    Metric(
        "serendip_pictures_dropped",
        "counter",
        "pictures that nobody looked at: too many waited, or the program was away",
        "Is it too slow, or away?",
    ),
)
