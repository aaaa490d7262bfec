"""A supervisor as a process of its own, whose roles are functions of a test. Rule: nothing is timed; who says something says it by one socket.

Each process says lines `[name, pid, what, …]`, its log `["log", pid, event, fields]`. What is still there at the end is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import orjson
import structlog
import uvloop

from server.fleet.supervisor import supervisor as module
from server.fleet.supervisor.control_server import ControlClients
from server.fleet.supervisor.supervisor import Supervisor
from server.fleet.supervisor.watchdog import Watchdog
from server.ops.process.control_socket import made

PATIENCE = 20.0  # seconds until a test says that nothing comes
Say = Callable[..., None]
Life = Callable[[socket.socket, Say], Coroutine[Any, Any, int]]


class Forked:
    """A supervisor that runs, and what its processes said."""

    def __init__(self, lives: Mapping[str, Life], drain: float, data: Path | None, watch: Watchdog) -> None:
        self._ear, mouth = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ear.settimeout(PATIENCE)
        self.said: list[list[Any]] = []
        self.pid = os.fork()
        if not self.pid:
            self._ear.close()
            _supervise(lives, drain, mouth, data, watch)
        mouth.close()
        self._status: int | None = None

    def hear(self, *wanted: Any) -> list[Any]:
        """Wait for a line that begins so (None: whatever), and take it away."""

        def is_it(line: list[Any]) -> bool:
            return all(want is None or want == part for want, part in zip(wanted, line, strict=False))

        while True:
            for line in self.said:
                if is_it(line):
                    self.said.remove(line)
                    return line
            data = self._ear.recv(4096)
            assert data, f"all are gone, and none said {wanted}: {self.said}"
            self.said.append(orjson.loads(data))

    def kill(self, pid: int, number: signal.Signals = signal.SIGKILL) -> None:
        """A signal to one of them."""
        os.kill(pid, number)

    def rest(self) -> list[list[Any]]:
        """All that is said until the last of them is gone."""
        while data := self._ear.recv(4096):
            self.said.append(orjson.loads(data))
        return self.said

    def status(self) -> int:
        """Wait for the end of the supervisor."""
        if self._status is None:
            self._status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._status

    def descriptors(self) -> list[str]:
        """What the supervisor has open: the kinds, sorted."""
        folder = Path(f"/proc/{self.pid}/fd")
        kinds = (re.sub(r"^/proc/\d+", "/proc", str(one.readlink())) for one in folder.iterdir())
        return sorted(kind.partition(":")[0] for kind in kinds)

    def end(self) -> None:
        """Nobody is left behind."""
        if self._status is None:
            os.kill(self.pid, signal.SIGSTOP)  # it starts nobody anew
            children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
            for pid in {*map(int, children), self.pid}:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.status()
        self._ear.close()


def _supervise(
    lives: Mapping[str, Life], drain: float, mouth: socket.socket, data: Path | None, watch: Watchdog
) -> None:
    """In the child: it never returns."""
    status = 70
    try:

        def say(name: str, *what: Any) -> None:
            mouth.send(orjson.dumps([name, os.getpid(), *what]))

        def role(name: str, life: Life) -> module.Role:
            return lambda birth: uvloop.run(life(birth.up, lambda *what: say(name, *what)))

        def write(_: object, __: str, event: MutableMapping[str, Any]) -> NoReturn:
            say("log", event.pop("event"), event)
            raise structlog.DropEvent

        structlog.configure(processors=[write])
        roles = {name: role(name, life) for name, life in lives.items()}
        status = Supervisor(
            roles,
            drain,
            lambda: say("supervisor", "ready"),
            lambda name: say("supervisor", "died", name),
            ControlClients(None if data is None else made(data)),
            watch=watch,
        ).run()
    finally:
        os._exit(status)


@contextmanager
def forked(
    lives: Mapping[str, Life], drain: float = PATIENCE, data: Path | None = None, watch: Watchdog | None = None
) -> Iterator[Forked]:
    """A supervisor with these, and the end of all. `data`: where it has its control socket; `watch`: made now, used there."""
    host = Forked(lives, drain, data, watch or Watchdog())
    try:
        yield host
    finally:
        host.end()


def told(number: signal.Signals) -> asyncio.Event:
    """Set by a signal."""
    came = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(number, came.set)
    return came


def until(condition: Callable[[], object]) -> None:
    """Wait for something of another process that nothing tells."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        os.sched_yield()
