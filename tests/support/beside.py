"""What forks the children of a server that was forked itself (forked.py): a process beside it, as the server was before its first line.

Rule: forked is what would be executed to be ours again: a successor, what screens, and what looks at pictures. It has the server's limits and
descriptors as it would have them, and is the server's child. Of a server of several processes each forks the latter two from itself. Whoever is
another user by now executes.

    a server ── os.posix_spawn, subprocess.Popen ──> Beside ── words, descriptors ──> who stands by
      └────────────────────────────── parent of (CLONE_PARENT) ───> a child <── clones ────┘
"""

import fcntl
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.support.becoming import become, forget, opened, run
from tests.support.forking import Link, Wanted, looks, wanted

FAR = 200  # from here on descriptors have numbers that nobody counts
LIMITS = 16  # RLIM_NLIMITS of asm-generic/resource.h


class Beside:
    """Takes the place of what the interpreter starts programs with."""

    def __init__(self, sock: socket.socket) -> None:
        far = fcntl.fcntl(sock, fcntl.F_DUPFD_CLOEXEC, FAR)
        sock.close()
        self._link = Link(socket.socket(fileno=far))
        self._who = who()
        self._spawn: Callable[..., int] = os.posix_spawn
        self._execute: Callable[..., int] = subprocess._fork_exec  # type: ignore[attr-defined]
        setattr(os, "posix_spawn", self.spawn)  # noqa: B010 - for whoever starts this program anew
        subprocess._fork_exec = self.execute  # type: ignore[attr-defined]

    def spawn(self, path: str, words: Sequence[str], environment: dict[str, str], **how: Any) -> int:
        """As `os.posix_spawn`."""
        again = (path, list(words[1:])) == (sys.executable, sys.orig_argv[1:])
        if not again or how.keys() != {"file_actions", "setsigmask"} or self._who != who():
            return self._spawn(path, words, environment, **how)
        numbers = sorted(
            {number for number in opened() if os.get_inheritable(number)}
            | {number for _, number, _ in how["file_actions"]}
        )
        return self._start(Wanted(list(words), environment, str(Path.cwd()), numbers, numbers, False, -1))

    def execute(self, *how: Any) -> int:
        """As `_posixsubprocess.fork_exec`."""
        process = wanted(how)
        if process is None or not looks(process.words) or self._who[1:] != who()[1:]:
            return self._execute(*how)
        return self._start(process) if self._who == who() else split(process)

    def _start(self, process: Wanted) -> int:
        limits = [resource.getrlimit(number) for number in range(LIMITS)]
        mask = os.umask(0)
        os.umask(mask)
        return self._link.start(process, limits=limits, mask=mask)


def split(process: Wanted) -> int:
    """A child of this process, which is one of several that the server forked itself: nobody stands by whose sibling it could be. Its pid."""
    if pid := os.fork():
        return pid
    try:
        forget()
        run(become(process._asdict(), process.given))
    finally:
        os._exit(1)  # whatever it raises, this is not the process that would go on


def who() -> tuple[int, ...]:
    """This process, and whose it is."""
    return os.getpid(), *os.getresuid(), *os.getresgid()
