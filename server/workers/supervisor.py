"""The process that starts the others of a host, and starts anew what dies. Rule: it holds no traffic, has no loop and no thread.

supervisor ── fork ──► hub, office, worker 1 … n          each has one link to the supervisor, and one to each of the others,
    ▲                       │                             whose two ends the supervisor makes and hands out
    └──── its death ────────┘ ──► the others are told, it is started anew and gets new links
"""

from __future__ import annotations

import array
import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from server import log
from server.handover.link import HEAD, WIRE, Kind, body_of
from server.process.notify import Notifier
from server.workers.peers import HUB

AGAIN_AFTER: Final = 1.0  # seconds until one that died as soon as it was started is started anew
YOUNG: Final = 2.0  # seconds
logger = log.get()

Role = Callable[[socket.socket], int]  # in the child, with its end of the link; the exit status


class Child:
    """A process, as its supervisor knows it."""

    def __init__(self, name: str, pid: int, sock: socket.socket) -> None:
        self.name = name
        self.pid = pid
        self.sock = sock
        self.pidfd = os.pidfd_open(pid)
        self.started = time.monotonic()
        self.ready = False
        self._sent = 0

    def tell(self, kind: Kind, *records: Any, descriptors: tuple[int, ...] = ()) -> None:
        """Send it a message. Who takes none is dead, or will be ended."""
        size, body = body_of(records)
        self._sent += 1
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        try:
            self.sock.sendmsg(
                [HEAD.pack(WIRE, kind, len(records), self._sent, size) + body], rights, socket.MSG_NOSIGNAL
            )
        except BlockingIOError:
            self.kill(signal.SIGKILL)  # it has not read for very long
        except OSError:
            pass  # its death is told by its pidfd

    def kill(self, number: signal.Signals) -> None:
        """Send it a signal."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, number)

    def close(self) -> None:
        """It is dead."""
        os.close(self.pidfd)
        self.sock.close()


class Supervisor:
    """Of one host. `roles`: by the name of the process, in the order of their start. `drain`: seconds that who ends may take.

    `ready`: told once, when all serve; `died`: told of each that ended, once it was waited for.
    """

    def __init__(
        self, roles: Mapping[str, Role], drain: float, ready: Callable[[], None], died: Callable[[str], None]
    ) -> None:
        self._roles = roles
        self._ready = ready
        self._told_of_death = died
        self._drain = drain
        self._children: dict[str, Child] = {}
        self._due: dict[str, float] = {}  # when one is started anew
        self._stopping = False
        self._ends: float | None = None  # when who is still there is killed
        self._served = False
        self._failed = False
        self._notifier = Notifier.of_environment(lambda error: logger.warning("notify.failed", **log.described(error)))

    def run(self) -> int:
        """Until all are told to end, and are dead; the exit status."""
        wake, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda _, __: None)
        for name in self._roles:
            self._start(name)
        while self._children or self._due:
            self._turn(wake)
        return 1 if self._failed else 0

    def _turn(self, wake: int) -> None:
        now = time.monotonic()
        poll = select.poll()
        poll.register(wake, select.POLLIN)
        for child in self._children.values():
            poll.register(child.pidfd, select.POLLIN)
            if not child.ready:
                poll.register(child.sock, select.POLLIN)
        times = [*self._due.values(), *([] if self._ends is None else [self._ends])]
        found = {fd for fd, _ in poll.poll(max(0.0, min(times) - now) * 1000 + 1 if times else None)}
        if wake in found:
            for number in os.read(wake, 64):
                self._told(signal.Signals(number))
        for child in list(self._children.values()):
            if child.sock.fileno() in found:
                self._read(child)
            if child.pidfd in found:
                self._died(child)
        now = time.monotonic()
        for name in [name for name, at in self._due.items() if at <= now]:
            del self._due[name]
            self._start(name)
        if self._ends is not None and self._ends <= now:
            self._ends = None
            for child in self._children.values():
                child.kill(signal.SIGKILL)

    def _start(self, name: str) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        pid = os.fork()
        if not pid:
            self._be(name, ours, theirs)
        theirs.close()
        new = Child(name, pid, ours)
        for other in self._children.values():
            one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            for child, peer, end in ((new, other, one), (other, new, two)):
                child.tell(Kind.PEER, peer.name, descriptors=(end.fileno(),))
                end.close()
        self._children[name] = new

    def _be(self, name: str, ours: socket.socket, theirs: socket.socket) -> None:
        """In the child: it never returns."""
        status = 70  # EX_SOFTWARE
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            ours.close()
            for child in self._children.values():
                child.close()
            status = self._roles[name](theirs)
        finally:
            os._exit(status)

    def _read(self, child: Child) -> None:
        with contextlib.suppress(OSError):
            data = child.sock.recv(HEAD.size + 64)
            if len(data) >= HEAD.size and HEAD.unpack_from(data)[1] == Kind.UP:
                child.ready = True
                if not self._served and all(other.ready for other in self._children.values()):
                    self._served = True
                    self._ready()
                    self._notifier.ready()

    def _died(self, child: Child) -> None:
        _, status = os.waitpid(child.pid, 0)
        del self._children[child.name]
        child.close()
        self._told_of_death(child.name)
        for other in self._children.values():
            other.tell(Kind.DEAD, child.name)
        code = os.waitstatus_to_exitcode(status)
        if self._stopping:
            if set(self._children) == {HUB}:
                self._children[HUB].kill(signal.SIGTERM)
            return
        if not self._served:
            self._failed = True
            self._stop()
            return
        logger.error("process.died", process=child.name, status=code)
        now = time.monotonic()
        self._due[child.name] = now + (AGAIN_AFTER if now - child.started < YOUNG else 0.0)

    def _told(self, number: signal.Signals) -> None:
        if number == signal.SIGHUP:
            for child in self._children.values():
                child.kill(number)
        elif number in (signal.SIGTERM, signal.SIGINT):
            self._stop()

    def _stop(self) -> None:
        """All end; the hub last, for who talks may still look for the next."""
        if self._stopping:
            return
        self._stopping = True
        self._due.clear()
        self._notifier.stopping()
        self._ends = time.monotonic() + self._drain
        for name, child in self._children.items():
            if name != HUB or len(self._children) == 1:
                child.kill(signal.SIGTERM)
