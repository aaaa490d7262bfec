"""Read a process's surroundings: free disk space, and the runs of Python's garbage collector.

**Invariant:** sources that use the file system are read in a thread (`Board.add(…, apart=True)`).
"""

import contextlib
import gc
import os
import time
from pathlib import Path

from server.ops.metrics.exposition import Reading


class Folder:
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


class Collections:
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
