"""Read from /proc the scheduling state of a thread, its CPU time, and the time that it waited for a core.

Processes may be hidden from each other, so each process opens its own files and passes the descriptors on.
"""

# Processes that forbid dumps are hidden if /proc is mounted with `hidepid` (systemd's `ProtectProc=invisible`); an open descriptor is not checked
# again. Sources: proc_pid_stat(5), and Linux' Documentation/scheduler/sched-stats.rst for `schedstat` (nanoseconds on a core, nanoseconds ready
# without one, time slices).

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path
from typing import Final, NamedTuple

RUNNABLE: Final = "R"  # on a core, or ready for one
_NS: Final = 1e-9


class Sample(NamedTuple):
    """One reading. `at`: monotonic seconds; `state`: the letter of /proc/PID/stat; `ran`, `waited`: seconds since the start of the thread."""

    at: float
    state: str
    ran: float
    waited: float


class Meter:
    """The two open files of one thread; owns the descriptors."""

    def __init__(self, stat: int, schedstat: int) -> None:
        self._descriptors = (stat, schedstat)

    @classmethod
    def of_self(cls, thread: int | None = None) -> Meter | None:
        """Return the meter of this process's main thread, or of the thread of this number; None: the kernel does not provide it, or it ended."""
        folder = "/proc/self" if thread is None else f"/proc/self/task/{thread}"
        opened: list[int] = []
        try:
            for name in ("stat", "schedstat"):
                opened.append(os.open(f"{folder}/{name}", os.O_RDONLY | os.O_CLOEXEC))
        except OSError:
            for descriptor in opened:
                os.close(descriptor)
            return None
        return cls(*opened)

    @property
    def descriptors(self) -> tuple[int, int]:
        """The descriptors of stat and schedstat, as `Meter` takes them."""
        return self._descriptors

    def read(self) -> Sample | None:
        """Read the current values; None if the thread has ended."""
        try:
            stat, schedstat = (os.pread(descriptor, 1024, 0) for descriptor in self._descriptors)
            state = stat.rpartition(b")")[2].split()[0].decode()
            ran, waited = schedstat.split()[:2]
        except (OSError, ValueError, IndexError):
            return None
        return Sample(time.monotonic(), state, int(ran) * _NS, int(waited) * _NS)

    def close(self) -> None:
        """Close the descriptors."""
        for descriptor in self._descriptors:
            os.close(descriptor)


class ThreadMeters:
    """Meters of the threads of this process that run Python, beside the main one, to be passed on."""

    def __init__(self) -> None:
        self._known: set[int] = set()
        self._open: dict[int, Meter] = {}

    def of_new(self) -> dict[int, Meter]:
        """Return the meters of the threads that began since the last call, by number, and of those whose files could not be opened then. They are
        open until the next call, or `close`.
        """
        self.close()
        main = threading.main_thread()
        live = {thread.native_id for thread in threading.enumerate() if thread is not main and thread.native_id}
        self._open = {one: meter for one in live - self._known if (meter := Meter.of_self(one)) is not None}
        self._known = (self._known & live) | self._open.keys()
        return self._open

    def close(self) -> None:
        """Close the meters of the last call."""
        for meter in self._open.values():
            meter.close()
        self._open = {}


def had_core(before: Sample, after: Sample) -> float:
    """Return the seconds between two samples in which the thread had a core or needed none: it ran, slept, was blocked or stopped.

    The kernel adds a wait to `waited` when the wait is over: of a thread that is ready at the second sample only the time that it ran counts.
    """
    if after.state == RUNNABLE:
        return max(0.0, after.ran - before.ran)
    return max(0.0, after.at - before.at - (after.waited - before.waited))


def core_share(root: Path = Path("/sys/fs/cgroup"), groups: str | None = None) -> float:
    """Return how much of one core this process may use, by the quotas of its control groups (cgroup v2, `cpu.max`); 1.0 without a quota.

    `root`: the mount point of cgroups; `groups`: the text of /proc/self/cgroup.
    """
    share = 1.0
    with contextlib.suppress(OSError, ValueError):
        text = Path("/proc/self/cgroup").read_text() if groups is None else groups
        for line in text.splitlines():
            if line.startswith("0::"):
                names = line[3:].strip("/").split("/")
                for depth in range(len(names) + 1):
                    share = min(share, _quota(root.joinpath(*names[:depth])))
    return share


def _quota(group: Path) -> float:
    """Return the quota of a group, in cores. Raises ValueError."""
    try:
        quota, period = (group / "cpu.max").read_text().split()
    except FileNotFoundError:
        return 1.0
    return 1.0 if quota == "max" else int(quota) / int(period)
