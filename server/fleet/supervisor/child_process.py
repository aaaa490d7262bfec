"""Represent one child process in the supervisor: its ipc link, pidfd, last report and CPU meters.

**Invariant:** nothing here blocks. A child that does not read its messages is killed.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import orjson

from server.fleet.ipc.ipc_link import DESCRIPTORS_MAX, HEAD, MESSAGE_MAX, WIRE, Kind, body_of, descriptors_of
from server.fleet.supervisor import child_stacks
from server.ops.process.cpu_time import Meter, Sample

MUTE: Final = frozenset("DTt")  # states in which a process handles no signal: blocked in the kernel, stopped
READS: Final = 16  # messages of one process in one turn
THREADS_MAX: Final = 64  # threads of one process that are measured


class ChildStart(NamedTuple):
    """Values that a process gets as it is forked. `up`: its end of the link to the supervisor; `begun`: whether its generation serves; `before`: for
    the frontend, the link to the previous frontend; `stale`: settings changed since the supervisor's start; `supervisor`: the supervisor's
    CPU meter, for the frontend.
    """

    up: socket.socket
    begun: bool = True
    before: socket.socket | None = None
    stale: bool = False
    supervisor: Meter | None = None

    def told_to_reload(self) -> asyncio.Event:
        """Return an event that is set whenever settings changed. Call it in the process's loop."""
        told = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, told.set)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGHUP,))
        if self.stale:
            told.set()
        return told


class ChildMessage(NamedTuple):
    """One message from a process to a supervisor. The descriptors are closed once it was handled: copy those that are needed."""

    kind: int
    records: list[Any]
    descriptors: list[int]


class ChildLink:
    """The supervisor's end of a link."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.closed = False  # the other end is closed, so the process ends
        self._sent = 0

    def stuck(self) -> None:
        """Handle a process that has not read for very long."""

    def tell(self, kind: Kind, *records: Any, descriptors: tuple[int, ...] = ()) -> bool:
        """Send a message; False: the process accepts none now."""
        size, body = body_of(records)
        self._sent += 1
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        try:
            self.sock.sendmsg(
                [HEAD.pack(WIRE, kind, len(records), self._sent, size) + body], rights, socket.MSG_NOSIGNAL
            )
        except BlockingIOError:
            self.stuck()
            return False
        except OSError:
            pass  # its death is noticed by its pidfd
        return True

    def read(self) -> Iterator[ChildMessage]:
        """Yield the messages since the last call, of any size that a link sends at once; damaged ones are skipped."""
        for _ in range(READS):
            try:
                data, beside, _, _ = self.sock.recvmsg(
                    MESSAGE_MAX, socket.CMSG_SPACE(4 * DESCRIPTORS_MAX), socket.MSG_CMSG_CLOEXEC
                )
            except ConnectionResetError:  # it ended with unread messages: the next read reports the end
                continue
            except OSError:  # nothing more to read
                return
            if not data:
                self.closed = True
                return
            descriptors = descriptors_of(beside)
            try:
                with contextlib.suppress(ValueError, IndexError, TypeError):
                    if len(data) >= HEAD.size:
                        yield ChildMessage(data[1], orjson.loads(data[HEAD.size :])[1:], descriptors)
            finally:  # also if the caller stops reading
                for descriptor in descriptors:
                    os.close(descriptor)


class Child(ChildLink):
    """A process. `why`: the cause for which it was killed here, empty: it was not."""

    def __init__(self, name: str, pid: int, sock: socket.socket, clock: float) -> None:
        super().__init__(sock)
        self.name = name
        self.pid = pid
        self.pidfd = os.pidfd_open(pid)
        self.started = time.monotonic()
        self.ready = False
        self.leaving = False  # its sessions move away, and then it ends
        self.begun = clock  # start, by the supervisor's clock (`watchdog.Clock`)
        self.heard = clock  # last message, by the same clock
        self.report: dict[str, Any] = {}  # its last report about itself
        self.why = ""
        self.said = ""  # why it could not start, in words
        self._meters: dict[int, Meter] = {}  # of its threads, by number; the main thread's is the pid
        self._pipe: int | None = None  # has its stacks once it wrote them

    def measure(self, thread: int, descriptors: list[int]) -> None:
        """Copy the descriptors of a thread's CPU meter."""
        self.samples()  # meters of threads that ended are closed
        if len(descriptors) == 2 and thread not in self._meters and len(self._meters) < THREADS_MAX:
            self._meters[thread] = Meter(os.dup(descriptors[0]), os.dup(descriptors[1]))

    def samples(self) -> dict[int, Sample]:
        """Return how the kernel scheduled the threads of the process that live, by number; empty: this system cannot tell."""
        found = {}
        for thread, meter in tuple(self._meters.items()):
            sample = meter.read()
            if sample is None:
                self._meters.pop(thread).close()
            else:
                found[thread] = sample
        return found

    @property
    def state(self) -> str:
        """State letter of the main thread; empty: this system cannot tell."""
        sample = self.samples().get(self.pid)
        return "" if sample is None else sample.state

    def listen(self, descriptors: list[int]) -> None:
        """Copy the pipe to which the process writes its stacks."""
        if self._pipe is None and len(descriptors) == 1:
            self._pipe = os.dup(descriptors[0])

    def stacks(self) -> list[child_stacks.ThreadStack]:
        """Return where the threads of the process were as it hung or crashed. It is dead."""
        return [] if self._pipe is None else child_stacks.read(self._pipe)

    def stuck(self) -> None:
        """Kill the process: it reads nothing, so it hangs."""
        self.end_with_stacks("hung")

    def kill(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, number)

    def end(self, why: str) -> None:
        """Kill the process, whatever it does."""
        self.why = self.why or why
        self.kill(signal.SIGKILL)

    def end_with_stacks(self, why: str) -> None:
        """Let the process write its stacks, of which it dies; kill it if it cannot. If it lives on, the watchdog kills it in a moment."""
        if self._pipe is None or self.state in MUTE:
            self.end(why)
        elif not self.why:
            self.why = why
            self.kill(child_stacks.STACKS_SIGNAL)

    def close(self) -> None:
        """Close its descriptors: it is dead."""
        os.close(self.pidfd)
        self.sock.close()
        for meter in self._meters.values():
            meter.close()
        if self._pipe is not None:
            os.close(self._pipe)
