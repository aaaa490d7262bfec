"""What a bench sees of a hand-over: the server's lines one by one, times out of service by their bounds, the CPU of both sides."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from bench.load.upgrade_run import Looks, NotUpgradedError, counted, upgraded, within
from server.fleet.migrate.migration_counts import MigrationCounts
from server.ops.metrics.exposition import MetricsBoard

PHASE = {"seconds": 1.0}


class Old:
    """A server's control socket that says what a test wants."""

    def __init__(self, data: Path, lines: list[dict[str, Any]]) -> None:
        (data / "run").mkdir()
        self._sock = socket.socket(socket.AF_UNIX)
        self._sock.bind(str(data / "run" / "control"))
        self._sock.listen()
        self._lines = lines
        self.asked: dict[str, Any] = {}
        self.thread = threading.Thread(target=self._answer)
        self.thread.start()

    def _answer(self) -> None:
        connection, _ = self._sock.accept()
        with connection, connection.makefile("rwb") as stream:
            self.asked = json.loads(stream.readline())
            for line in self._lines:
                stream.write(json.dumps(line).encode() + b"\n")
                stream.flush()
        self._sock.close()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def new() -> Iterator[int]:
    """A process that stands for the successor."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process.pid
        process.communicate()


async def test_an_upgrade_is_told_with_its_phases_and_who_serves_then(data: Path, new: int) -> None:
    old = Old(data, [
        {"step": "starting"}, {"step": "ready", "pid": new, "version": "0.2"}, {"step": "moving", "left": 5},
        {"done": True, "people": 10, "chats": 4, "seconds": 0.1},
    ])  # fmt: skip
    phases: list[dict[str, Any]] = []

    def phase() -> dict[str, Any]:
        phases.append({"number": len(phases)})
        return phases[-1]

    pid, figures = await upgraded(data, os.getpid(), "/opt/two/bin/serendip", phase, 0.0)
    await asyncio.to_thread(old.thread.join)
    assert old.asked == {"do": "upgrade", "program": "/opt/two/bin/serendip"}
    assert pid == new
    assert (figures["people"], figures["chats"], figures["version"]) == (10, 4, "0.2")
    assert (figures["starting"], figures["moving"]) == ({"number": 0}, {"number": 1})
    assert figures["people_s"] > 0
    assert figures["old_cpu"] >= 0


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([{"step": "starting"}, {"done": False, "said": "it did not start"}], "it did not start"),
        ([{"step": "starting"}], "ended before"),
        ([{"done": True, "people": 3}], "people"),  # it never said that the new one is ready
    ],
)
async def test_an_upgrade_that_was_not_done_says_why(data: Path, lines: list[dict[str, Any]], said: str) -> None:
    old = Old(data, lines)
    with pytest.raises(NotUpgradedError, match=said):
        await upgraded(data, os.getpid(), None, lambda: PHASE, 0.0)
    await asyncio.to_thread(old.thread.join)


async def test_without_a_server_there_is_no_upgrade(data: Path) -> None:
    with pytest.raises(NotUpgradedError, match="no server"):
        await upgraded(data, os.getpid(), None, lambda: PHASE, 0.0)


async def test_the_cpu_of_a_process_that_has_ended_is_what_was_seen_last() -> None:
    looks = Looks(os.getpid())
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=subprocess.PIPE)
    looks.begin(process.pid)
    await process.communicate(b"\n")
    old_cpu, new_cpu = await looks.end()
    assert old_cpu > 0
    assert new_cpu >= 0


def test_a_share_of_the_times_lies_between_the_bounds_of_its_bucket() -> None:
    times = [(0.001, 50.0), (0.002, 99.0), (float("inf"), 100.0)]
    assert within(times, 0.25) == 0.5
    assert within(times, 0.5) == 1.0
    assert within(times, 0.99) == 2.0
    assert within(times, 1.0) == 2.0  # at least: above all bounds nothing is known
    assert within([], 0.5) is None
    assert within([(0.001, 0.0), (float("inf"), 0.0)], 0.5) is None


def test_a_scrape_of_the_server_s_own_counts_is_read() -> None:
    tally, board, registry = MigrationCounts(), MetricsBoard(), CollectorRegistry(auto_describe=False)
    tally.people["upgrade", "refused"] += 2
    for _ in range(100):
        tally.came("upgrade", 1, 0.0015)
    tally.came("meet", 7, 1.0)
    board.add(tally.reading)
    registry.register(board)
    found = counted(generate_latest(registry).decode())
    assert (found["taken"], found["back"], found["refused"]) == (100, 0, 2)
    assert 1.0 < found["p50_ms"] < found["p99_ms"] <= 2.0
    assert counted("")["p99_ms"] is None
