"""Declare the metrics of challenges (puzzles and captchas before a search), as rows of `server.ops.metrics.metric_table`."""

from engine.views import SOLVE_BOUNDS
from server.ops.metrics.metric_type import Metric

RESULTS = ("right", "wrong", "busy", "away")  # results of verifying an answer with the captcha provider

CHALLENGES = (
    Metric(
        "serendip_challenges",
        "counter",
        "challenges before a search, by kind (wait: of who can solve none), level (4: none helps) and what became of them",
        "Is there a flood, and do users get through?",
        ("kind", "level", "result"),
    ),
    Metric(
        "serendip_challenge_solve_seconds",
        "histogram",
        "from a challenge to its solution",
        "How long do we keep people waiting for it?",
        buckets=SOLVE_BOUNDS,
    ),
    Metric(
        "serendip_challenge_checks",
        "counter",
        "answers that a company was asked about (`challenge.provider`), by what became of it; busy: too many waited; away: it said nothing",
        "Does the company that checks people answer, and whom does it let through?",
        ("result",),
    ),
    Metric(
        "serendip_challenge_checks_waiting",
        "gauge",
        "answers that a company is being asked about",
        "Is it slow or away?",
    ),
)
_OURS = ("asked", "solved", "wrong", "expired", "flooded")
_RESULTS = {
    "altcha": ("123", _OURS),
    "turnstile": ("3", (*_OURS, "unchecked")),
    "hcaptcha": ("3", (*_OURS, "unchecked")),
    "recaptcha": ("123", (*_OURS, "unchecked")),  # clients of another protocol have no other kind
    "wait": ("123", ("asked", "solved")),
    "none": ("123", ("busy",)),
}
# The combinations that `engine.chats.challenges` can count: most of the table cannot occur.
CHALLENGE_SERIES = (
    *((kind, level, result) for kind, (levels, results) in _RESULTS.items() for level in levels for result in results),
    ("none", "4", "refused"),
)
CHALLENGE_VALUES: dict[str, dict[str, tuple[str, ...]]] = {
    "serendip_challenges": {
        name: tuple(dict.fromkeys(series[place] for series in CHALLENGE_SERIES))
        for place, name in enumerate(("kind", "level", "result"))
    },
    "serendip_challenge_checks": {"result": RESULTS},
}
