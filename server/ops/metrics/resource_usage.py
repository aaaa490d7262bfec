"""Read resource usage: a process's CPU time, waits for a core, memory and descriptors; free disk space; garbage collector runs.

Each process reads its own values.
**Invariant:** called in a thread, because counting 20,000 descriptors in /proc takes milliseconds.
"""

import contextlib
import gc
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from prometheus_client import ProcessCollector

from server.ops.metrics.metric_type import Reading

_SHOWN: Final = {
    "process_cpu_seconds": "serendip_process_cpu_seconds",
    "process_resident_memory_bytes": "serendip_process_resident_memory_bytes",
    "process_open_fds": "serendip_process_open_fds",
    "process_max_fds": "serendip_process_max_fds",
    "process_start_time_seconds": "serendip_process_start_time_seconds",
}


class ProcessUsage:
    """Resource usage of one process. `name`: the label's value; `pid`: by default this process's."""

    def __init__(self, name: str, pid: Callable[[], int] = os.getpid) -> None:
        self._name = name
        self._pid = pid

    def reading(self) -> Reading:
        """Return the usage, as a source of metrics that blocks; values that cannot be read are left out."""
        found = {
            _SHOWN[family.name]: family.samples[0].value
            for family in ProcessCollector(registry=None, pid=self._pid).collect()
            if family.name in _SHOWN
        }
        with contextlib.suppress(OSError):
            waited = Path(f"/proc/{self._pid()}/schedstat").read_bytes().split()[1]
            found["serendip_cpu_wait_seconds"] = int(waited) / 1e9
        return {name: {(self._name,): value} for name, value in found.items()}


def start_ticks() -> int:
    """Return when this process was forked, in ticks since the machine's start: of two processes of a machine the older one has the lesser value.
    Blocks.
    """
    return int(stat(os.getpid())[19])


def stat(pid: int) -> list[bytes]:
    """Return the fields of /proc/PID/stat behind the name: state, parent's pid and so on. Raises OSError."""
    return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()


class DiskSpace:
    """Free space of the data folder's file system."""

    def __init__(self, data: Path) -> None:
        self._data = data

    def reading(self) -> Reading:
        """Return free space and size, as a source of metrics that blocks; values that cannot be read are left out."""
        found: dict[str, float] = {}
        with contextlib.suppress(OSError):
            room = os.statvfs(self._data)
            found["serendip_disk_free_bytes"] = room.f_bavail * room.f_frsize
            found["serendip_disk_size_bytes"] = room.f_blocks * room.f_frsize
        return found


class GarbageCollections:
    """Number and duration of garbage collections, by generation; a collection blocks the loop."""

    def __init__(self) -> None:
        self._counts = [0, 0, 0]
        self._seconds = 0.0
        self._begun = 0.0
        gc.callbacks.append(self._called)

    def stop(self) -> None:
        """Stop counting."""
        gc.callbacks.remove(self._called)

    def reading(self) -> Reading:
        """Return the numbers, as a source of metrics."""
        return {
            "serendip_gc_collections": {(str(generation),): count for generation, count in enumerate(self._counts)},
            "serendip_gc_seconds": self._seconds,
        }

    def _called(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._begun = time.monotonic()
        else:
            self._counts[info["generation"]] += 1
            self._seconds += time.monotonic() - self._begun
