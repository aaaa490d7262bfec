"""Carry out an operator's orders on a host of several processes: report its status, drain or restart a worker, drain the host, upgrade. No order but
a drain of the host ends a chat.

**Invariant:** one order runs at a time, and continues if the operator's connection closes.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Protocol

from server.fleet.ipc.ipc_link import Kind
from server.fleet.ipc.ipc_peers import EARLIER_FRONTEND, FRONTEND, HUB, name_of, number_of
from server.fleet.supervisor.child_process import Child
from server.fleet.supervisor.control_server import ControlClient
from server.fleet.supervisor.host_drain_report import WITHIN, HostDrain
from server.fleet.supervisor.next_generation import ENDING, MOVING, STARTING, NextGeneration
from server.fleet.supervisor.supervisor_upgrade_state import GenerationState
from server.ops import log
from server.ops.process import server_status
from server.ops.process.control_socket import UNKNOWN
from server.ops.process.successor import NotStarted

TELL_EVERY: Final = 0.25  # seconds between two reports of how many sessions are left
LEAVE_WITHIN: Final = 300.0  # seconds, after which a process that cannot end is left as it is
NOT_NOW: Final = "this server starts, or stops"
STOPPING: Final = "this server was told to stop"
ORDERED: Final = "another worker is drained or restarted at the moment"
UPGRADING: Final = "an upgrade is under way already"
logger = log.get()


class Host(Protocol):
    """Interface of the supervisor for orders."""

    names: tuple[str, ...]
    off: set[str]

    @property
    def children(self) -> Mapping[str, Child]:
        """Running processes, by name."""

    @property
    def phase(self) -> str:
        """Phase of the host."""

    @property
    def start_within(self) -> float:
        """Seconds that the next generation may take to start."""

    def start(self, name: str) -> None:
        """Start a process that does not run."""

    def evacuate(self, within: float | None) -> None:
        """End; sessions have so many seconds more to move to other hosts, None: none, as by SIGTERM."""

    def upgrade_state(self) -> GenerationState:
        """Return the state for the next generation. Raises NotStarted."""

    def deaths_of(self, name: str) -> int:
        """Return how often a process died."""


class Order(NamedTuple):
    """One order that is being carried out."""

    asker: ControlClient
    again: bool  # start it anew
    child: Child | None  # process that is to end
    people: int  # sessions that it had
    since: float


class OperatorOrders:
    """Orders to one supervisor.

        drain    the worker gets LEAVE; its sessions move to the others; it ends, and is not started anew
        restart  the same, then it is started; one that does not run is only started
        drain    without a worker: the host ends, and its sessions move to other hosts (`host_drain_report`)
        upgrade  everything moves to another generation of processes (`next_generation`); a restart of the frontend is one by the same program

    The hub has no sessions: it only ends, and the workers hand in their tickets to the next one.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._order: Order | None = None
        self._name = ""
        self._told = 0.0
        self._following: NextGeneration | None = None
        self._follower: int | None = None
        self._departure: HostDrain | None = None

    def take(self, asker: ControlClient, asked: Mapping[str, Any]) -> None:
        """Handle a request."""
        do = asked.get("do")
        if do == "status":
            asker.end(self._status())
        elif do == "restart" and asked.get("worker") in (FRONTEND, EARLIER_FRONTEND):
            self._upgrade(asker, None)
        elif do == "drain" and "worker" not in asked:
            self._depart(asker)
        elif do in ("drain", "restart"):
            said = self._begin(asker, asked.get("worker"), do == "restart")
            if said:
                asker.end({"done": False, "said": said})
        elif do == "upgrade" and isinstance(asked.get("program"), str | None):
            self._upgrade(asker, asked.get("program"))
        else:
            asker.end(UNKNOWN)

    @property
    def moving(self) -> bool:
        """Whether everything moves to the next generation."""
        return self._following is not None and self._following.state == MOVING

    @property
    def starting(self) -> bool:
        """Whether the next generation starts."""
        return self._following is not None and self._following.state == STARTING

    @property
    def busy(self) -> bool:
        """Whether another generation must end before this one may."""
        return self._following is not None and self._following.state == ENDING

    @property
    def follower(self) -> int | None:
        """Pid of the supervisor of the generation that serves on."""
        return self._follower

    def over(self) -> None:
        """Finish: all of this generation have ended."""
        if self._departure is not None:
            self._departure.over()
        if self._following is not None:
            self._following.done()
            self._follower = self._following.pid

    def close(self) -> None:
        """Close descriptors in a forked process."""
        if self._following is not None:
            self._following.close()

    def register(self, poll: select.poll) -> None:
        """Register descriptors to poll."""
        if self._following is not None:
            self._following.register(poll)

    def _depart(self, asker: ControlClient) -> None:
        said = self._not_now()
        if said:
            asker.end({"done": False, "said": said})
            return
        self._departure = departure = HostDrain(asker, self._host.children)
        logger.info("host.leaving", hosts=departure.hosts)
        self._host.evacuate(WITHIN if departure.hosts else None)

    def gone(self, child: Child) -> None:
        """Note that a process of a host that ends is dead."""
        if self._departure is not None:
            self._departure.gone(child)

    def _not_now(self) -> str:
        """Return why no order can begin now; empty if one can."""
        if self._host.phase != server_status.READY:
            return NOT_NOW
        return ORDERED if self._order is not None else UPGRADING if self._following is not None else ""

    def _upgrade(self, asker: ControlClient, program: str | None) -> None:
        host = self._host
        starting = [name for name in host.names if name not in host.off and not self._serves(name)]
        said = ""
        if host.phase != server_status.READY:
            said = NOT_NOW
        elif self._following is not None:
            said = UPGRADING
        elif self._order is not None:
            said = ORDERED
        elif starting:
            said = f"{starting[0]} starts"
        if not said:
            try:
                self._following = NextGeneration(
                    asker, program, host.upgrade_state(), host.children, self._failed, host.start_within
                )
                return
            except NotStarted as error:
                said = str(error)
        asker.end({"done": False, "said": said})

    def _serves(self, name: str) -> bool:
        child = self._host.children.get(name)
        return child is not None and child.ready

    def _failed(self) -> None:
        """Start anew the processes that ended for a next generation that failed."""
        self._following = None
        for name in self._host.names if self._host.phase == server_status.READY else ():
            if name not in self._host.children and name not in self._host.off:
                self._host.start(name)

    def turn(self, found: Mapping[int, int], now: float) -> None:
        """Handle events of the next generation; report how many sessions are left."""
        if self._following is not None:
            self._following.turn(found, now)
        if self._departure is not None and now - self._told >= TELL_EVERY:
            self._told = now
            self._departure.look(self._host.children)
        order = self._order
        if order is None or order.child is None or now - self._told < TELL_EVERY:
            return
        self._told = now
        if now - order.since > LEAVE_WITHIN:
            self._end(False, f"{self._name} did not end within {LEAVE_WITHIN:.0f} s; it is as it was told to be")
            return
        order.asker.say({"step": "moving", "left": order.child.report.get("people", 0)})

    def died(self, child: Child, status: int) -> None:
        """Note that a process is dead. One that was ordered to end is `off`, unless it is to be started anew."""
        how = f"signal {-status}" if status < 0 else f"status {status}"
        if self._following is not None:
            self._following.ended(child, how if status else "")
        order = self._order
        if order is None or child.name != self._name:
            return
        if order.again:
            self._host.off.discard(child.name)
        if order.child is None:
            self._end(False, f"{child.name} ended as it started ({how}), and is tried again; the log says why")
        elif status:
            self._end(False, f"{child.name} died ({how}) before all sessions had migrated; its log says why")
        elif order.again:
            order.asker.say({"step": "starting"})
            self._order = order._replace(child=None)
        else:
            self._end(True, "")

    def ready(self, child: Child) -> None:
        """Note that a process serves."""
        if self._order is not None and self._order.child is None and child.name == self._name:
            self._end(True, "")

    def stopping(self) -> None:
        """End all orders: the host ends."""
        if self._following is not None:
            self._following.stop(STOPPING)
        self._end(False, STOPPING)

    def _begin(self, asker: ControlClient, which: object, again: bool) -> str:
        """Begin a drain or restart; returns why it cannot, empty if it is under way."""
        host = self._host
        workers = [name for name in host.names if number_of(name) > 0]
        name = name_of(which) if isinstance(which, int) else HUB if which == HUB and again else ""
        if name not in (*workers, HUB):
            return f"there is no such worker: they are 1 to {len(workers)}"
        said = self._not_now()
        if said:
            return said
        child = host.children.get(name)
        if child is None and not again:
            return f"{name} is not running"
        if child is None:
            self._name, self._order = name, Order(asker, again, None, 0, time.monotonic())
            host.start(name)
            asker.say({"step": "starting"})
            return ""
        if not child.ready:
            return f"{name} starts"
        self._name = name
        if name == HUB:
            self._leave(Order(asker, again, child, 0, time.monotonic()))
            child.tell(Kind.LEAVE, {})  # by the signal alone it would wait for the others to end
            child.kill(signal.SIGTERM)
            return ""
        others = {one: host.children[one] for one in workers if one != name and one in host.children}
        there = {one: other.report.get("people", 0) for one, other in others.items() if other.ready}
        if not there:
            return "there is no other worker that could take its people"
        self._leave(Order(asker, again, child, child.report.get("people", 0), time.monotonic()))
        child.tell(Kind.LEAVE, there)
        return ""

    def _leave(self, order: Order) -> None:
        self._order = order
        if order.child is not None:
            order.child.leaving = True
        self._host.off.add(self._name)
        logger.info("process.leaving", process=self._name, people=order.people)

    def _end(self, done: bool, said: str) -> None:
        order, self._order = self._order, None
        if order is not None:
            seconds = round(time.monotonic() - order.since, 2)
            order.asker.end({"done": done, "said": said, "people": order.people, "seconds": seconds})

    def _status(self) -> dict[str, Any]:
        host, now = self._host, time.monotonic()
        rows = []
        for name in host.names:
            child, deaths = host.children.get(name), host.deaths_of(name)
            if child is None:
                rows.append(
                    server_status.process(
                        name, server_status.OFF if name in host.off else server_status.STARTING, deaths=deaths
                    )
                )
                continue
            phase = (
                server_status.DRAINING
                if child.leaving
                else server_status.READY
                if child.ready
                else server_status.STARTING
            )
            rows.append(server_status.process(name, phase, child.pid, now - child.started, deaths, child.report))
        hub = host.children.get(HUB)
        return server_status.server(
            host.phase,
            os.getpid(),
            rows,
            self._following.left if self.moving and self._following else None,
            None if hub is None else hub.report.get("cluster"),
        )
