"""What got worse is found and named; figures of another kind of machine judge nothing."""

from collections.abc import Iterator
from typing import Any

import pytest

from bench.server import compare, quick

HERE = {"cpu": "test", "cores": 2, "python": "3", "load": 0.0}


def document(cost: float, words: str = "pairs", **machine: str) -> dict[str, Any]:
    rows = {"serendip": {"cpu_s_per_M": cost, "to_floor": cost / 6}}
    return {
        "machine": {**HERE, **machine},
        "scenarios": {"relay": {"figure": "cpu_s_per_M", "words": words, "servers": rows}},
    }


@pytest.fixture
def history(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What git has, the newest first; no run is made, and no instruction counted."""
    kept: list[dict[str, Any]] = []

    def versions(name: str) -> Iterator[dict[str, Any]]:
        yield from kept if name == "whole" else []

    monkeypatch.setattr(compare, "versions", versions)
    monkeypatch.setattr(compare, "machine", lambda: HERE)
    monkeypatch.setattr(quick, "measured", lambda names=(): pytest.fail("nothing seemed worse"))
    return kept


def judged(monkeypatch: pytest.MonkeyPatch, now: dict[str, Any]) -> int:
    monkeypatch.setattr(compare, "fresh", lambda: now)
    return compare.main(compare.argparse.Namespace())


def test_what_lost_more_than_a_twentieth_twice_fails_by_its_name(
    monkeypatch: pytest.MonkeyPatch, history: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    history.append(document(6.0))
    assert judged(monkeypatch, document(6.25)) == 0
    asked: list[list[str]] = []

    def again(names: list[str]) -> dict[str, Any]:
        asked.append(names)
        return document(6.5)

    monkeypatch.setattr(quick, "measured", again)
    assert judged(monkeypatch, document(7.0)) == 1
    assert asked == [["relay"]]
    said = capsys.readouterr().out
    assert said.endswith("lost: relay: to_floor\n")
    assert "+8.3%  LOST" in said


def test_noise_that_does_not_come_twice_is_no_loss(
    monkeypatch: pytest.MonkeyPatch, history: list[dict[str, Any]]
) -> None:
    history.append(document(6.0))
    monkeypatch.setattr(quick, "measured", lambda _: document(6.1))
    assert judged(monkeypatch, document(9.0)) == 0


def test_another_kind_of_machine_is_told_and_fails_nothing(
    monkeypatch: pytest.MonkeyPatch, history: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    history.append(document(3.0, cpu="another"))
    assert judged(monkeypatch, document(9.0)) == 0
    assert (
        "whole.json: no committed results of this kind of machine (test); the last are of another: another, 2, 3"
        in capsys.readouterr().out
    )


def test_the_newest_results_of_this_kind_of_machine_are_what_is_compared_with(
    monkeypatch: pytest.MonkeyPatch, history: list[dict[str, Any]]
) -> None:
    history += [document(3.0, cpu="another"), document(6.0), document(1.0)]
    assert judged(monkeypatch, document(6.1)) == 0


def test_a_row_that_was_measured_otherwise_is_told_and_not_judged() -> None:
    (row,) = compare.rows(document(6.0, "pairs"), document(9.0, "pairs, until written"))
    assert not row.lost
    assert "not judged" in str(row)


def test_instructions_may_not_grow_by_more_than_a_fiftieth() -> None:
    assert compare.Row("a message", 1000.0, 1030.0, compare.TIGHT).lost
    assert not compare.Row("a message", 1000.0, 1010.0, compare.TIGHT).lost


def test_git_s_history_is_read_from_the_newest_on() -> None:
    assert next(compare.versions("whole"))["scenarios"]
