"""Serve operators' commands at the control socket of the supervisor, which has no event loop. The client side is
`server.ops.process.control_socket.ask`.

**Invariant:** nothing here blocks, and each client is bounded in time and bytes.
"""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from server.ops.process.control_socket import LINE_MAX, PATIENCE, RETRY

ASKERS_MAX: Final = 16  # at once; more wait at the socket
OUT_MAX: Final = 256 * 1024  # bytes that a client has not read
READ: Final = LINE_MAX + 1


class ControlClient:
    """One connection. `until`: when it is closed if it has not sent its request, or not read its answer; never while it is answered."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self.sock = sock
        self.until = until
        self.gone = False
        self._in = b""
        self._out = b""
        self._asked = self._over = False

    @property
    def events(self) -> int:
        """Poll events to wait for; the end of the connection is reported in any case."""
        return (0 if self._asked else select.POLLIN) | (select.POLLOUT if self._out else 0)

    def say(self, line: Mapping[str, Any]) -> None:
        """Send one line of the answer."""
        if not (self.gone or self._over):
            self._out += json.dumps(line).encode() + b"\n"
            self.gone = len(self._out) > OUT_MAX
            self.flush()

    def end(self, line: Mapping[str, Any]) -> None:
        """Send the last line of the answer."""
        self.until = time.monotonic() + PATIENCE
        self.say(line)
        self._over = True
        self.flush()

    def flush(self) -> None:
        """Send as much as the socket accepts."""
        try:
            while self._out:
                self._out = self._out[self.sock.send(self._out, socket.MSG_NOSIGNAL) :]
        except BlockingIOError:
            return
        except OSError:
            self.gone = True
        self.gone = self.gone or self._over

    def read(self) -> dict[str, Any] | None:
        """Return the request; None: it is incomplete, or there is no further one; {}: it is not a request."""
        if self._asked:
            self.gone = True  # the other end is closed
            return None
        try:
            data = self.sock.recv(READ)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        self._in += data
        line, end, _ = self._in.partition(b"\n")
        if not end and data and len(self._in) < READ:
            return None
        self._asked, self._in, self.until = True, b"", float("inf")
        try:
            asked = json.loads(line)
        except ValueError:
            return {}
        return asked if isinstance(asked, dict) else {}


class ControlClients:
    """All clients of one control socket. `listening`: None if the socket is not available."""

    def __init__(self, listening: socket.socket | None) -> None:
        self._listening = listening
        self._askers: dict[int, ControlClient] = {}
        self._shut = 0.0  # until when no client is accepted: no descriptor was left

    def listen(self, listening: socket.socket) -> None:
        """Accept clients from this socket, if it has no other yet."""
        if self._listening is None:
            self._listening = listening

    def register(self, poll: select.poll, now: float) -> float:
        """Register sockets to poll; returns until when to wait at most."""
        if self._listening is not None and len(self._askers) < ASKERS_MAX and self._shut <= now:
            poll.register(self._listening, select.POLLIN)
        for fd, asker in self._askers.items():
            poll.register(fd, asker.events)
        return min([asker.until for asker in self._askers.values()], default=float("inf"))

    def turn(self, found: Mapping[int, int], now: float) -> Iterator[tuple[ControlClient, dict[str, Any]]]:
        """Yield clients with their requests. `found`: poll events by descriptor."""
        if self._listening is not None and self._listening.fileno() in found:
            self._accept(now)
        for fd, asker in list(self._askers.items()):
            event = found.get(fd, 0)
            if event & select.POLLOUT:
                asker.flush()
            if event & ~select.POLLOUT:
                request = asker.read()
                if request is not None:
                    yield asker, request
            if asker.gone or asker.until <= now:
                del self._askers[fd]
                asker.gone = True
                asker.sock.close()

    def _accept(self, now: float) -> None:
        if self._listening is None:
            return
        try:
            sock, _ = self._listening.accept()
        except BlockingIOError:  # the client is gone
            return
        except OSError:
            self._shut = now + RETRY
            return
        sock.setblocking(False)
        self._askers[sock.fileno()] = ControlClient(sock, now + PATIENCE)

    def close(self) -> None:
        """Close all connections."""
        for asker in self._askers.values():
            asker.gone = True
            asker.sock.close()
        self._askers.clear()
        if self._listening is not None:
            self._listening.close()
            self._listening = None
