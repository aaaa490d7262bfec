"""What the system says of a process comes under its name; of one that is not there, nothing."""

import gc
import os
import shutil
import subprocess
import sys
from pathlib import Path

from server.ops.metrics.metric_table import METRICS
from server.ops.metrics.resource_usage import DiskSpace, GarbageCollections, ProcessUsage, start_ticks, stat

DECLARED = {metric.name: metric for metric in METRICS}
ALL = {"cpu_seconds", "resident_memory_bytes", "open_fds", "max_fds", "start_time_seconds"}


def test_a_process_says_all_of_itself_by_declared_names() -> None:
    found = ProcessUsage("worker 1").reading()
    assert set(found) == {f"serendip_process_{what}" for what in ALL} | {"serendip_cpu_wait_seconds"}
    for name, series in found.items():
        assert DECLARED[name].labels == ("process",)
        assert isinstance(series, dict)
        assert [(labels, value > 0) for labels, value in series.items()] == [(("worker 1",), True)]


def test_of_a_process_that_is_not_there_nothing_is_said() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait(20)
    assert ProcessUsage("worker 1", lambda: gone.pid).reading() == {}


def test_who_is_forked_later_is_the_younger() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert start_ticks() == int(stat(os.getpid())[19])
        assert start_ticks() < int(stat(child.pid)[19])
    finally:
        child.communicate(b"\n", timeout=20)


def test_the_room_is_that_of_the_data_folders_file_system(tmp_path: Path) -> None:
    found = DiskSpace(tmp_path).reading()
    assert found["serendip_disk_size_bytes"] == shutil.disk_usage(tmp_path).total
    assert 0 < found["serendip_disk_free_bytes"] <= found["serendip_disk_size_bytes"]  # type: ignore[operator]


def test_a_folder_that_is_gone_says_nothing_of_its_room(tmp_path: Path) -> None:
    assert DiskSpace(tmp_path / "none").reading() == {}


def test_a_collection_is_counted_by_its_generation_until_the_end() -> None:
    collections = GarbageCollections()
    before = collections.reading()["serendip_gc_collections"]
    gc.collect(2)
    after = collections.reading()
    assert after["serendip_gc_collections"]["2",] == before["2",] + 1  # type: ignore[index,operator]
    assert after["serendip_gc_seconds"] > 0  # type: ignore[operator]
    collections.stop()
    gc.collect(2)
    assert collections.reading() == after
