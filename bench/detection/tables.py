"""Make the tables of `docs/operate/detection.md` from a result: goals, false alarms, scores by class and language, the time of a line."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from bench.detection.labelled_lines import CLASSES, HALVES, HELD, OWN, SEEN
from bench.detection.scores import per_thousand, precision, recall
from bench.support.documents import table

SITE: Final = frozenset(
    ("ar", "de", "en", "es", "fr", "ja", "nb", "pt", "ru")
)  # languages of the page: the goals are for these
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
            f"False alarms in 1,000 ordinary conversations, `seen` and `held`:\n\n{alarms(result['conversations'])}",
            f"Recall and precision by class and language, `seen` and `held`:\n\n{by_language(result['sets'])}",
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
    """Format a share; a dash if there is none."""
    return "–" if share is None else f"{100 * share:.0f} %"


def goal_of(kind: str, language: str) -> float:
    """Return the recall that is wanted of a class in a language."""
    return ENGLISH_HATE if (kind, language) == ("hate", "en") else GOALS[kind]


def is_met(row: Mapping[str, Any]) -> bool:
    """Whether a set's score reaches the goal of its class and language."""
    share, right = recall(dict(row)), precision(dict(row))
    reached = share is not None and share >= goal_of(row["class"], row["language"])
    return reached and (row["class"] != "hate" or (right is not None and right >= PRECISION_MIN))


def goals(result: dict[str, Any]) -> str:
    """Return the table of goals: the recall of each class over its languages, those that miss it, and the false alarms."""
    rows = []
    for kind in GOALS:
        held = [
            row for row in result["sets"] if row["class"] == kind and row["half"] == HELD and row["language"] in SITE
        ]
        if not held:
            continue
        missed = [_place(row) for row in held if not is_met(row)]
        worst = max(per_thousand(row, kind) for row in result["conversations"] if row["half"] == HELD)
        wanted = (
            f"{percent(ENGLISH_HATE)} in English, {percent(GOALS[kind])}" if kind == "hate" else percent(GOALS[kind])
        )
        rows.append(
            (
                NAMES[kind],
                wanted,
                percent(recall(_sum(held))),
                f"{len(held) - len(missed)} of {len(held)}",
                ", ".join(missed) or "none",
                f"{worst:.1f}{'' if worst <= ALARMS_MAX else ' (missed)'}",
            )
        )
    return table(("class", "goal", "recall", "sets that reach it", "sets that miss it", "alarms, at most 1"), rows)


def _place(row: Mapping[str, Any]) -> str:
    return str(row["language"] if row["set"] == OWN else f"{row['language']} ({row['set']})")


def _sum(rows: Rows) -> dict[str, Any]:
    return {figure: sum(row[figure] for row in rows) for figure in ("positive", "negative", "found", "wrong")}


def alarms(rows: Rows) -> str:
    """Return the table of false alarms: a row a class, a column a set."""
    sets = sorted({row["set"] for row in rows})
    found = {(row["set"], row["half"]): row for row in rows}
    total = {name: sum(row["conversations"] for row in rows if row["set"] == name) for name in sets}
    return table(
        ("class", *(f"{name} ({total[name]:,})" for name in sets)),
        (
            (
                NAMES[kind],
                *(" / ".join(f"{per_thousand(found[name, half], kind):.1f}" for half in HALVES) for name in sets),
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
        both = [halves[*key, half] for half in (SEEN, HELD) if (*key, half) in halves]
        shown.append(
            (
                NAMES[key[0]],
                key[1],
                key[2],
                f"{sum(row['positive'] for row in both):,} + {sum(row['negative'] for row in both):,}",
                " / ".join(percent(recall(row)) for row in both),
                " / ".join(percent(precision(row)) for row in both),
            )
        )
    return table(("class", "language", "set", "lines: of the class + ordinary", "recall", "precision"), shown)
