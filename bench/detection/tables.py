"""Make the tables of `docs/operate/detection.md` from a result: goals, false alarms, scores by class and language, the time of a line."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from bench.detection.labelled_lines import CLASSES, HALVES, HELD, OWN
from bench.detection.scores import ALL, CONFIDENCES, HIGH, per_thousand, precision, recall
from bench.support.documents import table

SITE: Final = frozenset(
    ("ar", "de", "en", "es", "fr", "ja", "nb", "pt", "ru")
)  # languages of the page: the goals are for these; that of `age` is for all
# Recall on the held half. Hate: English, then other languages, with a precision of PRECISION_MIN.
GOALS: Final = MappingProxyType(
    {"age": 0.8, "grooming": 0.6, "threat": 0.5, "selfharm": 0.6, "hate": 0.2, "advert": 0.7, "data": 0.5}
)
ENGLISH_HATE: Final = 0.3
PRECISION_MIN: Final = 0.8
ALARMS_MAX: Final = 1.0  # false alarms of a class in 1,000 conversations
NAMES: Final = MappingProxyType(
    {
        "age": "own age under 18", "grooming": "grooming", "threat": "threat, extortion", "selfharm": "self-harm", "hate": "hate",
        "insult": "toxic comments", "advert": "adverts, contact, money", "data": "others' data",
    }
)  # fmt: skip

Rows = list[dict[str, Any]]


def lines(document: dict[str, Any]) -> str:
    """Return all tables of a result."""
    parts = [_told(document)]
    for name, result in document["detectors"].items():
        parts += [
            f"### {name.capitalize()}\n",
            f"Goals, on the half `held`:\n\n{goals(result)}",
            f"False alarms in 1,000 ordinary conversations, by confidence, `seen` / `held`:\n\n{alarms(result['conversations'])}",
            f"Recall and precision by class and language, `seen` / `held`:\n\n{by_language(result['sets'])}",
            _time(result["time"]),
        ]
    return "\n".join(parts)


def _told(document: dict[str, Any]) -> str:
    return f"Made by `python -m bench detection --record` on {document['machine']['date']}.\n"


def _time(time: Mapping[str, Any]) -> str:
    return (
        f"A line costs {time['median_us']:g} µs in the median, {time['p99_us']:g} µs at the 99th percentile and {time['worst_us']:g} µs at worst "
        f"({time['worst_characters']} characters), of {time['lines']:,} lines.\n"
    )


def percent(share: float | None) -> str:
    """Format a share; a dash if it does not exist."""
    return "–" if share is None else f"{100 * share:.0f} %"


def goal_of(kind: str, language: str) -> float:
    """Return the recall that is wanted of a class in a language."""
    return ENGLISH_HATE if (kind, language) == ("hate", "en") else GOALS[kind]


def is_met(row: dict[str, Any], which: str) -> bool:
    """Whether a set's score reaches the goal of its class and language."""
    share, right = recall(row, which), precision(row, which)
    reached = share is not None and share >= goal_of(row["class"], row["language"])
    return reached and (row["class"] != "hate" or (right is not None and right >= PRECISION_MIN))


def goals(result: dict[str, Any]) -> str:
    """Return the table of goals: recall over all languages, the sets that reach and miss the goal, and false alarms."""
    rows = []
    talk = [row for row in result["conversations"] if row["half"] == HELD]
    for kind in GOALS:
        held = [
            row
            for row in result["sets"]
            if (row["class"], row["half"]) == (kind, HELD) and (row["language"] in SITE or kind == "age")
        ]
        if not held:
            continue
        wanted = percent(GOALS[kind])
        missed = [_place(row) for row in held if not is_met(row, ALL)]
        total = _sum(held)
        rows.append(
            (
                NAMES[kind],
                f"{percent(ENGLISH_HATE)} in English, {wanted}" if kind == "hate" else wanted,
                f"{percent(recall(total, ALL))} ({percent(recall(total, HIGH))})",
                ", ".join(_place(row) for row in held if is_met(row, ALL)) or "none",
                ", ".join(missed) or "none",
                _alarms(talk, kind),
            )
        )
    columns = ("class", "goal", "recall (high)", "sets that reach it", "sets that miss it", "alarms (high), at most 1")
    return table(columns, rows)


def _alarms(talk: Rows, kind: str) -> str:
    """Return the false alarms of the worst set, and whether those of high confidence are few enough."""
    worst = {which: max(per_thousand(row, kind, which) for row in talk) for which in CONFIDENCES}
    told = "" if worst[ALL] <= ALARMS_MAX else ", high only" if worst[HIGH] <= ALARMS_MAX else ", missed"
    return f"{worst[ALL]:.1f} ({worst[HIGH]:.1f}){told}"


def _place(row: Mapping[str, Any]) -> str:
    return str(row["language"] if row["set"] == OWN else f"{row['language']} ({row['set']})")


def _sum(rows: Rows) -> dict[str, Any]:
    found = {which: sum(row["found"][which] for row in rows) for which in CONFIDENCES}
    return {"positive": sum(row["positive"] for row in rows), "found": found}


def alarms(rows: Rows) -> str:
    """Return the table of false alarms: a row a class, a column a set and confidence."""
    sets = sorted({row["set"] for row in rows})
    found = {(row["set"], row["half"]): row for row in rows}
    total = {name: sum(row["conversations"] for row in rows if row["set"] == name) for name in sets}
    columns = [(name, which) for name in sets for which in CONFIDENCES]
    return table(
        ("class", *(f"{name} ({total[name]:,}), {which}" for name, which in columns)),
        (
            (
                NAMES[kind],
                *(
                    " / ".join(f"{per_thousand(found[name, half], kind, which):.1f}" for half in HALVES)
                    for name, which in columns
                ),
            )
            for kind in GOALS
        ),
    )


def by_language(rows: Rows) -> str:
    """Return the table of scores: a row a class, language and set."""
    halves = {(row["class"], row["language"], row["set"], row["half"]): row for row in rows}
    keys = sorted({key[:3] for key in halves}, key=lambda key: (CLASSES.index(key[0]), key[2] != OWN, key[1]))
    shown = []
    for key in keys:
        both = [halves[*key, half] for half in HALVES if (*key, half) in halves]
        shares = [
            " / ".join(percent(share(row, which)) for row in both)
            for which in (ALL, HIGH)
            for share in (recall, precision)
        ]
        counts = f"{sum(row['positive'] for row in both):,} + {sum(row['negative'] for row in both):,}"
        shown.append((NAMES[key[0]], key[1], key[2], counts, *shares))
    columns = ("class", "language", "set", "lines: of the class + ordinary", "recall", "precision")
    return table((*columns, "recall, high", "precision, high"), shown)
