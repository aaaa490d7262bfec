"""Test searches with small targets in C: a fault stays as an input that fails again; costs are climbed, and bounded."""

import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.c.build import libfuzzer
from tests.fuzz import campaign, results
from tests.fuzz.build import build
from tests.fuzz.campaign import Campaign, Share, faults, minimise, replay, steps_of
from tests.fuzz.targets import ROOT, TARGETS, Target

pytestmark = pytest.mark.skipif(libfuzzer() is None, reason="there is no clang with libFuzzer")

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
    assert run(slow, 2)
    before = sorted((slow.folder / "corpus").iterdir())
    assert before
    monkeypatch.setattr(campaign, "ENDING", 0)
    minimise(slow)
    assert sorted((slow.folder / "corpus").iterdir()) == before


def test_a_search_that_is_stopped_ends_and_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = share(tmp_path, monkeypatch, SLOW, is_cost=False, steps=0)
    whole = Campaign([slow, slow._replace(is_cost=True)], 7200, 1, 1)
    running = threading.Thread(target=whole.run)
    running.start()
    log = slow.folder / "log"
    while running.is_alive() and not (log.exists() and b"INITED" in log.read_bytes()):
        time.sleep(0.05)
    whole.stop()
    running.join(60)
    assert not running.is_alive()
    known = results.read(slow.out / "results.json")
    assert known["small"].executions > 0
    assert not known["small"].failed
    assert known.keys() == {"small"}
    assert not faults(slow.folder)


def test_a_search_for_cost_climbs_and_a_bound_makes_an_input_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = share(tmp_path, monkeypatch, SLOW, is_cost=True, steps=0)
    assert run(slow, 4)
    steps = steps_of(replay(slow, [slow.worst]))
    assert steps[0] > 3_000
    assert max(max(steps_of(replay(slow, [file]))) for file in (slow.folder / "corpus").iterdir()) <= steps[0]
    bounded = slow._replace(target=slow.target._replace(steps=2_000))
    assert "too costly" in replay(bounded, [slow.worst]).stderr


def test_a_program_by_itself_has_the_bound_of_its_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = share(tmp_path, monkeypatch, SLOW, is_cost=False, steps=2_000)
    dear = tmp_path / "dear"
    dear.write_bytes(b"abcdefgh" * 8)
    done = subprocess.run(
        [campaign.PROGRAMS / slow.target.name, dear], check=False, capture_output=True, text=True, env={}, timeout=60
    )
    assert done.returncode != 0
    assert "too costly" in done.stderr
