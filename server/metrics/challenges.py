"""Metrics of challenges. Rule: as in `server.metrics.table`, of which this is a part."""

from engine.views import SOLVE_BOUNDS
from server.metrics.metric import Metric

CHALLENGES = (
    Metric(
        "serendip_challenges",
        "counter",
        "challenges before a search, by kind (wait: of who can solve none), level (4: none helps) and what became of them",
        "Is somebody flooding us, and do people get through?",
        ("kind", "level", "result"),
    ),
    Metric(
        "serendip_challenge_solve_seconds",
        "histogram",
        "from a challenge to its solution",
        "How long do we keep people waiting for it?",
        buckets=SOLVE_BOUNDS,
    ),
)
_RESULTS = {
    "altcha": ("asked", "solved", "wrong", "expired", "flooded"),
    "wait": ("asked", "solved"),
    "none": ("busy",),
}
# What there can be, as `engine.trials` counts it: most of the table cannot.
CHALLENGE_SERIES = (
    *((kind, level, result) for kind, results in _RESULTS.items() for level in "123" for result in results),
    ("none", "4", "refused"),
)
CHALLENGE_VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "serendip_challenges": {
        name: tuple(dict.fromkeys(series[place] for series in CHALLENGE_SERIES))
        for place, name in enumerate(("kind", "level", "result"))
    }
}
