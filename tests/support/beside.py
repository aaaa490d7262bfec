"""Fork the children of a server that was forked itself (forked.py), from a helper process in the state before the server's first line.

**Invariant:** only programs of the project are forked: a successor, the screening process, the picture process. Such a child has the limits
and descriptors that the server would give it, and is the server's child. A server of several processes forks the latter two from itself. A
process that has changed its user executes instead.

    a server ── os.posix_spawn, subprocess.Popen ──> Beside ── words, descriptors ──> helper
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

from server.ops.process.successor import LOG
from tests.support.becoming import become, forget, opened, run
from tests.support.forking import Link, Wanted, looks, wanted

FAR = 200  # descriptor numbers from here on are not counted
LIMITS = 16  # RLIM_NLIMITS of asm-generic/resource.h


class Beside:
    """Replacement of the interpreter's functions that start programs."""

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
        """Replace `os.posix_spawn`."""
        again = (path, list(words[1:])) == (sys.executable, sys.orig_argv[1:])
        if not again or how.keys() != {"file_actions", "setsigmask"} or self._who != who():
            return self._spawn(path, words, environment, **how)
        # A forked one has imported already: its standard error is the server's from the beginning (`successor.inherited`).
        environment = dict(environment)
        log = int(environment.pop(LOG, "-1"))
        kept = {number for _, number, there in how["file_actions"] if there == number != log}
        numbers = sorted({number for number in opened() if os.get_inheritable(number)} | kept)
        return self._start(Wanted(list(words), environment, str(Path.cwd()), numbers, numbers, False, -1))

    def execute(self, *how: Any) -> int:
        """Replace `_posixsubprocess.fork_exec`."""
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
    """Fork a child of this process, which is itself one of several forked by a server, so no helper can be its parent. Return its pid."""
    if pid := os.fork():
        return pid
    try:
        forget()
        run(become(process._asdict(), process.given))
    finally:
        os._exit(1)  # whatever was raised, the child must not continue as the parent


def who() -> tuple[int, ...]:
    """Return the pids of this process and its parent."""
    return os.getpid(), *os.getresuid(), *os.getresgid()
