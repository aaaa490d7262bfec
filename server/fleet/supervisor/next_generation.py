"""Run an upgrade of a host of several processes from the old supervisor: start a new supervisor with new processes (the next generation), and hand
all sessions to them. The new supervisor's side is `upgrade_takeover`.

**Invariant:** the old processes serve unchanged until all new ones are ready. If the new generation fails, it is killed, and the old one
continues.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from engine.engine import agreed
from server.fleet.ipc.ipc_link import Kind
from server.fleet.ipc.ipc_peers import FRONTEND, HUB, LAST, NEXT, between_generations, name_of, number_of, of_generation
from server.fleet.migrate.upgrade_source import TELL_EVERY, not_ready
from server.fleet.supervisor.child_process import Child, ChildMessage
from server.fleet.supervisor.control_server import ControlClient
from server.fleet.supervisor.supervisor_upgrade_state import GenerationState
from server.ops import log
from server.ops.process import fault_points, foreground_proxy, successor

LEAVE_WITHIN: Final = 300.0  # seconds, after which remaining clients must return
SUCCESSOR: Final = "successor"
STARTING, MOVING, ENDING, OVER = range(4)
logger = log.get()


class Process(NamedTuple):
    """One process of the next generation."""

    pid: int
    pidfd: int


class PendingMessage(NamedTuple):
    """Message to the other supervisor; the descriptors are closed once it is sent."""

    kind: Kind
    records: tuple[Any, ...]
    descriptors: tuple[int, ...]


class NextGeneration:
    """One upgrade. `back`: called if it failed, when all of that generation are dead; `start_within`: seconds. Raises NotStarted.

        starting ── ready ──► moving ── all of this generation have ended ──► done: the other one is the service
            └────────────────────┴──── it fails or dies: all of it is killed, sessions that it did not acknowledge are here, this one goes on

    Each worker moves its sessions to its namesake (`worker_drain_out`), the frontend everything to the frontend (`frontend_upgrade`); the hub has
    nothing that the workers do not know.
    """

    def __init__(
        self,
        asker: ControlClient,
        program: str | None,
        upgrade_state: GenerationState,
        children: Mapping[str, Child],
        back: Callable[[], None],
        start_within: float,
    ) -> None:
        self._asker = asker
        self._children = children
        self._back = back
        self._start_within = start_within
        self._since = self._begun = self._told = time.monotonic()
        self._said = ""
        self._printed: list[str] = []  # by the other supervisor, if it died before it could say why
        self._next: dict[str, Process] = {}
        self._out: deque[PendingMessage] = deque()
        self._went = [
            0,
            0,
            0,
        ]  # sessions, chats, and sessions that stayed (`worker_drain_out.Moved`), of processes that have ended
        self._ended = False  # the other supervisor is dead, and was waited for
        self._awaited = False  # descriptors of the other generation were registered
        self.state = STARTING
        pid, sock = successor.spawn(*successor.command(program))
        self._line = Child(SUCCESSOR, pid, sock, 0.0)
        records, descriptors = upgrade_state.packed()
        self._line.tell(Kind.HOST, *records, descriptors=descriptors)
        asker.say({"step": "starting"})
        fault_points.at("sockets")

    @property
    def pid(self) -> int:
        """Pid of the other supervisor."""
        return self._line.pid

    @property
    def left(self) -> int:
        """Sessions that are still in this generation."""
        return sum(child.report.get("people", 0) for child in self._children.values())

    def register(self, poll: select.poll) -> None:
        """Register descriptors to poll."""
        self._awaited = True
        if not self._ended:
            poll.register(self._line.sock, select.POLLIN | (select.POLLOUT if self._out else 0))
            poll.register(self._line.pidfd, select.POLLIN)
        for process in self._next.values():
            poll.register(process.pidfd, select.POLLIN)

    def turn(self, found: Mapping[int, int], now: float) -> None:
        """Handle messages and deaths of the other generation, and what is due."""
        if self.state == OVER or not self._awaited:
            return
        # Only registered ones: a closed descriptor gives its number to the next one, which would seem dead.
        dead = [(name, process) for name, process in self._next.items() if process.pidfd in found]
        if not self._ended:
            for said in self._line.read():
                self._came(said)
            if self._line.pidfd in found:
                self._supervisor_died()
        for name, process in dead:
            if self._next.get(name) is process:
                self._died(name)
        if self.state == ENDING:
            if self._ended and not self._next:
                self._gave_up()
            return
        self._flush()
        self._time(now)

    def _time(self, now: float) -> None:
        if self.state == STARTING and now - self._since > self._start_within:
            self.fail(not_ready(self._start_within))
        elif self.state == MOVING and now - self._told >= TELL_EVERY:
            self._told = now
            self._asker.say({"step": "moving", "left": self.left})
            if now - self._begun > LEAVE_WITHIN:
                for child in self._children.values():
                    child.kill(signal.SIGTERM)

    # messages

    def _came(self, said: ChildMessage) -> None:
        if said.kind == Kind.CHILD:
            name, pid = of_generation(said.records[0]), said.records[1]
            if name in self._next:
                self._died(name)
            self._next[name] = process = Process(pid, os.dup(said.descriptors[0]))
            if self.state == MOVING:
                self._join(name, process)
            if name == FRONTEND and FRONTEND in self._children:
                self._children[FRONTEND].tell(Kind.FOLLOW, pid, descriptors=(said.descriptors[1],))
        elif said.kind == Kind.FAILED and self.state == STARTING:
            self.fail(said.records[0])
        elif said.kind == Kind.READY and self.state == STARTING:
            self._ready(*said.records)

    def _ready(self, reads: list[int], version: str) -> None:
        writes = agreed((reads[0], reads[1]))
        if writes is None:
            self.fail("the new version and this one know no common form of what moves: stop and start instead")
            return
        self._asker.say({"step": "ready", "pid": self.pid, "version": version})
        logger.info("upgrade.begun", online=self.left, pid=self.pid)
        self.state, self._begun = MOVING, time.monotonic()
        foreground_proxy.adopt()
        for name, process in self._next.items():
            self._join(name, process)
        self._tell(Kind.BEGIN)
        self._flush()
        fault_points.at("begin")
        workers = [name for name in self._next if number_of(name) > 0]
        for name, child in self._children.items():
            child.leaving = True
            if number_of(name) > 0:
                child.tell(Kind.NEXT, NEXT + name_of((number_of(name) - 1) % len(workers) + 1), writes)

    def _join(self, name: str, process: Process) -> None:
        """Make links between a process of the next generation and all processes here that have sessions."""
        for child in self._children.values() if name != HUB else ():
            if child.name != HUB:
                one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                child.tell(Kind.PEER, NEXT + name, process.pid, True, descriptors=(one.fileno(),))
                one.close()
                names = between_generations(name), between_generations(LAST + child.name)
                self._tell(Kind.PEER, *names, child.pid, descriptors=(two.detach(), os.dup(child.pidfd)))

    def _tell(self, kind: Kind, *records: Any, descriptors: tuple[int, ...] = ()) -> None:
        self._out.append(PendingMessage(kind, records, descriptors))

    def _flush(self) -> None:
        while self._out and self._line.tell(
            self._out[0].kind, *self._out[0].records, descriptors=self._out[0].descriptors
        ):
            for descriptor in self._out.popleft().descriptors:
                os.close(descriptor)

    # deaths

    def ended(self, child: Child, how: str) -> None:
        """Note that a process of this generation is dead. `how`: empty if it ended in order."""
        self._went = [had + more for had, more in zip(self._went, child.report.get("moved") or (0, 0, 0), strict=True)]
        if self.state == MOVING and how and child.name != HUB:
            self._said = f"{child.name} died ({how}) before all sessions had migrated; the log says why"
        elif self.state == STARTING:
            self.fail(f"{child.name} died meanwhile; the log says why")

    def _died(self, name: str) -> None:
        os.close(self._next.pop(name).pidfd)
        for child in self._children.values():
            child.tell(Kind.DEAD, NEXT + name)

    def _supervisor_died(self) -> None:
        for said in iter(lambda: list(self._line.read()), []):
            for one in said:
                self._came(one)
        _, status = os.waitpid(self.pid, 0)
        self._ended = True
        self._line.close()
        code = os.waitstatus_to_exitcode(status)
        how = f"signal {-code}" if code < 0 else f"status {code}"
        self._printed = successor.last_printed()
        self.fail(f"the new process ended ({how}); its log says why")

    # the end

    def fail(self, said: str) -> None:
        """Kill the whole next generation; the upgrade is over when the last of it is dead."""
        if self.state in (STARTING, MOVING):
            self._said = said
            self.state = ENDING
            logger.error("upgrade.failed", why=said, people=self._went[0], back=self.left)
        for process in self._next.values():
            with contextlib.suppress(ProcessLookupError):  # it is dead already, and was reaped
                signal.pidfd_send_signal(process.pidfd, signal.SIGKILL)
        if not self._ended:
            self._line.kill(signal.SIGKILL)

    def _gave_up(self) -> None:
        for child in self._children.values():
            if child.leaving and number_of(child.name) > 0:
                child.tell(Kind.STAY)
            child.leaving = False
        self._over(False, self._said)
        self._back()

    def stop(self, said: str) -> None:
        """End: this generation stops, and the other one with it, each with the sessions that it has."""
        if self.state == STARTING:
            self.fail(said)
        elif self.state == MOVING:
            self._line.kill(signal.SIGTERM)
            self._over(False, said)

    def done(self) -> None:
        """Finish: all of this generation have ended, the other one is the service."""
        if self.state == MOVING:
            self._tell(Kind.END)
            self._flush()
            people, chats, stayed = self._went
            seconds = round(time.monotonic() - self._begun, 2)
            logger.info("upgrade.ended", people=people, chats=chats, stayed=stayed, seconds=seconds)
            if stayed and not self._said:
                self._said = f"{stayed} people could not go and were told to come back"
            self._over(True, self._said)

    def _over(self, done: bool, said: str) -> None:
        seconds = round(time.monotonic() - self._begun, 2)
        went = {"people": self._went[0], "chats": self._went[1]} if done else {}
        printed = {"printed": self._printed} if self._printed else {}
        self._asker.end({"done": done, "said": said, **went, "seconds": seconds, **printed})
        self.state = OVER
        self.close()

    def close(self) -> None:
        """Close all descriptors: in a forked process, and at the end."""
        for process in self._next.values():
            os.close(process.pidfd)
        self._next.clear()
        for letter in self._out:
            for descriptor in letter.descriptors:
                os.close(descriptor)
        self._out.clear()
        if not self._ended:
            self._ended = True
            self._line.close()
