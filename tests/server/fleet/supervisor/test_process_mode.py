"""How many processes a host is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from server.fleet.supervisor.process_mode import has_several, number_of_workers
from server.ops.config.settings import Settings

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize(("cores", "workers"), [(1, 1), (2, 2), (3, 2), (8, 7)])
def test_by_auto_a_core_is_left_to_the_others(cores: int, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    assert number_of_workers(Settings(workers="auto")) == workers
    assert number_of_workers(Settings(workers=5)) == 5


def test_one_worker_is_one_process_and_two_are_several() -> None:
    assert [has_several(Settings(workers=workers)) for workers in (1, 2)] == [False, True]


def test_one_process_imports_nothing_of_several() -> None:
    code = "import sys, server.main.single_process_server; print(*sorted({'server.main.processes.process_group', 'nats'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
