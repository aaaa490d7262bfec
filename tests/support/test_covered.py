"""Test that shares of covered lines are counted by package, and that none may fall."""

import json
from pathlib import Path

import pytest

from tests.support import covered


def report(path: Path, **files: tuple[int, int]) -> Path:
    """A report of coverage: (lines covered, lines) by file, `__` for a slash."""
    found = {
        name.replace("__", "/"): {"summary": {"covered_lines": reached, "num_statements": lines}}
        for name, (reached, lines) in files.items()
    }
    path.write_text(json.dumps({"files": found}))
    return path


def test_shares_are_of_lines_and_by_package_over_all_reports(tmp_path: Path) -> None:
    one = report(tmp_path / "one", engine__a=(1, 10), engine__deep__b=(9, 30), server__c=(5, 5), server__empty=(0, 0))
    two = report(tmp_path / "two", ext__net__d=(2, 3), client__empty=(0, 0))
    assert covered.shares([one, two]) == {"engine": 25.0, "server": 100.0, "ext": 66.7}


@pytest.mark.parametrize(("now", "falls"), [(80.0, False), (79.7, False), (79.6, True), (90.0, False)])
def test_a_package_that_falls_by_more_than_the_slack_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], now: float, falls: bool
) -> None:
    floor = tmp_path / "floor"
    floor.write_text('{"engine": 80.0}')
    monkeypatch.setattr(covered, "FLOOR", floor)
    found = report(tmp_path / "now", engine__a=(int(10 * now), 1000))
    assert covered.main([str(found)]) == falls
    assert (f"engine: {now} % of the lines are covered, 80.0 % were" in capsys.readouterr().out) == falls


def test_a_package_that_is_not_measured_any_more_fails(tmp_path: Path) -> None:
    assert covered.fallen({"ext": 70.0}, {}) == ["ext: 0.0 % of the lines are covered, 70.0 % were"]


def test_a_package_without_a_floor_fails() -> None:
    assert covered.fallen({}, {"engine": 99.0}) == ["engine: has no floor; write it with T=--write"]


def test_what_was_reached_becomes_the_floor_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(covered, "FLOOR", tmp_path / "floor")
    found = str(report(tmp_path / "now", engine__a=(1, 2)))
    assert covered.main([found, "--write"]) == 0
    assert json.loads((tmp_path / "floor").read_text()) == {"engine": 50.0}
    assert covered.main([found]) == 0
