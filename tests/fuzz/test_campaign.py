"""Test searches with small targets in C: a fault stays as an input that fails again; costs are climbed, and bounded."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.c.build import libfuzzer
from tests.fuzz import campaign, results
from tests.fuzz.build import build
from tests.fuzz.campaign import Campaign, Share, costs, faults, is_counted, minimise, prepare, replay, steps_of
from tests.fuzz.targets import ROOT, TARGETS, Target

pytestmark = [
    pytest.mark.skipif(libfuzzer() is None, reason="there is no clang with libFuzzer"),
    pytest.mark.timeout(300),
]

BAD = """
#include "{support}"
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {{ CHECK(size < 4 || memcmp(data, "boom", 4)); return 0; }}
"""
SLOW = """
#include "{support}"
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {{
    volatile uint32_t sum = 0;
    for (size_t i = 0; i < size && data[i] == 'a' + i % 8; i++)
        for (uint32_t k = 0; k < 1000; k++) sum += k;
    return 0;
}}
"""


def share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, is_cost: bool, steps: int) -> Share:
    """Build a target of this source."""
    source = tmp_path / "fuzz_small.c"
    source.write_text(text.format(support=ROOT / "tests" / "c" / "support.h"))
    target = Target("small", os.path.relpath(source, ROOT), "", "", steps, 64, histories=True)
    monkeypatch.setitem(TARGETS, "small", target)
    monkeypatch.setattr(campaign, "PROGRAMS", tmp_path / "programs")
    build(tmp_path / "programs", ["small"])
    return Share(target, is_cost, tmp_path / "out")


def run(share: Share, seconds: float) -> bool:
    """Search for so long; whether nothing failed."""
    return Campaign([share], seconds, 1, 1).run()


def run_until(there: Callable[[], bool], *shares: Share) -> None:
    """Search until there is what is wanted, however slow the machine is; then stop."""
    whole = Campaign([*shares], 7200, 1, 1)
    running = threading.Thread(target=whole.run)
    running.start()
    try:
        while running.is_alive() and not there():
            time.sleep(0.05)
    finally:
        whole.stop()
        running.join(100)
    assert not running.is_alive()
    assert there()


def test_an_input_that_fails_is_found_by_coverage_stays_and_fails_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = share(tmp_path, monkeypatch, BAD, is_cost=False, steps=0)
    assert not run(bad, 60)
    (failed,) = bad.folder.glob("crash-*")
    assert failed.read_bytes().startswith(b"boom")
    assert "check failed" in replay(bad, [failed]).stderr
    assert not run(bad, 60)
    found = results.read(bad.out / "results.json")["small"]
    assert (found.failed, found.findings) == (True, 1)


def test_a_program_that_does_not_start_ends_its_own_turn_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = share(tmp_path, monkeypatch, SLOW, is_cost=False, steps=0)
    missing = good._replace(target=good.target._replace(name="missing"))
    assert not Campaign([missing, good], 4, 1, 1).run()
    known = results.read(good.out / "results.json")
    assert known["missing"].failed
    assert known["small"].executions > 0
    assert not known["small"].failed


def test_a_corpus_that_takes_too_long_to_minimise_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = share(tmp_path, monkeypatch, SLOW, is_cost=False, steps=0)
    prepare(slow)
    kept = slow.folder / "corpus" / "kept"
    kept.write_bytes(b"abc")
    monkeypatch.setattr(campaign, "ENDING", 0)
    minimise(slow)
    assert kept.read_bytes() == b"abc"


def test_a_search_that_is_stopped_ends_and_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = share(tmp_path, monkeypatch, SLOW, is_cost=False, steps=0)
    log = slow.folder / "log"
    run_until(lambda: log.exists() and b"INITED" in log.read_bytes(), slow, slow._replace(is_cost=True))
    known = results.read(slow.out / "results.json")
    assert known["small"].executions > 0
    assert not known["small"].failed
    assert known.keys() == {"small"}
    assert not faults(slow.folder)


def test_a_search_for_cost_climbs_and_a_bound_makes_an_input_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = share(tmp_path, monkeypatch, SLOW, is_cost=True, steps=0)
    run_until(lambda: slow.worst.exists() and slow.worst.read_bytes().startswith(b"abcd"), slow)
    steps = steps_of(replay(slow, [slow.worst]))
    assert steps[0] > 3_000
    assert max(max(steps_of(replay(slow, [file]))) for file in (slow.folder / "corpus").iterdir()) <= steps[0]
    bounded = slow._replace(target=slow.target._replace(steps=2_000))
    assert "too costly" in replay(bounded, [slow.worst]).stderr


def test_costs_are_compared_with_the_bound_and_what_a_search_found_stays_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = share(tmp_path, monkeypatch, SLOW, is_cost=False, steps=0)
    monkeypatch.setattr(campaign, "COSTLY", tmp_path)
    (tmp_path / "small").write_bytes(b"abcdefgh" * 4)
    path = slow.out / "results.json"
    results.add(path, "small-cost", results.Result(9, 1.0, 2, 3, 4, 5, failed=True, findings=1))
    assert costs([slow.target], slow.out)
    steps = results.read(path)["small-cost"].steps
    assert steps > 32_000
    most = campaign.BOUND_OF_KNOWN
    for bound, holds in ((steps - 1, False), (steps, True), (most * steps, True), (most * steps + 1, False)):
        assert costs([slow.target._replace(steps=bound)], slow.out) == holds
    found = results.read(path)["small-cost"]
    assert (found.executions, found.failed, found.findings) == (9, True, 1)


def test_targets_in_python_are_left_out_where_no_line_is_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr(sys, "monitoring", raising=False)  # as in Python 3.11
    assert [is_counted(TARGETS[name]) for name in ("forms", "arena")] == [False, True]
    assert capsys.readouterr().out.startswith("forms: left out")


def test_a_program_by_itself_has_the_bound_of_its_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = share(tmp_path, monkeypatch, SLOW, is_cost=False, steps=2_000)
    dear = tmp_path / "dear"
    dear.write_bytes(b"abcdefgh" * 8)
    done = subprocess.run(
        [campaign.PROGRAMS / slow.target.name, dear], check=False, capture_output=True, text=True, env={}, timeout=60
    )
    assert done.returncode != 0
    assert "too costly" in done.stderr
