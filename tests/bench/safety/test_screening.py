"""The bench of screening: verdicts come, each goal has its name, and what is found is what was said to be."""

import asyncio
from typing import Any

import pytest

from bench.safety.screening import (
    COST,
    EACH,
    FOUND,
    FREE,
    FULL,
    LATE,
    MARKED,
    MEMORY,
    REST,
    faults,
    lines,
    share,
    verdicts,
)
from bench.server.sieve_program import LINES
from server.trust.screening.screening_rules import read_rules

GOOD: dict[str, Any] = {
    "without_us": 10.0, "screened_us": 10.05, "times": COST, "relay_lines": 1_000, "relay_dropped": 0, "lines": 1_000, "dropped": 0,
    "verdict_p50_ms": 30.0, "verdict_p99_ms": LATE, "line_us": EACH, "rss_mb": MEMORY,
    "free_read": FREE, "free_line_us": 0.5, "free_modelled": 0.2, "full_read": FULL, "full_line_us": 0.5, "full_modelled": 0.2,
}  # fmt: skip


@pytest.mark.timeout(300)
def test_verdicts_come_of_each_marked_line_and_of_no_other() -> None:
    row = asyncio.run(verdicts(2_000, 1.0))
    assert row["lines"] == 2_000
    assert row["verdicts"] + row["dropped"] >= row["lines"] // MARKED
    assert row["verdicts"] <= row["lines"] // MARKED
    assert row["line_us"] > 0
    assert row["rss_mb"] > 0
    assert "of 3,000" in lines({**GOOD, **row, "relay_lines": 1_000})


@pytest.mark.timeout(300)
def test_each_line_is_read_or_lost_beside_a_program_that_uses_its_core_up() -> None:
    row = asyncio.run(share(5_000, 0.5, busy=True))
    assert row["rate"] == 5_000
    assert 0 < row["read"] <= 1
    assert 0 <= row["modelled"] <= 1
    assert row["line_us"] > 0


def test_only_the_marked_line_is_found() -> None:
    rules = read_rules(None, None)
    assert rules.find(FOUND.decode())
    assert [line for line in LINES if rules.find(line.decode())] == []


def test_the_load_s_rest_makes_the_rate() -> None:
    assert pytest.approx(5.0) == REST


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"times": COST + 0.001}, ["relay"]),
        ({"dropped": 1}, ["dropped"]),
        ({"relay_dropped": 1}, ["dropped"]),
        ({"verdict_p99_ms": LATE + 1}, ["verdict"]),
        ({"line_us": EACH + 1}, ["line"]),
        ({"rss_mb": MEMORY + 1}, ["memory"]),
        ({"free_read": FREE - 0.001}, ["free core"]),
        ({"full_read": FULL - 0.001}, ["full core"]),
    ],
)
def test_each_goal_that_is_missed_has_its_name(change: dict[str, Any], expected: list[str]) -> None:
    assert faults({**GOOD, **change}) == expected
