"""Tables of detection: a goal is met by recall, and for hate by precision too."""

from typing import Any

import pytest

from bench.detection.tables import goals, is_met

ROW: dict[str, Any] = {
    "set": "own",
    "class": "age",
    "language": "de",
    "half": "held",
    "positive": 10,
    "negative": 10,
    "found": 8,
    "wrong": 8,
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
    assert is_met({**ROW, **change}) is expected


def test_the_goals_name_the_sets_that_miss_them_on_the_held_half() -> None:
    rows = [
        ROW,
        {**ROW, "language": "fr", "found": 2},
        {**ROW, "language": "en", "found": 0, "half": "seen"},
        {**ROW, "language": "hi", "found": 0},
    ]
    talk = {"set": "talk", "half": "held", "conversations": 1_000, "alarms": {"age": 2}}
    table = goals({"sets": rows, "conversations": [talk]})
    assert "| own age under 18 | 80 % | 50 % | 1 of 2 | fr | 2.0 (missed) |" in table
