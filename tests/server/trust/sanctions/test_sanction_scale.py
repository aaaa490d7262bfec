"""Test the table of measures: lengths, grades, and the steps of a ladder."""

from __future__ import annotations

import pytest

from server.ops.config.moderation_policy import DAY, FOR_GOOD, HOUR, MINUTE, RULES, WARNED
from server.trust.sanctions.sanction_scale import TABLE, Decision, Grade, Refused, allow, end, next_step, spoken


@pytest.mark.parametrize(
    ("measure", "seconds", "grade"),
    [
        ("none", 0, Grade.OPERATOR),
        ("warning", 0, Grade.OPERATOR),
        ("pause", 15 * MINUTE, Grade.OPERATOR),
        ("pause", DAY, Grade.OPERATOR),
        ("ban", DAY, Grade.OPERATOR),
        ("ban", 30 * DAY, Grade.OPERATOR),
        ("ban", 30 * DAY + 1, Grade.LEAD),
        ("ban", 90 * DAY, Grade.LEAD),
        ("ban", 90 * DAY + 1, Grade.PAIR),
        ("ban", FOR_GOOD, Grade.PAIR),
    ],
)
def test_a_length_takes_its_grade_and_no_lower_one(measure: str, seconds: int, grade: Grade) -> None:
    allow(measure, seconds, grade)
    for lower in Grade:
        if lower < grade:
            with pytest.raises(Refused, match="takes"):
                allow(measure, seconds, lower)


@pytest.mark.parametrize(("measure", "seconds"), [("pause", 60), ("pause", DAY + 1), ("ban", HOUR), ("warning", 60)])
def test_a_length_that_no_line_has_is_nobodys(measure: str, seconds: int) -> None:
    with pytest.raises(Refused, match=r"lasts|no length"):
        allow(measure, seconds, Grade.PAIR)


@pytest.mark.parametrize(
    "decision",
    [
        Decision("shout", "R5"),
        Decision("none", "R5"),
        Decision("ban"),
        Decision("ban", "R9"),
        Decision("warning", "R2", DAY),
        Decision("pause", "R5"),
        Decision("ban", "R5", DAY, "x" * 301),
        Decision("none", words="you"),
    ],
    ids=lambda decision: f"{decision.measure}-{decision.rule}-{decision.seconds}",
)
def test_what_makes_no_sense_is_refused(decision: Decision) -> None:
    with pytest.raises(Refused):
        decision.checked()


def test_a_ladder_climbs_and_stays_at_its_top() -> None:
    assert [next_step("R2", steps) for steps in range(4)] == [
        DAY,
        7 * DAY,
        30 * DAY,
        30 * DAY,
    ]  # seen by somebody already
    assert [next_step("R4", steps) for steps in range(5)] == [WARNED, DAY, 7 * DAY, 30 * DAY, 30 * DAY]
    assert [next_step("R5", steps) for steps in range(4)] == [DAY, 7 * DAY, 30 * DAY, 30 * DAY]
    assert [next_step("R3", steps) for steps in range(3)] == [7 * DAY, 90 * DAY, 90 * DAY]
    assert [next_step("R7", steps) for steps in range(3)] == [90 * DAY, FOR_GOOD, FOR_GOOD]
    for row in RULES.values():
        for seconds in row.ladder:
            allow("ban" if seconds else "warning", seconds, Grade.PAIR)


def test_each_measure_says_how_the_person_learns_of_it() -> None:
    assert all(line.told for line in TABLE)


def test_lengths_are_words() -> None:
    assert [spoken(one) for one in (15 * MINUTE, HOUR, 2 * HOUR, DAY, 7 * DAY, 5_400, FOR_GOOD)] == [
        "15 minutes", "1 hour", "2 hours", "1 day", "7 days", "90 minutes", "for good",
    ]  # fmt: skip
    assert end(1_000, DAY) == 1_000 + DAY
    assert end(1_000, FOR_GOOD) == FOR_GOOD
