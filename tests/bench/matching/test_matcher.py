"""Parts of the matcher's bench are measured and kept apart from each other."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.matching import matcher
from bench.matching.result_rows import Row
from bench.support import results


def part(name: str) -> dict[str, object]:
    """A part that says its name."""
    return {"rows": [], "seed": name}


def test_a_part_that_is_measured_anew_leaves_the_others_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "RESULTS", tmp_path)
    matcher.keep({"calls": part("first"), "index": part("first")})
    matcher.keep({"calls": part("second")})
    kept = results.read("matcher")["parts"]
    assert list(kept) == ["index", "calls"]
    assert [found["seed"] for found in kept.values()] == ["first", "second"]


def test_rounds_are_of_all_parts_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def rows(seed: int, quick: bool) -> Iterator[Row]:
        seen.append(seed)
        yield Row("one", arrivals_per_s=float(len(seen)))

    monkeypatch.setattr(matcher, "PARTS", {"index": rows, "room": rows})
    found = matcher.measure(["index", "room"], 7, quick=True, rounds=3)
    assert [row["arrivals_per_s"] for part in found.values() for row in part["rows"]] == [3.0, 4.0]
    assert found["room"]["rounds"] == 3
    assert found["room"]["machine"]["date"]
