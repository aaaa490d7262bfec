"""The bench of hostile people: a script runs whole beside the pairs, and each fault has its name."""

import subprocess
import sys
from typing import Any

import pytest

from bench.hostile.hostile import GRACE, WITHIN, faults

GOOD: dict[str, Any] = {"p99_ms": [10.0, 10.0 * WITHIN + GRACE], "lost": 0, "refused": [], "stopped": {"429": 1}}


@pytest.mark.timeout(120)
def test_a_script_runs_beside_the_pairs_and_its_row_is_printed() -> None:
    name = "flood of `seen`"
    command = [sys.executable, "-m", "bench", "hostile", "--only", name, "--seconds", "1", "--rounds", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    first, row = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith(f"| {name}")]
    assert first == row, "as it ends, and in the table"
    assert ", 4008 × " in row[3], done.stderr
    assert row[7] == "0", "lines lost"
    assert (done.returncode == 0) == (row[8] == "good |")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"p99_ms": [10.0, 10.0 * WITHIN + GRACE + 0.1]}, ["lines"]),
        ({"lost": 1}, ["lost"]),
        ({"refused": [{"challenge": 1}]}, ["refused"]),
        ({"stopped": {}}, ["not stopped"]),
    ],
)
def test_each_fault_has_its_name(change: dict[str, Any], expected: list[str]) -> None:
    assert faults({**GOOD, **change}) == expected
