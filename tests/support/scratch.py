"""Where tests write: into memory, where there is room for it.

Rule: nobody reads what they wrote once they are over, but of what failed. A disk writes it back all the same, keeps a journal of it and is waited
for: of the tests that keep something that is an eighth of the time. Who names a folder (TMPDIR) has all of it there.
"""

import os
import tempfile
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")  # noqa: S108 - each run has a folder of its own there, as in /tmp
ROOM = 4 << 30  # bytes: a run takes less than one GB


def folder() -> Path | None:
    """Memory as a folder, where it takes as much as tests write and starts programs, which a container's does not always."""
    try:
        found = os.statvfs(MEMORY)
    except OSError:
        return None
    if found.f_flag & (os.ST_NOEXEC | os.ST_RDONLY) or not os.access(MEMORY, os.W_OK):
        return None
    return MEMORY if min(found.f_bavail * found.f_frsize, available() // 2) >= ROOM else None


def available() -> int:
    """Bytes that programs can have before the machine has none (proc_meminfo(5))."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    """All that this process starts writes there too, workers among them."""
    if "TMPDIR" not in os.environ and (found := folder()) is not None:
        os.environ["TMPDIR"] = str(found)
        tempfile.tempdir = None  # it was asked for already
