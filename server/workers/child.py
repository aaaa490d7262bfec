"""A process of a host, as its supervisor knows it. Rule: nothing here waits; who takes nothing is killed."""

from __future__ import annotations

import array
import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import orjson

from server.handover.link import HEAD, WIRE, Kind, body_of

SAID_MAX: Final = 16_384  # bytes of a message to the supervisor
READS: Final = 16  # messages of one process in one turn


class Said(NamedTuple):
    """What a process said to its supervisor."""

    kind: int
    records: list[Any]


class Child:
    """A process. `why` it was killed here, empty: it was not."""

    def __init__(self, name: str, pid: int, sock: socket.socket, clock: float) -> None:
        self.name = name
        self.pid = pid
        self.sock = sock
        self.pidfd = os.pidfd_open(pid)
        self.started = time.monotonic()
        self.ready = False
        self.closed = False  # it has closed its links, so that it ends
        self.leaving = False  # it was told that its people go, and that it ends then
        self.heard = clock  # when it said something last, by the supervisor's clock (`watch.Clock`)
        self.stands: dict[str, Any] = {}  # what it said of itself last
        self.why = ""
        self._sent = 0

    def tell(self, kind: Kind, *records: Any, descriptors: tuple[int, ...] = ()) -> None:
        """Send it a message. Who takes none hangs, and is killed."""
        size, body = body_of(records)
        self._sent += 1
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        try:
            self.sock.sendmsg(
                [HEAD.pack(WIRE, kind, len(records), self._sent, size) + body], rights, socket.MSG_NOSIGNAL
            )
        except BlockingIOError:
            self.end("hung")  # it has not read for very long
        except OSError:
            pass  # its death is told by its pidfd

    def read(self) -> Iterator[Said]:
        """What it said since the last time; what is no message, or of a later release and longer than any, is left out."""
        for _ in range(READS):
            try:
                data = self.sock.recv(SAID_MAX)
            except OSError:  # there is nothing more, or it is dead
                return
            if not data:
                self.closed = True
                return
            with contextlib.suppress(ValueError, IndexError):
                if len(data) >= HEAD.size:
                    yield Said(data[1], orjson.loads(data[HEAD.size :])[1:])

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
