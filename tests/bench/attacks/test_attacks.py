"""The bench of attacks: one runs whole beside the bystanders, and each fault has its name."""

import asyncio
import subprocess
import sys
import time
from typing import Any

import pytest

from bench.attacks.attack_list import ATTACKS, RESOURCES
from bench.attacks.attack_sockets import address
from bench.attacks.attacks import FILES, LINE, NEWCOMER, ROOM, beside_rest, faults
from bench.attacks.bystanders import percentile
from bench.attacks.echo import Echo, EchoEnded, hear_echo

GOOD = {
    "limits": "on", "line_p99_ms": LINE, "newcomer_p99_ms": NEWCOMER, "lost": 0, "rss_mb": [100.0, 900.0, 100.0 + ROOM],
    "descriptors": [20, 20 + FILES], "done": 1, "attack": "pings",
}  # fmt: skip


@pytest.mark.timeout(600)  # a row that a busy machine spoils is measured up to three times
def test_an_attack_runs_beside_bystanders_and_its_row_is_printed() -> None:
    command = [sys.executable, "-m", "bench", "attacks", "--only", "pings", "--seconds", "2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=590, check=False)
    rows = [line.split(" | ") for line in done.stdout.splitlines() if line.startswith("| pings")]
    assert [row[1] for row in rows] == ["on", "off"] * 2, done.stderr  # each as it ends, then the table
    assert all(float(row[2].split(" / ")[1].replace(",", "")) > 0 for row in rows)
    assert all(int(row[7].replace(",", "")) > 0 for row in rows), "the attack did nothing"
    assert (done.returncode == 0) == all(row[9] == "good |" for row in rows)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"line_p99_ms": LINE + 1}, ["lines"]),
        ({"newcomer_p99_ms": NEWCOMER + 1}, ["newcomers"]),
        ({"lost": 1}, ["lost"]),
        ({"rss_mb": [100.0, 900.0, 101.0 + ROOM]}, ["memory"]),
        ({"descriptors": [20, 21 + FILES]}, ["descriptors"]),
        ({"done": 0}, ["attacker"]),
        ({"done": 0, "attack": "none"}, []),
        ({"limits": "off", "line_p99_ms": 9e9, "newcomer_p99_ms": 9e9, "lost": 5}, []),
        ({"limits": "off", "descriptors": [20, 1023]}, ["descriptors"]),
    ],
)
def test_each_fault_has_its_name(change: dict[str, Any], expected: list[str]) -> None:
    assert faults({**GOOD, **change}) == expected


def test_a_row_beside_a_server_at_rest_has_the_ratio_of_the_waits_and_what_memory_stays() -> None:
    row = {
        **GOOD,
        "attack": "tickets",
        "rest_p50_ms": 0.4,
        "line_p50_ms": 0.5,
        "rest_p99_ms": 2.0,
        "line_p99_ms": 5.0,
        "echo_p99_ms": [0.2, 0.3],
        "rss_mb": [200.0, 260.0, 210.0],
        "again_mb": None,
        "done": 1_200,
    }
    shown = ["tickets", "on", "0.4 → 0.5", "2.0 → 5.0", "2.5", "0.2 → 0.3", "0", "200 → 260 → 210", "+5 %", "", "1,200"]
    assert beside_rest(row) == shown


def test_a_row_whose_memory_stays_says_what_a_second_attack_adds() -> None:
    row = {
        **GOOD, "rest_p50_ms": 0.4, "line_p50_ms": 0.5, "rest_p99_ms": 2.0, "echo_p99_ms": [0.2, 0.3],
        "rss_mb": [200.0, 260.0, 250.0], "again_mb": 254.0,
    }  # fmt: skip
    assert beside_rest(row)[-3:-1] == ["+25 %", "+2 %"]


async def test_an_echo_that_ended_is_told_and_not_taken_for_a_quick_one() -> None:
    with Echo("") as echo:
        assert len(await hear_echo(echo.port, time.perf_counter(), 0.0, 3)) == 3
        waits = asyncio.ensure_future(hear_echo(echo.port, time.perf_counter(), 0.0, 10**9))
        await asyncio.sleep(0)
    with pytest.raises(EchoEnded, match=r"the echo answered \d+ of 1000000000 bytes"):
        await waits


def test_each_row_of_resources_is_an_attack() -> None:
    assert set(RESOURCES) <= set(ATTACKS)


def test_attackers_have_addresses_of_their_own() -> None:
    some = [address(who) for who in range(0, 200_000, 7)]
    assert len(set(some)) == len(some)
    assert not any(name.startswith("127.0.0.") for name in some)
    assert all(0 < int(part) < 255 for name in some for part in name.split(".")[3:])


def test_a_percentile_is_the_nearest_rank() -> None:
    assert percentile([float(number) for number in range(100)], 0.99) == 99.0
    assert percentile([], 0.5) == 0.0
