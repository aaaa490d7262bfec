"""The bench of pictures: verdicts come, each goal has its name, and the blobs among the strips are hits."""

import asyncio
from typing import Any

import pytest

from bench.safety.pictures import HITS, LATE, MEMORY, PAIRS, TILES_S, faults, lines, measured

GOOD: dict[str, Any] = {
    "rate": 20, "strips": 100, "judged": 100, "hits": 10, "busy": 0.4, "verdict_p50_ms": 20.0, "verdict_p99_ms": LATE, "clean_ms": 15.0,
    "scored_ms": 40.0, "own_ms": 5.0, "tiles_s": TILES_S, "pairs": PAIRS, "dropped": 0, "rss_mb": MEMORY,
}  # fmt: skip


@pytest.mark.timeout(400)  # the process is behind all others on its core
def test_each_strip_has_a_verdict_and_each_that_is_one_is_a_hit() -> None:
    row = asyncio.run(measured(10, 1.0, 3))
    assert row["strips"] == row["judged"] == 10
    assert row["hits"] == 10 // HITS
    assert row["dropped"] == 0
    assert min(row[name] for name in ("busy", "clean_ms", "scored_ms", "own_ms", "tiles_s", "pairs", "rss_mb")) > 0
    assert "0 of 10" in lines(row)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"verdict_p99_ms": LATE + 1}, ["verdict"]),
        ({"dropped": 1}, ["dropped"]),
        ({"judged": 99}, ["dropped"]),
        ({"hits": 9}, ["hits"]),
        ({"tiles_s": TILES_S - 1}, ["tiles"]),
        ({"pairs": PAIRS - 1}, ["pairs"]),
        ({"rss_mb": MEMORY + 1}, ["memory"]),
    ],
)
def test_each_goal_that_is_missed_has_its_name(change: dict[str, Any], expected: list[str]) -> None:
    assert faults({**GOOD, **change}) == expected
