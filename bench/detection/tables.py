"""Make the tables of `docs/operate/detection.md`: goals, false alarms, scores by class and language, the time of a line; and consequences."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from bench.detection.conversations import SMALL_TALK
from bench.detection.labelled_lines import CLASSES, HALVES, HELD, OWN
from bench.detection.scores import ALL, CONFIDENCES, HIGH, interval, per_thousand, precision, recall
from bench.support.documents import table
from engine.conduct.detection_classes import LOW, Kind
from engine.conduct.detection_consequences import ANSWERS, CONSEQUENCES
from engine.conduct.detection_consequences import CLASSES as FOLLOWED
from server.trust.screening.consequence_words import words_of
from server.trust.screening.line_patterns import LONG

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
            f"Own lines of more than {LONG} characters, of all languages, `seen` / `held`:\n\n{long_lines(result['sets'])}",
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


def consequences() -> str:
    """Return the table of consequences: a row a class, a column a confidence."""
    rows = [
        (
            f"`{name}`",
            *(words_of(CONSEQUENCES[kind]) if kind in CONSEQUENCES else "–" for kind in (Kind(name), Kind(name, LOW))),
        )
        for name in FOLLOWED
    ]
    rows += [(f"`{rule}`", "–", words_of(row)) for rule, row in ANSWERS.items()]
    return table(("class", "high confidence", "low confidence"), rows)


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
    talk = [row for row in result["conversations"] if row["half"] == HELD and row["set"] != SMALL_TALK]
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
                *_alarms(talk, kind),
            )
        )
    columns = (
        "class",
        "goal",
        "recall (high)",
        "sets that reach it",
        "sets that miss it",
        "alarms",
        "alarms, high: at most 1",
    )
    return table(columns, rows)


def _alarms(talk: Rows, kind: str) -> tuple[str, str]:
    """Return the false alarms in all held conversations of people, and those of high confidence with their bounds and a verdict."""
    total: dict[str, Any] = {
        "conversations": sum(row["conversations"] for row in talk),
        "alarms": {which: {kind: sum(row["alarms"][which][kind] for row in talk)} for which in CONFIDENCES},
    }
    high = per_thousand(total, kind, HIGH)
    verdict = "reached" if high <= ALARMS_MAX else "missed"
    return f"{per_thousand(total, kind, ALL):.1f}", f"{_with_bounds(total, kind, HIGH)}, {verdict}"


def _with_bounds(row: Mapping[str, Any], kind: str, which: str) -> str:
    low, high = interval(dict(row), kind, which)
    return f"{per_thousand(dict(row), kind, which):.1f} ({low:.1f} to {high:.1f})"


def _place(row: Mapping[str, Any]) -> str:
    return str(row["language"] if row["set"] == OWN else f"{row['language']} ({row['set']})")


def _sum(rows: Rows) -> dict[str, Any]:
    total: dict[str, Any] = {name: sum(row[name] for row in rows) for name in ("positive", "negative")}
    for name in ("found", "wrong"):
        total[name] = {which: sum(row[name][which] for row in rows) for which in CONFIDENCES}
    return total


def alarms(rows: Rows) -> str:
    """Return the table of false alarms: a row a class, a column a set and confidence."""
    sets = sorted({row["set"] for row in rows})
    found = {(row["set"], row["half"]): row for row in rows}
    total = {name: sum(row["conversations"] for row in rows if row["set"] == name) for name in sets}
    columns = [(name, which) for name in sets for which in CONFIDENCES]
    return table(
        ("class", *(f"{name} ({total[name]:,}), {which}" for name, which in columns)),
        ((NAMES[kind], *(_by_half(found, name, kind, which) for name, which in columns)) for kind in GOALS),
    )


def _by_half(found: Mapping[tuple[str, str], dict[str, Any]], name: str, kind: str, which: str) -> str:
    """Return the false alarms of a set in both halves; those of high confidence in `held` with their bounds."""
    parts = []
    for half in HALVES:
        row = found.get((name, half))
        if row is None:
            parts.append("–")
        elif (which, half) == (HIGH, HELD):
            parts.append(_with_bounds(row, kind, which))
        else:
            parts.append(f"{per_thousand(row, kind, which):.1f}")
    return " / ".join(parts)


def long_lines(rows: Rows) -> str:
    """Return the table of long lines: a row a class that has some."""
    shown = []
    for kind in GOALS:
        halves = [
            _sum([row["long"] for row in rows if (row["class"], row["half"], row["set"]) == (kind, half, OWN)])
            for half in HALVES
        ]
        if all(half["positive"] for half in halves):
            figures = [
                " / ".join(percent(share(half, which)) for half in halves)
                for which in (ALL, HIGH)
                for share in (recall, _wrong)
            ]
            counts = " / ".join(f"{half['positive']} + {half['negative']}" for half in halves)
            shown.append((NAMES[kind], counts, *figures))
    columns = (
        "class",
        "lines: of the class + ordinary",
        "recall",
        "ordinary lines found",
        "recall, high",
        "ordinary lines found, high",
    )
    return table(columns, shown)


def _wrong(row: Mapping[str, Any], which: str) -> float | None:
    return row["wrong"][which] / row["negative"] if row["negative"] else None


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
