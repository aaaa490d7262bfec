"""Find child processes that hang, or do not become ready in time, and kill them, if possible after they wrote their stacks; of two live
processes whose link broke, kill the younger.

**Invariant:** time in which a thread of a process was ready to run and got no CPU, or in which the supervisor itself did not run, never counts
against the process. If several threads waited between two looks, the longest wait counts.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from server.fleet.ipc.ipc_peers import FRONTEND, SIGN_EVERY, number_of
from server.fleet.migrate.upgrade_source import START_WITHIN
from server.fleet.supervisor.child_process import Child
from server.ops import log
from server.ops.process.cpu_time import Sample, had_core

ENDS_WITHIN: Final = 30.0  # seconds of its own for the end of a process whose links are closed: it gives no signs then
LOOK_EVERY: Final = 0.25  # seconds between two looks
HANG_AFTER: Final = 2.0  # seconds of its own without a message: eight signs
FRONTEND_WITHIN: Final = (
    900.0  # seconds at least that the frontend has for it: it may bring a large database up to date first
)
DEAD_WITHIN: Final = 1.0  # seconds in which a process whose link broke is seen to be dead, if it is
STACKS_WITHIN: Final = 1.0  # seconds in which a process writes its stacks
SILENT_AFTER: Final = 2 * SIGN_EVERY  # seconds
DOUBLINGS_MAX: Final = 5  # doublings of the limit, by kills in a row
CALM_AFTER: Final = 600.0  # seconds without a kill after which the limit is what was set
TOLD_EVERY: Final = 60.0  # seconds between two lines of the log of a starved process
logger = log.get()


class Clock:
    """Seconds that the supervisor saw pass."""

    def __init__(self) -> None:
        self.now = 0.0
        self._last = time.monotonic()

    def turn(self) -> None:
        """Advance; time beyond two looks does not count."""
        now = time.monotonic()
        self.now += min(now - self._last, 2 * LOOK_EVERY)
        self._last = now


class Silence:
    """CPU time of a process since its last sign, or since its start. `at`: by the supervisor's clock; `samples`: of its threads, by number."""

    def __init__(self, at: float, samples: Mapping[int, Sample]) -> None:
        self.own = 0.0  # seconds in which each thread ran, slept, was blocked or stopped
        self.starved = 0.0  # seconds in which a thread was ready and had no core
        self._at = at
        self._samples = samples

    def look(self, at: float, samples: Mapping[int, Sample]) -> None:
        """Add the time since the last look. Without samples all of it is the process's own."""
        seconds, both = at - self._at, self._samples.keys() & samples.keys()
        own = min([seconds, *(had_core(self._samples[thread], samples[thread]) for thread in both)])
        self.own += own
        self.starved += seconds - own
        self._at, self._samples = at, samples


class Watchdog:
    """Watchdog of one supervisor. `hang_after`, `start_within`: seconds (`server.hang_after`, `server.start_within`).

    A process is silent when it has sent nothing for two of its signs. From then on, and while it starts, the kernel reports how it was scheduled
    (`server.ops.process.cpu_time`): seconds in which its threads ran, slept, were blocked or stopped are its own; seconds in which one of them was
    ready and had no core are the machine's, as the main thread may wait for the interpreter, which that one has. Only its own seconds count
    towards its limit. Each kill doubles the limit of the next process of that name, for a while: a limit that is too short for a machine ends
    itself. A machine that slept has stopped all of them: the clock here advances only as far as the supervisor looked at it.
    """

    def __init__(self, hang_after: float = HANG_AFTER, start_within: float = START_WITHIN) -> None:
        self.clock = Clock()
        self._hang_after = hang_after
        self.start_within = start_within
        self._silences: dict[int, Silence] = {}  # by pid
        self._hangs: dict[str, tuple[int, float]] = {}  # by name: kills in a row, and when the last one was
        self._told: dict[str, float] = {}  # by name: when it was logged as starved
        self._dying: dict[int, float] = {}  # by pid: until when a process that is to end may write its stacks
        # links by the pids of their ends, and when they are to be judged
        self._broken: dict[frozenset[int], float] = {}

    def fell(self, child: Child, pid: int) -> None:
        """Note that a process reported a broken link."""
        self._broken.setdefault(frozenset((child.pid, pid)), self.clock.now + DEAD_WITHIN)

    def judge(self, children: Mapping[str, Child], patient: bool = False) -> None:
        """Kill each process that hangs, and of two that live without a link to each other the younger. Read their messages first.

        `patient`: the host or its next generation starts, so that a silent process that serves has time until that is over. A process that
        closed its links itself is at its end, and broke none.
        """
        now = self.clock.now
        frontend = children.get(FRONTEND)
        live = {child.pid for child in children.values()}
        self._silences = {pid: silence for pid, silence in self._silences.items() if pid in live}
        for child in children.values():
            if self._excused(child, frontend):
                self._silences.pop(child.pid, None)
                continue
            silence = self._look(child)
            if silence.own > self.limit(child) and not (child.ready and patient):
                self._end(child, silence)
        for ends in [ends for ends, at in self._broken.items() if at <= now]:
            del self._broken[ends]
            apart = [child for child in children.values() if child.pid in ends and not child.closed]
            if len(apart) == 2:
                max(apart, key=lambda child: child.started).end("link")

    def finish(self, children: Mapping[str, Child]) -> None:
        """Kill each process that lives on after the time in which it was to write its stacks. Call it at each look, also if nothing is judged."""
        now = self.clock.now
        self._dying = {
            child.pid: self._dying.get(child.pid, now + STACKS_WITHIN) for child in children.values() if child.why
        }
        for child in children.values():
            if self._dying.get(child.pid, now + STACKS_WITHIN) <= now:
                child.end(child.why)

    def limit(self, child: Child) -> float:
        """Return the seconds of its own that a process has until its next sign, to start, or to end."""
        if not child.ready:
            return max(self.start_within, FRONTEND_WITHIN) if child.name == FRONTEND else self.start_within
        if child.closed:
            return max(self._hang_after, ENDS_WITHIN)
        kills, at = self._hangs.get(child.name, (0, 0.0))
        return self._hang_after * (2 ** min(kills, DOUBLINGS_MAX) if self.clock.now - at < CALM_AFTER else 1)

    def _excused(self, child: Child, frontend: Child | None) -> bool:
        """Whether a process need not have sent anything: it did, or it is a worker that waits for the frontend's list of bans."""
        if child.ready:
            return self.clock.now - child.heard <= SILENT_AFTER
        return number_of(child.name) > 0 and (frontend is None or not frontend.ready)

    def _look(self, child: Child) -> Silence:
        silence = self._silences.get(child.pid)
        if silence is None:
            self._silences[child.pid] = silence = Silence(self.clock.now, child.samples())
        else:
            silence.look(self.clock.now, child.samples())
        told = self._told.get(child.name, -TOLD_EVERY)
        if child.ready and silence.starved > self._hang_after and self.clock.now - told >= TOLD_EVERY:
            self._told[child.name] = self.clock.now
            logger.warning("process.starved", process=child.name, seconds=round(silence.starved, 1))
        return silence

    def _end(self, child: Child, silence: Silence) -> None:
        """Kill it. The log says what it did in its silence."""
        if child.why:
            return
        if not child.ready:
            child.end_with_stacks("start")
            return
        kills, at = self._hangs.get(child.name, (0, 0.0))
        calm = self.clock.now - at >= CALM_AFTER
        self._hangs[child.name] = (1 if calm else kills + 1, self.clock.now)
        logger.error(
            "process.hung", process=child.name, seconds=round(silence.own, 1), starved=round(silence.starved, 1),
            state=child.state,
        )  # fmt: skip
        child.end_with_stacks("hung")
