"""Start the processes of a host (hub, frontend, workers) by fork, connect each two of them, and restart those that die or hang. The supervisor
serves no client, and has no event loop and no thread.

**Invariant:** only the supervisor decides that a process is dead, and then tells the other processes.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from server.fleet.ipc.ipc_link import Kind
from server.fleet.ipc.ipc_peers import FRONTEND, HUB, number_of
from server.fleet.supervisor import child_stacks
from server.fleet.supervisor.child_process import Child, ChildLink, ChildStart
from server.fleet.supervisor.control_server import ControlClients
from server.fleet.supervisor.operator_orders import OperatorOrders
from server.fleet.supervisor.supervisor_upgrade_state import GenerationState
from server.fleet.supervisor.upgrade_takeover import PreviousGeneration
from server.fleet.supervisor.watchdog import LOOK_EVERY, Watchdog
from server.ops import log
from server.ops.process import foreground_proxy, server_status
from server.ops.process.cpu_time import Meter
from server.ops.process.process_setup import name_process
from server.ops.process.successor import NotStarted
from server.ops.process.systemd_notify import Notifier

AGAIN_AFTER: Final = (
    1.0  # seconds until one that died as soon as it was started is started anew; twice as many each time
)
AGAIN_MOST: Final = 60.0  # seconds
YOUNG: Final = 2.0  # seconds
ENDS: Final = (signal.SIGTERM, signal.SIGINT)
TOLD: Final = (*ENDS, signal.SIGHUP)
logger = log.get()

Role = Callable[[ChildStart], int]  # runs in the child; returns the exit status


def no_upgrade_state() -> GenerationState:
    """Raise NotStarted: there is no next generation."""
    raise NotStarted("this server has nothing to hand over")


def _be_watched(birth: ChildStart) -> None:
    """Let the supervisor read how the kernel schedules this process, and its stacks if it hangs (`server.fleet.supervisor.watchdog`)."""
    link, meter, pipe = ChildLink(birth.up), Meter.of_self(), child_stacks.register()
    if meter is not None:
        link.tell(Kind.METER, os.getpid(), descriptors=meter.descriptors)
        meter.close()
    link.tell(Kind.STACKS, descriptors=(pipe,))
    os.close(pipe)


class Supervisor:
    """Supervisor of one host. `roles`: by the name of the process, in the order of their start. `drain`: seconds that a process may take to end.

    `ready`: called once, when all serve; `died`: called for each that ended, once it was reaped; `askers`: clients of the control socket;
    `upgrade_state`: returns what the next generation continues with; `before`: the previous generation, `control`: the socket for operators once
    that has ended.

        supervisor ── fork ──► hub, frontend, worker 1 … n      each has one link to the supervisor, and one to each of the others,
            ▲                       │                             whose two ends the supervisor makes and hands out
            └──── its death ────────┘ ──► the others are notified, it is started anew and gets new links

    A process that is silent for two seconds, not counting time without a core, hangs and is killed (`server.fleet.supervisor.watchdog`). During
    an upgrade another supervisor with all of these runs beside this one, until it has everything (`next_generation`, and `upgrade_takeover` on
    its side).
    """

    def __init__(
        self,
        roles: Mapping[str, Role],
        drain: float,
        ready: Callable[[], None],
        died: Callable[[str], None],
        askers: ControlClients,
        upgrade_state: Callable[[], GenerationState] = no_upgrade_state,
        before: PreviousGeneration | None = None,
        control: socket.socket | None = None,
        watch: Watchdog | None = None,
    ) -> None:
        self._roles = roles
        self._ready = ready
        self._told_of_death = died
        self._drain = drain
        self.children: dict[str, Child] = {}
        self._watch = watch or Watchdog()
        self._meter: Meter | None = None  # meter of this process, while it runs
        self.deaths: Counter[tuple[str, str]] = (
            Counter()
        )  # of processes that were not ordered to end: by name and cause
        self._due: dict[str, float] = {}  # when a process is started anew
        self._tries: Counter[str] = Counter()  # deaths in a row of a process that had not served for YOUNG seconds
        self.off: set[str] = set()  # processes that are not started anew
        self.names = tuple(roles)
        self._askers = askers
        self.upgrade_state = upgrade_state
        self._control = control
        self._before = before
        if before is not None:
            before.subscribe(self.children, self._serve, self._be_alone)
        self._orders = OperatorOrders(self)
        self._stale = False  # settings changed since the start
        self._stopping = False
        self.told_to_end = False  # by a signal
        self._longer = False  # it ends, and sessions have more time to move
        self._ends: float | None = None  # when the remaining processes are killed
        self._served = False
        self._failed = False
        self._notifier = Notifier.of_environment(lambda error: logger.warning("notify.failed", **log.described(error)))

    @property
    def phase(self) -> str:
        """Phase of the host."""
        return (
            server_status.DRAINING
            if self._stopping
            else server_status.READY
            if self._served
            else server_status.STARTING
        )

    @property
    def start_within(self) -> float:
        """Seconds that a generation of processes may take to start."""
        return self._watch.start_within

    def start(self, name: str) -> None:
        """Start a process that is off, in this turn."""
        self.off.discard(name)
        self._due[name] = time.monotonic()

    @property
    def follower(self) -> int | None:
        """Pid of the supervisor that serves on."""
        return self._orders.follower

    def deaths_of(self, name: str) -> int:
        """Return how often a process died."""
        return sum(count for (one, _), count in self.deaths.items() if one == name)

    def run(self) -> int:
        """Run until all processes are ordered to end, and are dead; returns the exit status."""
        wake, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        for number in TOLD:
            signal.signal(number, lambda _, __: None)
        self._meter = Meter.of_self()
        for name in self._roles:
            self._start(name)
        while self.children or self._due or self._orders.busy:
            self._turn(wake)
        foreground_proxy.keep()
        self._hear(wake)
        self._orders.over()
        self._askers.close()
        if self._meter is not None:
            self._meter.close()
        if self._before is not None:
            self._before.close()
        return 1 if self._failed else 0

    def _turn(self, wake: int) -> None:
        now = time.monotonic()
        poll = select.poll()
        poll.register(wake, select.POLLIN)
        for child in self.children.values():
            poll.register(child.pidfd, select.POLLIN)
            if not child.ready:  # the others are read at each look
                poll.register(child.sock, select.POLLIN)
        self._orders.register(poll)
        if self._before is not None:
            self._before.register(poll)
        ends = [] if self._ends is None else [self._ends]
        due = min([now + LOOK_EVERY, self._askers.register(poll, now), *self._due.values(), *ends])
        found = dict(poll.poll(max(0.0, due - now) * 1000 + 1))
        if wake in found:
            self._hear(wake)
        self._watch.clock.turn()
        for child in list(self.children.values()):
            self._read(child)
            if child.pidfd in found:
                self._died(child)
        self._watch.finish(self.children)
        if not self._stopping:
            self._watch.judge(self.children, patient=not self._served or self._orders.starting)
        now = time.monotonic()
        if self._before is not None:
            self._before.turn(found)
        for asker, request in self._askers.turn(found, now):
            self._orders.take(asker, request)
        self._orders.turn(found, now)
        for name in [name for name, at in self._due.items() if at <= now]:
            del self._due[name]
            self._start(name)
        if self._ends is not None and self._ends <= now:
            self._ends = None
            for child in self.children.values():
                logger.error("process.killed", process=child.name, why="unended")
                child.kill(signal.SIGKILL)

    def _start(self, name: str) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        way = self._before.way() if self._before is not None and name == FRONTEND else None
        begun = self._before is None or self._served
        # A child that gets a signal before it has its own handlers would lose it: until then signals wait.
        held = signal.pthread_sigmask(signal.SIG_BLOCK, TOLD)
        try:
            pid = os.fork()
            if not pid:
                self._be(
                    name, ours, ChildStart(theirs, begun, way and way[0], self._stale, self._meter), way and way[1]
                )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
        theirs.close()
        new = Child(name, pid, ours, self._watch.clock.now)
        if self._before is not None:
            self._before.started(new, way and way[1])
        for end in way or ():
            end.close()
        for other in self.children.values():
            one, two = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            for child, peer, end in ((new, other, one), (other, new, two)):
                child.tell(Kind.PEER, peer.name, peer.pid, peer.ready, descriptors=(end.fileno(),))
                end.close()
        self.children[name] = new

    def _be(self, name: str, ours: socket.socket, birth: ChildStart, way: socket.socket | None) -> None:
        """Become a process, in the child: it never returns."""
        status = 70  # EX_SOFTWARE
        try:
            signal.set_wakeup_fd(-1)
            for number in TOLD:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(
                signal.SIG_UNBLOCK, ENDS
            )  # SIGHUP only once it has a handler: it would end the process
            ours.close()
            for child in self.children.values():
                child.close()
            self._askers.close()
            self._orders.close()
            if self._before is not None:
                self._before.close()
            if way is not None:
                way.close()
            name_process(name)
            if self._meter is not None and name != FRONTEND:
                self._meter.close()
            _be_watched(birth)
            status = self._roles[name](birth)
        finally:
            os._exit(status)

    def _read(self, child: Child) -> None:
        for kind, records, descriptors in child.read():
            child.heard = self._watch.clock.now
            if kind == Kind.UP:
                self._is_ready(child)
            elif kind == Kind.SIGN:
                child.report = records[0]
            elif kind == Kind.FELL:
                self._watch.fell(child, records[1])
            elif kind == Kind.METER:
                child.measure(records[0], descriptors)
            elif kind == Kind.STACKS:
                child.listen(descriptors)
            elif kind == Kind.FAILED:
                child.said = records[0]

    def _is_ready(self, child: Child) -> None:
        child.ready = True
        for other in self.children.values():
            if other is not child:
                other.tell(Kind.UP, child.name)
        self._orders.ready(child)
        if child.name == FRONTEND:
            self._tell_deaths()
        ready = [other.name for other in self.children.values() if other.ready]
        if self._served or self._stopping or len(ready) < len(self._roles):
            return
        if self._before is None:
            self._serve()
            self._be_alone()
        else:
            self._before.serves()

    def _serve(self) -> None:
        """Note that clients come to this generation."""
        if not self._served:
            self._served = True
            self._ready()

    def _be_alone(self) -> None:
        """Note that this generation is the service."""
        if self._control is not None:
            self._askers.listen(self._control)
        if not self._stopping:
            self._notifier.ready()

    def _tell_deaths(self) -> None:
        """Send the deaths of processes to the frontend, which shows them."""
        frontend = self.children.get(FRONTEND)
        if frontend is not None:
            frontend.tell(Kind.DEATHS, *[[name, why, count] for (name, why), count in self.deaths.items()])

    def _died(self, child: Child) -> None:
        _, status = os.waitpid(child.pid, 0)
        for what, where in child.stacks():
            logger.error("process.stack", process=child.name, what=what, where=where)
        del self.children[child.name]
        child.close()
        self._told_of_death(child.name)
        for other in self.children.values():
            other.tell(Kind.DEAD, child.name)
        code = os.waitstatus_to_exitcode(status)
        if (self._stopping or self._orders.moving) and set(self.children) == {HUB}:
            self.children[HUB].kill(signal.SIGTERM)
        if self._stopping:
            self._orders.gone(child)
            if self._longer and not any(number_of(name) > 0 for name in self.children):
                self._notifier.stopping()
            return
        if not self._served:
            self._failed = True
            if self._before is not None:
                self._before.failed(child.said or f"{child.name} ended as it started (status {code}); its log says why")
            self._stop()
            return
        self._orders.died(child, code)
        if code or not child.leaving:
            why = child.why or "ended"
            self.deaths[child.name, why] += 1
            logger.error("process.died", process=child.name, status=code, why=why)
            self._tell_deaths()
        if child.name in self.off or self._orders.moving:
            return
        self._again(child)

    def _again(self, child: Child) -> None:
        """Start a process anew: at once, or later if it died before it had served for a while."""
        now, name = time.monotonic(), child.name
        young = not child.ready or now - child.started < YOUNG
        self._tries[name] = self._tries[name] + 1 if young else 0
        self._due[name] = now + (min(AGAIN_AFTER * 2 ** min(self._tries[name] - 1, 9), AGAIN_MOST) if young else 0.0)

    def _hear(self, wake: int) -> None:
        with contextlib.suppress(BlockingIOError):
            for number in os.read(wake, 64):
                self._told(signal.Signals(number))

    def _told(self, number: signal.Signals) -> None:
        if number == signal.SIGHUP:
            self._stale = True
            for child in self.children.values():
                child.kill(number)
        elif number in ENDS:
            self.told_to_end = True
            self._stop()

    def evacuate(self, within: float | None) -> None:
        """End as by SIGTERM; sessions have so many seconds more to move to other hosts, None: none."""
        self._stop(within)

    def _stop(self, within: float | None = None) -> None:
        """End all processes; the hub last, because users still look for a next partner. `within`: see `evacuate`; None: by SIGTERM, which wins."""
        if self._stopping and not (within is None and self._longer):
            return
        if not self._stopping:
            self._orders.stopping()
        self._stopping, self._longer = True, within is not None
        self._due.clear()
        self._ends = time.monotonic() + (within or 0.0) + self._drain
        if within is None:
            self._notifier.stopping()  # from here on the service manager counts
        for name, child in self.children.items():
            child.tell(Kind.EVACUATE, within or 0.0)
            if within is None and (name != HUB or len(self.children) == 1):
                child.kill(signal.SIGTERM)
