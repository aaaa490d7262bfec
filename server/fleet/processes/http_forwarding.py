"""Forward HTTP connections, with their descriptors, from a worker to the frontend.

**Invariant:** the worker owns a connection until the frontend acknowledges it. Without a frontend at most WAIT_MAX connections wait; further ones
are closed.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

from server.fleet.ipc.ipc_link import Kind, Message
from server.fleet.ipc.ipc_peers import FRONTEND, Peers
from server.fleet.migrate.messages_in_flight import InFlight
from server.fleet.migrate.transfer import Transfer
from server.http.request.counted_connections import NEW

WAIT_MAX: Final = 4_096  # connections, as many as a listen backlog holds


class HttpForwarding:
    """Forwarding of one worker's HTTP connections."""

    def __init__(self, peers: Callable[[], Peers]) -> None:
        self._peers = peers
        self._flight = InFlight()
        self._waiting: deque[tuple[int, bytes]] = deque()
        self.lost = 0  # connections that were closed because too many waited

    def take(self, fd: int, begun: bytes, now: float) -> None:
        """Forward a connection (`WorkerPorts.on_http`). The descriptor belongs to this object from now on."""
        if len(self._flight) >= WAIT_MAX or self._peers().full(FRONTEND):
            self._lose(fd)
            return
        number = self._peers().send(FRONTEND, Kind.HTTP, NEW, pieces=[begun], descriptors=[fd])
        if number is None:
            self._wait(fd, begun)
        else:
            self._flight.add(number, Transfer(partial(self._wait, fd, begun), [fd]))

    @property
    def empty(self) -> bool:
        """Whether the frontend has acknowledged all connections."""
        return not (self._flight or self._waiting)

    def _wait(self, fd: int, begun: bytes) -> None:
        if len(self._waiting) >= WAIT_MAX:
            self._lose(fd)
        else:
            self._waiting.append((fd, begun))

    def _lose(self, fd: int) -> None:
        self.lost += 1
        os.close(fd)

    def took(self, message: Message) -> None:
        """Handle an acknowledgement of the frontend."""
        self._flight.took(message.records[0])

    def joined(self, name: str) -> None:
        """Forward the waiting connections to a frontend that has started."""
        if name == FRONTEND:
            waiting, self._waiting = self._waiting, deque()
            for fd, begun in waiting:
                self.take(fd, begun, 0.0)

    def dead(self, name: str) -> None:
        """Queue the connections that a dead frontend had not acknowledged."""
        if name == FRONTEND:
            self._flight.dead()

    def close(self) -> None:
        """Close the waiting connections."""
        while self._waiting:
            os.close(self._waiting.popleft()[0])
