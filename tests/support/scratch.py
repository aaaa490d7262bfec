"""Let tests write to memory if there is room for it.

**Invariant:** files are not read after the tests, unless one failed. A disk would still write them back, journal them and block: an eighth
of the time of tests with files. A folder named by TMPDIR is used instead.
"""

import os
import tempfile
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")  # noqa: S108 - each run has a folder of its own there, as in /tmp
ROOM = 4 << 30  # bytes: a run needs less than one GB


def folder() -> Path | None:
    """Return a folder in memory, if it has room and can start programs, which a container's cannot always."""
    try:
        found = os.statvfs(MEMORY)
    except OSError:
        return None
    if found.f_flag & (os.ST_NOEXEC | os.ST_RDONLY) or not os.access(MEMORY, os.W_OK):
        return None
    return MEMORY if min(found.f_bavail * found.f_frsize, available() // 2) >= ROOM else None


def available() -> int:
    """Return the bytes available to programs (proc_meminfo(5))."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    """Set the folder for this process and all that it starts, workers included."""
    if "TMPDIR" not in os.environ and (found := folder()) is not None:
        os.environ["TMPDIR"] = str(found)
        tempfile.tempdir = None  # it was computed already
