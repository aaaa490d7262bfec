"""Define the request by which a test process asks another one to fork (forkserver.py, forked.py, beside.py).

**Invariant:** standard library only, because the forking process imports it too.
"""

import json
import os
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

# Variables that have an effect before a program's first line, or while the project is imported.
EARLY = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "TZ", "COVERAGE_", "SERENDIP_PLAIN")
# Programs beside a server that check chat lines and pictures.
LOOKS = {"server.trust.screening", "server.trust.pictures"}
SAME = [None, None, None, -1, None]  # group, groups, user and umask as the caller's, and no function before the program
LATEST = 60.0  # seconds until an answer: the process may still be importing


class Wanted(NamedTuple):
    """A process to start. `numbers`: those under which it has the descriptors `given`."""

    words: list[str]
    environment: dict[str, str]
    folder: str
    numbers: list[int]
    given: list[int]
    session: bool
    group: int

    def request(self, **more: Any) -> bytes:
        """Encode the request. `more`: further properties of the process."""
        return json.dumps({**self._asdict(), **more}).encode()


def wanted(how: Sequence[Any]) -> Wanted | None:
    """Read the arguments of `_posixsubprocess.fork_exec`, which have no names; None: it can only be executed."""
    words, _, closes, kept, folder, lines, stdin, _, _, stdout, _, stderr, _, failed, _, session, group, *rest = how
    if not closes or rest[: len(SAME)] != SAME:
        return None
    environment = dict(os.environ) if lines is None else dict(os.fsdecode(line).split("=", 1) for line in lines)
    numbers = [0, 1, 2, *(number for number in kept if number not in (0, 1, 2, failed))]
    first = [asked if asked >= 0 else ours for asked, ours in zip((stdin, stdout, stderr), range(3), strict=True)]
    return Wanted(
        [os.fsdecode(word) for word in words], environment, os.path.realpath(os.fsdecode(folder or "")), numbers,
        first + numbers[3:], session, group,
    )  # fmt: skip


class Link:
    """Connection to the forking process. Safe to call from any thread."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sock.settimeout(LATEST)
        self._lock = threading.Lock()

    def start(self, process: Wanted, **more: Any) -> int:
        """Start a process and return its pid. `more`: as `Wanted.request`. Raises OSError if that fails."""
        with self._lock:
            socket.send_fds(self._sock, [process.request(**more)], process.given)
            said = self._sock.recv(100)
        if not said:
            raise OSError("what forks the servers of tests is gone")
        return int(said)

    def close(self) -> None:
        """Close the connection."""
        self._sock.close()


def looks(words: Sequence[str]) -> bool:
    """Whether the command starts one of LOOKS, whose only early variables name the project's folder, which the forking process has imported."""
    return list(words[:2]) == [sys.executable, "-m"] and words[2] in LOOKS


def early(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that have an effect before a program's first line."""
    return {name: value for name, value in environment.items() if name.startswith(EARLY)}
