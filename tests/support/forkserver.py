"""What starts ours in a test is forked from a process that has imported it: to import is most of what a start computes.

Rule: forked is only the line that starts a server or a command (START), and only where the new process is what it would be had it been executed: a
child of the test's process with the same arguments, descriptors, folder and variables, in the same network. All else is executed as ever: what runs
something before that line or from other sources, what has other variables of Python itself, and what a test `executed` starts.

    a test ── subprocess.Popen([python, "-c", START, ...]) ──> Forkserver.start ── words, descriptors ──> forked.py
      └────────────────────────────── parent of (CLONE_PARENT) ──────────────────> a server <─── clones ─────┘
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.groups import is_outside

START = "from server.cli import main; main()"
ROOT = Path(__file__).resolve().parents[2]
# Variables that say something before the first line of a program runs, or while ours is imported.
EARLY = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "TZ", "COVERAGE_", "SERENDIP_PLAIN")
COUNTED = ("COVERAGE_", "ASAN_")  # what makes each program count something from its beginning to its end
PROGRAM = "import sys; from tests.support.forked import run, served; run(served(int(sys.argv[1])))"
SAME = [None, None, None, -1, None]  # group, groups, user and umask of who starts it, and nothing that runs before it
LATEST = 60.0  # seconds until it has answered: it may be importing still

Forker = Callable[..., int]


class Forkserver:
    """A process that has imported ours, in this network and with these early variables. Safe to call from any thread."""

    def __init__(self) -> None:
        self._early, self._network = early(os.environ), network()
        self._lock = threading.Lock()
        self._link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._link.settimeout(LATEST)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(theirs.fileno())],
                cwd=ROOT, env=self._early, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            )  # fmt: skip

    def fits(self, folder: Path, environment: Mapping[str, str]) -> bool:
        """Whether what is started there with these variables, by this thread, would have begun as this process did."""
        return folder == ROOT and early(environment) == self._early and network() == self._network

    def start(self, request: dict[str, Any], given: list[int]) -> int:
        """The pid of a new child that has these descriptors under `request["numbers"]`. Raises OSError where it cannot be."""
        with self._lock:
            socket.send_fds(self._link, [json.dumps(request).encode()], given)
            said = self._link.recv(100)
        if not said:
            raise OSError("what forks the servers of tests is gone")
        return int(said)

    def close(self) -> None:
        """It ends once nobody can ask."""
        self._link.close()
        self._process.wait(LATEST)


def early(environment: Mapping[str, str]) -> dict[str, str]:
    """Those of a process's variables that count before its first line."""
    return {name: value for name, value in environment.items() if name.startswith(EARLY)}


def network() -> int:
    """Which network this thread is in (namespaces(7))."""
    return Path("/proc/thread-self/ns/net").stat().st_ino


class Starter:
    """What `subprocess` makes a process with: one that fits the forkserver is forked, any other executed. `here`: whether there is one now."""

    def __init__(self, execute: Forker) -> None:
        self.execute = execute
        self._forks = Forkserver()
        self.here = True

    def __call__(self, *how: Any) -> int:
        """As `_posixsubprocess.fork_exec`, whose arguments have no names; the pid."""
        (given, _, closes, kept, folder, lines, stdin, _, _, stdout, _, stderr, _, failed, _, session, group, *rest) = (
            how
        )
        words = [os.fsdecode(word) for word in given]
        if not self.here or words[:3] != [sys.executable, "-c", START] or not closes or rest[: len(SAME)] != SAME:
            return self.execute(*how)
        variables = os.environ if lines is None else dict(os.fsdecode(line).split("=", 1) for line in lines)
        if not self._forks.fits(Path(os.fsdecode(folder or "")).resolve(), variables):
            return self.execute(*how)
        numbers = [0, 1, 2, *(number for number in kept if number not in (0, 1, 2, failed))]
        first = [asked if asked >= 0 else ours for asked, ours in zip((stdin, stdout, stderr), range(3), strict=True)]
        asked = {"words": words, "environment": dict(variables), "numbers": numbers, "session": session, "group": group}
        return self._forks.start(asked, first + numbers[3:])

    def close(self) -> None:
        """The forkserver ends."""
        self.here = False
        self._forks.close()


STARTER = pytest.StashKey[Starter]()


@pytest.hookimpl
def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin where a server may be started, while the first test runs; not where lines or leaks are counted: that begins with a program."""
    if any(map(is_outside, session.items)) and not any(name.startswith(COUNTED) for name in os.environ):
        execute = subprocess._fork_exec  # type: ignore[attr-defined]  # what a test gives to Popen stays what it is this way
        starter = session.config.stash[STARTER] = Starter(execute)
        subprocess._fork_exec = starter  # type: ignore[attr-defined]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """A test of the program's own start is one: what it starts is executed."""
    starter = item.config.stash.get(STARTER, None)
    if starter is None or item.get_closest_marker("executed") is None:
        return (yield)
    starter.here = False
    try:
        return (yield)
    finally:
        starter.here = True


def pytest_unconfigure(config: pytest.Config) -> None:
    """Nobody asks any more."""
    if (starter := config.stash.get(STARTER, None)) is not None:
        subprocess._fork_exec = starter.execute  # type: ignore[attr-defined]
        starter.close()
