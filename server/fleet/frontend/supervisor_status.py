"""The supervisor as the office sees it. Rule: it holds no traffic and answers nobody, so it is looked at from outside.

It opened its own meter before it forked: where /proc hides processes from each other (`server.ops.process.cpu_time`) nothing else of it is to be
seen.
"""

import os

from server.fleet.ipc.ipc_peers import SUPERVISOR
from server.ops.metrics.exposition import Reading
from server.ops.metrics.resource_usage import Process, stat
from server.ops.process.cpu_time import Meter

STOPPED = "TtZX"  # states of a process that does nothing: stopped, traced, dead


class Parent:
    """Of one office, made while the supervisor lives. `meter`: the supervisor's, None: this system has none."""

    def __init__(self, meter: Meter | None) -> None:
        self._pid = os.getppid()
        self._meter = meter
        self._figures = Process(SUPERVISOR, lambda: self._pid)

    def reading(self) -> Reading:
        """A source of metrics that blocks."""
        name, sample = (SUPERVISOR,), None if self._meter is None else self._meter.read()
        state = self._state() if self._meter is None else "X" if sample is None else sample.state
        runs = os.getppid() == self._pid and state not in STOPPED
        up: Reading = {"serendip_process_up": {name: 1.0 if runs else 0.0}}
        if os.getppid() != self._pid:
            return up  # its number may be another process's by now
        figures: Reading = {}
        if sample is not None:
            figures = {
                "serendip_process_cpu_seconds": {name: sample.ran},
                "serendip_cpu_wait_seconds": {name: sample.waited},
            }
        return {**figures, **self._figures.reading(), **up}

    def _state(self) -> str:
        try:
            return stat(self._pid)[0].decode()
        except OSError:  # it ended this moment
            return "X"
