"""What the system says of a process comes under its name; of one that is not there, nothing."""

import os
import subprocess
import sys

from server.ops.metrics.metric_table import METRICS
from server.ops.metrics.process_usage import Process, begun, stat

DECLARED = {metric.name: metric for metric in METRICS}
ALL = {"cpu_seconds", "resident_memory_bytes", "open_fds", "max_fds", "start_time_seconds"}


def test_a_process_says_all_of_itself_by_declared_names() -> None:
    found = Process("worker 1").reading()
    assert set(found) == {f"serendip_process_{what}" for what in ALL} | {"serendip_cpu_wait_seconds"}
    for name, series in found.items():
        assert DECLARED[name].labels == ("process",)
        assert isinstance(series, dict)
        assert [(labels, value > 0) for labels, value in series.items()] == [(("worker 1",), True)]


def test_of_a_process_that_is_not_there_nothing_is_said() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait(20)
    assert Process("worker 1", lambda: gone.pid).reading() == {}


def test_who_is_forked_later_is_the_younger() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert begun() == int(stat(os.getpid())[19])
        assert begun() < int(stat(child.pid)[19])
    finally:
        child.communicate(b"\n", timeout=20)
