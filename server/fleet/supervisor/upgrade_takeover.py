"""Take over a host of several processes from its old supervisor, in an upgrade. This code runs in the new supervisor; the old one's side is
`next_generation`.

**Invariant:** the new processes accept no client before the old supervisor sends BEGIN; if it dies, the new ones serve at once.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable, Mapping
from typing import Final

from engine.engine import OLDEST, VERSION
from server.fleet.ipc.ipc_link import Kind
from server.fleet.ipc.ipc_peers import FRONTEND, LAST, between_generations, of_generation
from server.fleet.migrate.upgrade_successor import SEVERAL
from server.fleet.supervisor.child_process import Child, ChildLink, ChildMessage
from server.fleet.supervisor.supervisor_upgrade_state import GenerationState, unpacked
from server.ops import version
from server.ops.process import fault_points, successor
from server.ops.process.listening_sockets import StartError

WITHIN: Final = 10.0  # seconds for the old supervisor to send its state


class PreviousGeneration:
    """Previous generation of one supervisor. `children`: its processes, by name; `begin`, `alone`: called when this generation serves, and when
    it is the service.

        old supervisor                                new supervisor, its child
          HOST: what it goes on with ────────────────►  starts its hub, frontend and workers
                                         ◄───────────   CHILD, for each: its pidfd; with the frontend one end of a link to the old frontend
                                         ◄───────────   READY: versions of records that it reads; or FAILED, and why
          PEER: links of old and new processes, BEGIN ► accepts sessions and clients
          (each old worker to its namesake, the frontend)
          END ────────────────────────────────────────►  is the service: answers operators, notifies systemd
    """

    def __init__(self, sock: socket.socket) -> None:
        self._line = ChildLink(sock)
        self._there: dict[str, int] = {}  # pidfds of the other generation's processes, by their names here
        self._gone: set[str] = set()
        self._ready = self._begun = False
        self.over = False  # that generation has nothing more to hand over
        self._children: Mapping[str, Child]
        self._on_begin: Callable[[], None]
        self._on_alone: Callable[[], None]

    def subscribe(
        self, children: Mapping[str, Child], on_begin: Callable[[], None], on_alone: Callable[[], None]
    ) -> None:
        """Take the processes of this generation by name, and what to call when it begins to serve, and when the old one has ended."""
        self._children, self._on_begin, self._on_alone = children, on_begin, on_alone

    def receive(self, processes: int) -> GenerationState:
        """Wait for the state that this generation of so many processes continues with. Raises StartError."""
        end = time.monotonic() + WITHIN
        while (left := end - time.monotonic()) > 0 and not self._line.closed:
            select.select([self._line.sock], [], [], left)
            for said in self._line.read():
                if said.kind == Kind.HOST:
                    return unpacked(said.records, said.descriptors, processes)
                raise StartError(SEVERAL)
        raise StartError("the running server gave nothing to its successor")

    def failed(self, said: str) -> None:
        """Tell the old supervisor why this generation cannot serve."""
        self._line.tell(Kind.FAILED, said)

    def way(self) -> tuple[socket.socket, socket.socket] | None:
        """Return two ends of a link from the old frontend to the new one; None: there is no old one."""
        if self.over or LAST + FRONTEND in self._gone:
            return None
        ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in ends:
            end.setblocking(False)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, successor.BUFFER)
        return ends

    def started(self, child: Child, way: socket.socket | None) -> None:
        """Announce a process of this generation. `way`: the other end of the frontend's link."""
        if not self.over:
            ends = () if way is None else (way.fileno(),)
            self._line.tell(Kind.CHILD, between_generations(child.name), child.pid, descriptors=(child.pidfd, *ends))

    def serves(self) -> None:
        """Announce that all of this generation could serve."""
        fault_points.at("ready")
        self._ready = True
        if self.over:
            self._begin()
            self._on_alone()
        else:
            self._line.tell(Kind.READY, [OLDEST, VERSION], version.VERSION)

    def register(self, poll: select.poll) -> None:
        """Register descriptors to poll."""
        if not self.over:
            poll.register(self._line.sock, select.POLLIN)
        for pidfd in self._there.values():
            poll.register(pidfd, select.POLLIN)

    def turn(self, found: Mapping[int, int]) -> None:
        """Handle messages and deaths of the other generation."""
        # First, because a new descriptor may reuse the number of a closed one.
        dead = [name for name, pidfd in self._there.items() if pidfd in found]
        if not self.over:
            for said in self._line.read():
                self._came(said)
            if self._line.closed:
                self._end()
        for name in dead:
            self._died(name)

    def _came(self, said: ChildMessage) -> None:
        if said.kind == Kind.PEER:
            to, name, pid = of_generation(said.records[0]), of_generation(said.records[1]), said.records[2]
            end, pidfd = said.descriptors
            if to in self._children:
                if name not in self._there:
                    self._there[name] = os.dup(pidfd)
                self._children[to].tell(Kind.PEER, name, pid, True, descriptors=(end,))
        elif said.kind == Kind.BEGIN:
            fault_points.at("begun")
            self._begin()
        elif said.kind == Kind.END:
            self._end()

    def _begin(self) -> None:
        if self._begun:
            return
        self._begun = True
        for child in self._children.values():
            child.tell(Kind.BEGIN)
        self._on_begin()

    def _end(self) -> None:
        """Note that the previous generation is gone, or has nothing left."""
        if not self.over:
            self.over = True
            self._line.sock.close()
            if self._ready:
                self._begin()
                self._on_alone()

    def _died(self, name: str) -> None:
        os.close(self._there.pop(name))
        self._gone.add(name)
        for child in self._children.values():
            child.tell(Kind.DEAD, name)

    def close(self) -> None:
        """Close all descriptors: in a forked process, and at the end."""
        self._line.sock.close()
        for pidfd in self._there.values():
            os.close(pidfd)
        self._there.clear()
