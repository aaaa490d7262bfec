"""The verdict on upgrades under load: each thing that somebody would notice is found under its name; a real upgrade has a good one."""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.load import upgrade

PHASE = {"seconds": 2.9, "messages": 27_000, "p50_us": 131.0, "p99_us": 8_650.8, "p999_us": 26_000.0, "other": 4_000}
UPGRADE = {
    "people": 10_020, "people_s": 3_455, "move_us": 24.2, "seconds": 2.9, "seconds_until_ready": 1.2,
    "starting": PHASE, "moving": PHASE, "after": PHASE,
}  # fmt: skip
FOUND: dict[str, Any] = {
    "machine": {"cores": 2, "cpu": "a processor"},
    "talk": 2_000,
    "waiting": 6_000,
    "asked_messages_s": 9_400,
    "before": PHASE,
    "upgrades": [UPGRADE],
    "failed": "",
    "strangers_frames": 0,
    "lines": 100_000,
    "faults": dict.fromkeys(upgrade.FAULTS, 0),
    "waited": {"open": 6_000, "errors": 0},
    "newcomers": {"served": 100, "unserved": 0, "longest_ms": 9.0, "pages": 50, "unanswered": 0},
    "out_of_service": {"taken": 10_020, "p50_ms": 0.4, "p99_ms": 1.9, "p99.9_ms": 3.0},
}


def bad(**changes: Any) -> list[str]:
    """The verdicts that are bad, where so much is otherwise than in a good run."""
    return [name for name, good in upgrade.judged({**FOUND, **changes}).items() if not good]


def test_who_notices_nothing_has_a_good_verdict() -> None:
    assert bad() == []


@pytest.mark.parametrize("fault", upgrade.FAULTS)
def test_a_fault_that_a_hearer_counts_is_bad(fault: str) -> None:
    (found,) = bad(faults={**FOUND["faults"], fault: 3})
    assert f"3 {fault.replace('_', ' ')}" in found or found.startswith("3 connections")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"lines": 0}, "0 lines heard"),
        ({"waited": {"open": 5_999, "errors": 0}}, "5,999 of 6,000 who wait"),
        ({"waited": {"open": 6_000, "errors": 2}}, "2 errors"),
        ({"strangers_frames": 1}, "1 frames that nobody should see"),
        ({"newcomers": {**FOUND["newcomers"], "unserved": 1}}, "100 newcomers served, 1 not"),
        ({"newcomers": {**FOUND["newcomers"], "unanswered": 1}}, "50 pages over one connection, 1 not answered"),
        ({"failed": "it did not start"}, "1 upgrades, then: it did not start"),
        ({"upgrades": [{**UPGRADE, "people": 9_999}]}, "people who moved: [9999]"),
    ],
)
def test_what_else_somebody_would_notice_is_bad(changes: dict[str, Any], told: str) -> None:
    (found,) = bad(**changes)
    assert told in found


@pytest.mark.parametrize(
    ("moving", "seconds", "bad"),
    [
        (26_000.0, 3.9, []),
        (32_500.0, 4.0, []),
        (32_501.0, 2.9, ["within 32.5 ms"]),
        (26_000.0, 4.1, ["moved in 4.1 s"]),
    ],
)
def test_times_are_judged_where_that_is_asked_for(moving: float, seconds: float, bad: list[str]) -> None:
    slower = {
        **UPGRADE,
        "seconds": seconds,
        "moving": {**PHASE, "p999_us": moving},
        "after": {**PHASE, "p999_us": 9_000.0},
    }
    verdicts = upgrade.timed({**FOUND, "upgrades": [slower]})
    found = [name for name, good in verdicts.items() if not good]
    assert len(verdicts) == 2
    assert len(found) == len(bad)
    assert all(said in name for said, name in zip(bad, found, strict=True))


def test_a_load_that_said_nothing_at_its_end_is_bad() -> None:
    assert bad(faults=dict.fromkeys(upgrade.FAULTS, -1))


def test_two_versions_follow_each_other_in_turn(tmp_path: Path) -> None:
    programs = []
    for name in ("one", "two"):
        path = tmp_path / name
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
        programs.append(str(path))
    chosen = argparse.Namespace(first=programs[0], then=programs[1])
    assert [upgrade.program_of(chosen, number) for number in range(3)] == [programs[1], programs[0], programs[1]]
    assert upgrade.program_of(argparse.Namespace(first=None, then=None), 0) is None
    with pytest.raises(SystemExit, match="missing: nowhere"):
        upgrade.program_of(argparse.Namespace(first=None, then="nowhere"), 0)


def test_the_table_says_what_a_line_took_in_each_phase() -> None:
    text = upgrade.lines(FOUND)
    assert [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| ")][2:] == [
        f"| {name}" for name in upgrade.PHASES
    ]
    assert "| moving | 2.9 s | 27,000 | 0.1 ms | 8.7 ms | 26.0 ms |" in text
    assert "0 lost, 0 doubled, 0 out of order; 0 connections cut" in text


@pytest.mark.timeout(120)
def test_an_upgrade_amid_talk_loses_nothing_and_the_bench_says_what_it_took() -> None:
    command = [
        sys.executable, "-m", "bench", "upgrade", "--talk", "20", "--waiting", "20", "--messages", "200",
        "--newcomers", "10", "--times", "1", "--seconds", "1",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["before"]["messages"] > 0
    assert 0 < found["before"]["p50_us"] <= found["before"]["p999_us"] <= found["before"]["longest_us"] * 1.05
    assert found["newcomers"]["served"] > 0
    assert found["newcomers"]["pages"] > 0
    (one,) = found["upgrades"]
    assert one["people"] >= 60  # and newcomers, who may still come back
    assert one["chats"] == 20
    assert all(one[phase]["messages"] > 0 for phase in ("starting", "after"))
    assert found["out_of_service"]["taken"] == one["people"]
    assert all(found["verdicts"].values())
