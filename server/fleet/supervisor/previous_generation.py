"""The generation before this one, as the supervisor of this one sees it. Rule: until it says `begin` nobody is taken in; if it dies, this one serves.

old supervisor                                new supervisor, its child
  host: what it goes on with ────────────────►  starts its hub, office and workers
                                 ◄───────────   child, of each: its pidfd; with the office one end of a way to the old office
                                 ◄───────────   ready: what records it reads; or failed, and why
  peer: links of old and new processes, begin ►  takes people in
  (each old worker to its namesake, the office)
  end ────────────────────────────────────────►  is the service: answers operators, tells systemd
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
from server.fleet.ipc.ipc_peers import LAST, OFFICE
from server.fleet.migrate.upgrade_successor import SEVERAL
from server.fleet.supervisor.child_process import Child, ChildLink, ChildMessage
from server.fleet.supervisor.generation_state import GenerationState, unpacked
from server.ops import version
from server.ops.process import fault_points, successor
from server.ops.process.listening_sockets import StartError

WITHIN: Final = 10.0  # seconds in which it is said what there is to go on with


class PreviousGeneration:
    """Of one supervisor. Call `subscribe` before the first message is read."""

    def __init__(self, sock: socket.socket) -> None:
        self._line = ChildLink(sock)
        self._there: dict[str, int] = {}  # pidfds of the other generation's processes, by the names that they have here
        self._gone: set[str] = set()
        self._ready = self._begun = False
        self.over = False  # that generation hands nothing over any more
        self._children: Mapping[str, Child]
        self._on_begin: Callable[[], None]
        self._on_alone: Callable[[], None]

    def subscribe(
        self, children: Mapping[str, Child], on_begin: Callable[[], None], on_alone: Callable[[], None]
    ) -> None:
        """Take the processes of this generation by name, and what to call when it begins to serve, and when the old one has ended."""
        self._children, self._on_begin, self._on_alone = children, on_begin, on_alone

    def receive(self, processes: int) -> GenerationState:
        """What this generation of so many processes goes on with. Waits for it. Raises StartError."""
        end = time.monotonic() + WITHIN
        while (left := end - time.monotonic()) > 0 and not self._line.closed:
            select.select([self._line.sock], [], [], left)
            for said in self._line.read():
                if said.kind == Kind.HOST:
                    return unpacked(said.records, said.descriptors, processes)
                raise StartError(SEVERAL)
        raise StartError("the running server gave nothing to its successor")

    def failed(self, said: str) -> None:
        """This generation cannot serve; the other one is told why."""
        self._line.tell(Kind.FAILED, said)

    def way(self) -> tuple[socket.socket, socket.socket] | None:
        """Two ends of a way from the office there to the one here; None where there is none."""
        if self.over or LAST + OFFICE in self._gone:
            return None
        ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in ends:
            end.setblocking(False)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, successor.BUFFER)
        return ends

    def started(self, child: Child, way: socket.socket | None) -> None:
        """A process of this generation is there. `way`: the other end of the office's."""
        if not self.over:
            ends = () if way is None else (way.fileno(),)
            self._line.tell(Kind.CHILD, child.name, child.pid, descriptors=(child.pidfd, *ends))

    def serves(self) -> None:
        """All of this generation could serve."""
        fault_points.at("ready")
        self._ready = True
        if self.over:
            self._begin()
            self._on_alone()
        else:
            self._line.tell(Kind.READY, [OLDEST, VERSION], version.VERSION)

    def register(self, poll: select.poll) -> None:
        """What is to be waited for."""
        if not self.over:
            poll.register(self._line.sock, select.POLLIN)
        for pidfd in self._there.values():
            poll.register(pidfd, select.POLLIN)

    def turn(self, found: Mapping[int, int]) -> None:
        """What the other generation says, and who of it is dead."""
        # Before one comes whose descriptor has the number of another's.
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
            to, name, pid = said.records
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
        """The generation before this one is gone, or has nothing left."""
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
        """All descriptors: in a process that was forked, and at the end."""
        self._line.sock.close()
        for pidfd in self._there.values():
            os.close(pidfd)
        self._there.clear()
