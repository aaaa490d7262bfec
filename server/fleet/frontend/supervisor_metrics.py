"""Measure the supervisor's state, CPU time and memory from the frontend, for the metrics and `/readyz`: the supervisor itself answers no requests."""

import os

from server.fleet.ipc.ipc_peers import SUPERVISOR
from server.ops.metrics.metric_type import Reading
from server.ops.metrics.resource_usage import ProcessUsage, stat
from server.ops.process.cpu_time import Meter, Sample

UNWELL = "the supervisor is stopped: no process that dies is started again, and commands get no answer (kill -CONT PID)"
STOPPED = "TtZX"  # states of a process that does nothing: stopped, traced, dead


class SupervisorStatus:
    """The supervisor, seen by one frontend; make it while the supervisor lives. `meter`: the supervisor's; None: this system has none.

    The supervisor opened its CPU meter before the fork: if /proc hides other processes (`server.ops.process.cpu_time`), only that meter is
    readable.
    """

    def __init__(self, meter: Meter | None) -> None:
        self._pid = os.getppid()
        self._meter = meter
        self._figures = ProcessUsage(SUPERVISOR, lambda: self._pid)

    def reading(self) -> Reading:
        """Return the metrics; this blocks."""
        name, sample = (SUPERVISOR,), self._sample()
        up: Reading = {"serendip_process_up": {name: 1.0 if self._runs(sample) else 0.0}}
        if os.getppid() != self._pid:
            return up  # its pid may be another process's by now
        figures: Reading = {}
        if sample is not None:
            figures = {
                "serendip_process_cpu_seconds": {name: sample.ran},
                "serendip_cpu_wait_seconds": {name: sample.waited},
            }
        return {**figures, **self._figures.reading(), **up}

    def unwell(self) -> list[str]:
        """Return whether the supervisor does not run, as a sentence for `/readyz`. It reads /proc, which does not block."""
        return [] if self._runs(self._sample()) else [UNWELL.replace("PID", str(self._pid))]

    def _sample(self) -> Sample | None:
        return None if self._meter is None else self._meter.read()

    def _runs(self, sample: Sample | None) -> bool:
        state = self._state() if self._meter is None else "X" if sample is None else sample.state
        return os.getppid() == self._pid and state not in STOPPED

    def _state(self) -> str:
        try:
            return stat(self._pid)[0].decode()
        except OSError:  # it ended just now
            return "X"
