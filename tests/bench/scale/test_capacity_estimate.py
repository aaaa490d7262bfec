"""The verb makes a whole document of a small world."""

import os
import subprocess
import sys

import pytest

from bench.scale import capacity_estimate, documents
from bench.scale.assumptions import Assumed
from bench.support.results import ROOT


def test_a_small_world_has_all_figures_and_can_be_shown() -> None:
    made = capacity_estimate.document(Assumed(people=20_000, cluster=10_000), seed=2, scale=0.02)
    assert {"seed", "assumed", "costs", "cores", "hosts", "hub", "bus", "languages", "small", "back"} <= made.keys()
    for mark, make in documents.TABLES.items():
        assert make(made).strip(), mark


def printed(hashes: str) -> str:
    """What the verb says, as a process that was started with these hashes."""
    command = [sys.executable, "-m", "bench", "scale", "--people", "20000", "--rooms", "0.02"]
    environment = {**os.environ, "PYTHONHASHSEED": hashes}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.timeout(300)  # four starts of Python, and NumPy
def test_the_same_seed_prints_the_same_in_any_process() -> None:
    first, again = printed("7"), printed("8")
    assert len(first) > 1_000
    assert first == again
