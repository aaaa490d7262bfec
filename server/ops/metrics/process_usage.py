"""What the system says of a process: CPU, waits for a core, memory, descriptors, since when.

Rule: in a thread, for /proc counts 20,000 descriptors in milliseconds.

Each process of a host says it of itself: nobody else may look at its descriptors.
"""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from prometheus_client import ProcessCollector

from server.ops.metrics.exposition import Reading

_SHOWN: Final = {
    "process_cpu_seconds": "serendip_process_cpu_seconds",
    "process_resident_memory_bytes": "serendip_process_resident_memory_bytes",
    "process_open_fds": "serendip_process_open_fds",
    "process_max_fds": "serendip_process_max_fds",
    "process_start_time_seconds": "serendip_process_start_time_seconds",
}


class Process:
    """One process. `name`: the label's value; `pid`: whose, by default this one's."""

    def __init__(self, name: str, pid: Callable[[], int] = os.getpid) -> None:
        self._name = name
        self._pid = pid

    def reading(self) -> Reading:
        """A source of metrics that blocks; what cannot be read is left out."""
        found = {
            _SHOWN[family.name]: family.samples[0].value
            for family in ProcessCollector(registry=None, pid=self._pid).collect()
            if family.name in _SHOWN
        }
        with contextlib.suppress(OSError):
            waited = Path(f"/proc/{self._pid()}/schedstat").read_bytes().split()[1]
            found["serendip_cpu_wait_seconds"] = int(waited) / 1e9
        return {name: {(self._name,): value} for name, value in found.items()}


def begun() -> int:
    """When this process was forked, in ticks since the machine's start: of two processes of a machine the lesser is the elder. It blocks."""
    return int(stat(os.getpid())[19])


def stat(pid: int) -> list[bytes]:
    """The fields of /proc/PID/stat behind the name: state, parent's pid and so on. Raises OSError."""
    return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
