"""The costs of a move are put together and said; the counts come from a process that goes on when it is told."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bench.__main__ import main
from bench.moves import migration_rig, moves
from bench.support import callgrind
from bench.support.results import ROOT


def test_the_table_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(moves, "COUNT", 4)
    monkeypatch.setattr(moves, "ROUNDS", (2, 2))
    assert main(["moves", "--clock"]) == 0
    said = capsys.readouterr().out
    assert all(kind in said for kind in migration_rig.KINDS)
    assert "To reach: 20 µs" in said


def test_who_counts_from_outside_is_told_when() -> None:
    program = f"import uvloop; from bench.moves.migration_rig import counted; uvloop.run(counted([({migration_rig.IDLING!r}, 1)], 2, 1))"
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        for word in ("ready", "over"):
            callgrind.await_word(child, word)
            callgrind.go_on(child)
        assert child.wait(20) == 0
        with pytest.raises(RuntimeError, match="not ready"):
            callgrind.await_word(child, "ready")


def test_instructions_that_were_not_counted_are_left_out() -> None:
    on = {"cpu": "x", "cores": 2, "interpreter": "CPython", "loop_ns": 70.0, "load": 0.1, "date": "2026-01-01"}
    costs = {kind: {batch: [1.0, 2.0, 3.0] for batch in migration_rig.BATCHES} for kind in migration_rig.KINDS}
    found = {
        "machine": on,
        "people": 4,
        "us": costs,
        "instructions": {migration_rig.WAITS: {migration_rig.ALONE: 41_234}},
    }
    said = moves.lines(found)
    assert f"| {migration_rig.IDLING} | 2 (1 to 3) |  | 2 (1 to 3) |  |" in said
    assert f"| {migration_rig.WAITS} | 2 (1 to 3) | 41.2 | 2 (1 to 3) |  |" in said
