"""Fork the servers and commands of tests from a process that has imported the project: imports are most of the time of a start.

**Invariant:** only a line that starts a server or a command (START), a line registered by `forked`, and LOOKS are forked, and only if the
new process is what it would be had it been executed: a child of the test's process with the same arguments, descriptors, folder and
variables, in the same network. Everything else is executed: a program that runs code before that line or from other sources, has other
variables for Python itself, or is started by a test marked `executed`.

    a test ── subprocess.Popen([python, "-c", START, ...]) ──> Forkserver.start ── words, descriptors ──> forked.py
      └────────────────────────────── parent of (CLONE_PARENT) ──────────────────> a server <─── clones ─────┘
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.forking import LATEST, Link, Wanted, early, looks, wanted
from tests.support.groups import is_outside

START = "from server.main.cli import main; main()"
LINES = {START}
ROOT = Path(__file__).resolve().parents[2]
COUNTED = ("COVERAGE_", "ASAN_")  # tools that count from a program's beginning to its end
PROGRAM = "import sys; from tests.support.becoming import run; from tests.support.forked import served; run(served(int(sys.argv[1])))"

Forker = Callable[..., int]


class Forkserver:
    """A process that has imported the project, in this network and with these early variables."""

    def __init__(self) -> None:
        self._early, self._network = early(os.environ), network()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._link = Link(ours)
        self.start = self._link.start
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(theirs.fileno())],
                cwd=ROOT, env=self._early, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            )  # fmt: skip

    def fits(self, process: Wanted) -> bool:
        """Whether a process started by this thread would have begun in the forkserver's state."""
        same = process.folder == str(ROOT) and early(process.environment) == self._early
        return (same or looks(process.words)) and network() == self._network

    def close(self) -> None:
        """Close the link, which ends the process, and wait for it."""
        self._link.close()
        self._process.wait(LATEST)


def network() -> int:
    """Return the network namespace of this thread (namespaces(7))."""
    return Path("/proc/thread-self/ns/net").stat().st_ino


class Starter:
    """Replacement of `subprocess`'s fork_exec: forks what fits the forkserver, executes the rest. `here`: whether the forkserver is in use."""

    def __init__(self, execute: Forker) -> None:
        self.execute = execute
        self._forks = Forkserver()
        self.here = True

    def __call__(self, *how: Any) -> int:
        """Start a process as `_posixsubprocess.fork_exec`, whose arguments have no names; return the pid."""
        process = wanted(how) if self.here else None
        if process is None or not is_one_of_them(process.words) or not self._forks.fits(process):
            return self.execute(*how)
        return self._forks.start(process)

    def close(self) -> None:
        """End the forkserver."""
        self.here = False
        self._forks.close()


def forked(line: str) -> str:
    """Register a line for forking. Its effect must be the same whether the project is imported before it or by it."""
    LINES.add(line)
    return line


def is_one_of_them(words: Sequence[str]) -> bool:
    """Whether a command may be forked."""
    return looks(words) or (list(words[:2]) == [sys.executable, "-c"] and words[2] in LINES)


STARTER = pytest.StashKey[Starter]()


@pytest.hookimpl
def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the forkserver while the first test runs, if a test may start a server; not if coverage or leaks are counted."""
    if any(map(is_outside, session.items)) and not any(name.startswith(COUNTED) for name in os.environ):
        execute = subprocess._fork_exec  # type: ignore[attr-defined]  # what a test gives to Popen stays what it is this way
        starter = session.config.stash[STARTER] = Starter(execute)
        subprocess._fork_exec = starter  # type: ignore[attr-defined]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Execute the programs of a test marked `executed`."""
    starter = item.config.stash.get(STARTER, None)
    if starter is None or item.get_closest_marker("executed") is None:
        return (yield)
    starter.here = False
    try:
        return (yield)
    finally:
        starter.here = True


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the replacement."""
    if (starter := config.stash.get(STARTER, None)) is not None:
        subprocess._fork_exec = starter.execute  # type: ignore[attr-defined]
        starter.close()
