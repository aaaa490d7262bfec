"""What machine a figure was measured on, and when. Rule: part of every document of results."""

import datetime
import os
import platform
import time
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """Processor, cores, memory, system, Python, the day, and the load before the bench began."""
    cpu = ""
    info = Path("/proc/cpuinfo")
    if info.exists():
        cpu = next(
            (line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")),
            "",
        )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory": memory,
        "system": platform.platform(),
        "python": platform.python_version(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "load": os.getloadavg()[0],
        "read_ns": round(_read_ns(), 1),
    }


def _read_ns() -> float:
    """Nanoseconds of one independent random read over 256 MiB: tells a quiet machine from a busy one."""
    import numpy as np

    array = np.zeros(1 << 25, np.uint64)
    where = np.random.default_rng(1).integers(0, 1 << 25, 1 << 21)
    best = 1e9
    for _ in range(3):
        start = time.perf_counter()
        array[where].sum()
        best = min(best, time.perf_counter() - start)
    return best / len(where) * 1e9
