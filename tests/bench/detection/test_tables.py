"""Check that a goal is met by recall, and for hate by precision too."""

from typing import Any

import pytest

from bench.detection.detection import DOCUMENT
from bench.detection.tables import consequences, goals, is_met, long_lines

ROW: dict[str, Any] = {
    "set": "own",
    "class": "age",
    "language": "de",
    "half": "held",
    "positive": 10,
    "negative": 10,
    "found": {"all": 8, "high": 1},
    "wrong": {"all": 8, "high": 0},
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"found": 7}, False),
        ({"positive": 0, "found": 0}, False),
        ({"class": "hate", "found": 2, "wrong": 0}, True),
        ({"class": "hate", "found": 2, "wrong": 1}, False),
        ({"class": "hate", "found": 2, "wrong": 0, "language": "en"}, False),
        ({"class": "hate", "found": 3, "wrong": 0, "language": "en"}, True),
    ],
)
def test_a_goal_is_met_by_recall_and_for_hate_by_precision_too(change: dict[str, Any], expected: bool) -> None:
    row = {**ROW, **change}
    counts = {name: {"all": row[name], "high": 0} for name in ("found", "wrong") if isinstance(row[name], int)}
    assert is_met({**row, **counts}, "all") is expected


def test_the_goals_name_the_sets_that_miss_them_on_the_held_half() -> None:
    advert = {**ROW, "class": "advert"}
    rows = [
        advert,
        {**advert, "language": "fr", "found": {"all": 2, "high": 0}},
        {**advert, "language": "en", "found": {"all": 0, "high": 0}, "half": "seen"},
        {**advert, "language": "hi", "found": {"all": 0, "high": 0}},
    ]
    talk = {
        "set": "talk",
        "half": "held",
        "conversations": 1_000,
        "alarms": {"all": {"advert": 1}, "high": {"advert": 0}},
    }
    assert "| 70 % | 50 % (5 %) | de | fr | 1.0 | 0.0 (0.0 to 3.8), reached |" in goals(
        {"sets": rows, "conversations": [talk]}
    )


@pytest.mark.parametrize(
    ("every", "high", "told"),
    [
        (1, 0, "1.0 | 0.0 (0.0 to 3.8), reached"),
        (3, 1, "3.0 | 1.0 (0.2 to 5.6), reached"),
        (3, 2, "3.0 | 2.0 (0.5 to 7.3), missed"),
    ],
)
def test_too_many_alarms_of_high_confidence_are_told_with_their_bounds(every: int, high: int, told: str) -> None:
    alarms = {"all": {"age": every}, "high": {"age": high}}
    talk = {"set": "talk", "half": "held", "conversations": 1_000, "alarms": alarms}
    assert f"| 80 % | 80 % (10 %) | de | none | {told} |" in goals({"sets": [ROW], "conversations": [talk]})


def test_the_manual_has_what_follows_as_the_engine_acts() -> None:
    assert consequences() in DOCUMENT.read_text("utf-8"), "python -m bench detection --record"


def test_long_lines_are_counted_over_all_languages() -> None:
    long = {"positive": 2, "negative": 4, "found": {"all": 2, "high": 1}, "wrong": {"all": 1, "high": 0}}
    rows = [
        {**ROW, "language": language, "half": half, "long": long}
        for language in ("de", "fr")
        for half in ("seen", "held")
    ]
    assert "| 4 + 8 / 4 + 8 | 100 % / 100 % | 25 % / 25 % | 50 % / 50 % | 0 % / 0 % |" in long_lines(rows)
