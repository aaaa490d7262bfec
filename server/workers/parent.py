"""The supervisor as the office sees it. Rule: it holds no traffic and answers nobody, so it is looked at from outside."""

import os

from server.metrics.exposition import Reading
from server.metrics.process import Process, stat
from server.workers.peers import SUPERVISOR

STOPPED = b"TtZX"  # states of a process that does nothing: stopped, traced, dead


class Parent:
    """Of one office, made while the supervisor lives."""

    def __init__(self) -> None:
        self._pid = os.getppid()
        self._figures = Process(SUPERVISOR, lambda: self._pid)

    def reading(self) -> Reading:
        """A source of metrics that blocks."""
        up: Reading = {"serendip_process_up": {(SUPERVISOR,): 1.0 if self._runs() else 0.0}}
        if os.getppid() != self._pid:
            return up  # its number may be another process's by now
        return {**self._figures.reading(), **up}

    def _runs(self) -> bool:
        try:
            return os.getppid() == self._pid and stat(self._pid)[0] not in STOPPED
        except OSError:  # it ended this moment
            return False
