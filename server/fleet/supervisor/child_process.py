"""A process of a host, as its supervisor knows it. Rule: nothing here waits; who takes nothing is killed."""

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

from server.fleet.ipc.ipc_link import DESCRIPTORS_MAX, HEAD, WIRE, Kind, body_of, descriptors_of
from server.ops.process.cpu_time import Meter, Sample

SAID_MAX: Final = 16_384  # bytes of a message to the supervisor
READS: Final = 16  # messages of one process in one turn


class ChildStart(NamedTuple):
    """What a process is given as it is forked. `up`: its end of the link to the supervisor; `begun`: whether its generation serves; `before`: for the
    office, the way to the one before; `stale`: the supervisor was told since its start that settings changed; `supervisor`: its meter, for
    the office."""

    up: socket.socket
    begun: bool = True
    before: socket.socket | None = None
    stale: bool = False
    supervisor: Meter | None = None

    def told_to_reload(self) -> asyncio.Event:
        """Set whenever the process is told that settings changed. Call it in its loop."""
        told = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, told.set)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGHUP,))
        if self.stale:
            told.set()
        return told


class ChildMessage(NamedTuple):
    """What a process said to a supervisor. The descriptors are closed once it was heard: who needs one makes a copy."""

    kind: int
    records: list[Any]
    descriptors: list[int]


class ChildLink:
    """A supervisor's end of a link."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.closed = False  # the other end is, so that it ends
        self._sent = 0

    def stuck(self) -> None:
        """It has not read for very long."""

    def tell(self, kind: Kind, *records: Any, descriptors: tuple[int, ...] = ()) -> bool:
        """Send it a message. False: it takes none now."""
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
            pass  # its death is told otherwise
        return True

    def read(self) -> Iterator[ChildMessage]:
        """What it said since the last time; what is no message, or of a later release and longer than any, is left out."""
        for _ in range(READS):
            try:
                data, beside, _, _ = self.sock.recvmsg(
                    SAID_MAX, socket.CMSG_SPACE(4 * DESCRIPTORS_MAX), socket.MSG_CMSG_CLOEXEC
                )
            except ConnectionResetError:  # it ended with something unread: the next says that it is closed
                continue
            except OSError:  # there is nothing more
                return
            if not data:
                self.closed = True
                return
            descriptors = descriptors_of(beside)
            try:
                with contextlib.suppress(ValueError, IndexError, TypeError):
                    if len(data) >= HEAD.size:
                        yield ChildMessage(data[1], orjson.loads(data[HEAD.size :])[1:], descriptors)
            finally:  # also where nobody reads on
                for descriptor in descriptors:
                    os.close(descriptor)


class Child(ChildLink):
    """A process. `why` it was killed here, empty: it was not."""

    def __init__(self, name: str, pid: int, sock: socket.socket, clock: float) -> None:
        super().__init__(sock)
        self.name = name
        self.pid = pid
        self.pidfd = os.pidfd_open(pid)
        self.started = time.monotonic()
        self.ready = False
        self.leaving = False  # it was told that its people go, and that it ends then
        self.begun = clock  # when it was started, by the supervisor's clock (`watch.Clock`)
        self.heard = clock  # when it said something last
        self.stands: dict[str, Any] = {}  # what it said of itself last
        self.why = ""
        self.said = ""  # why it could not start, in words
        self._meter: Meter | None = None

    def measure(self, descriptors: list[int]) -> None:
        """It sent the descriptors of its own meter, which are copied."""
        if self._meter is None and len(descriptors) == 2:
            self._meter = Meter(os.dup(descriptors[0]), os.dup(descriptors[1]))

    def sample(self) -> Sample | None:
        """How the kernel scheduled it; None: this system does not say it."""
        return None if self._meter is None else self._meter.read()

    def stuck(self) -> None:
        """Who takes nothing hangs, and is killed."""
        self.end("hung")

    def kill(self, number: signal.Signals) -> None:
        """Send it a signal."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, number)

    def end(self, why: str) -> None:
        """Kill it, whatever it does."""
        self.why = self.why or why
        self.kill(signal.SIGKILL)

    def close(self) -> None:
        """It is dead."""
        os.close(self.pidfd)
        self.sock.close()
        if self._meter is not None:
            self._meter.close()
