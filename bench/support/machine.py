"""Describe the machine and the day of a measurement; part of every document of results."""

import datetime
import os
import platform
import sysconfig
import time
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    """Return processor, cores, memory, system, Python, day, and the load before the bench."""
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
        "interpreter": interpreter(),
        "loop_ns": round(_loop_ns(), 1),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "load": os.getloadavg()[0],
        "read_ns": round(_read_ns(), 1),
    }


def interpreter() -> str:
    """Return Python and the optimisations that its configuration names; a distribution may build with more."""
    names = ("CONFIG_ARGS", "CONFIGURE_CFLAGS_NODIST", "CONFIGURE_LDFLAGS_NODIST")
    told = " ".join(str(sysconfig.get_config_var(name)) for name in names)
    profiled = "--enable-optimizations" in told or "-fprofile-use" in told
    linked = "--with-lto" in told or "-flto" in told
    ways = [name for name, there in (("PGO", profiled), ("LTO", linked)) if there]
    return f"{platform.python_implementation()} {platform.python_version()} configured with {' and '.join(ways) or 'neither PGO nor LTO'}"


def _loop_ns() -> float:
    """Return nanoseconds of a turn of a loop of plain Python: it shows how the interpreter was built."""
    turns, best = 200_000, 1e9
    for _ in range(3):
        found: dict[int, int] = {}
        start = time.perf_counter()
        for turn in range(turns):
            found[turn & 63] = found.get(turn & 31, 0) + (turn if turn & 1 else -turn)
        best = min(best, time.perf_counter() - start)
    return best / turns * 1e9


def _read_ns() -> float:
    """Return nanoseconds of one independent random read over 256 MiB: it shows whether the machine is busy."""
    import numpy as np

    array = np.zeros(1 << 25, np.uint64)
    where = np.random.default_rng(1).integers(0, 1 << 25, 1 << 21)
    best = 1e9
    for _ in range(3):
        start = time.perf_counter()
        array[where].sum()
        best = min(best, time.perf_counter() - start)
    return best / len(where) * 1e9
