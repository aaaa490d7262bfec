"""Who of a host's processes hangs or does not come to serve, and whose link is broken.

Rule: nobody is to blame for time in which the supervisor did not run either.

A machine that slept, or had no core to give, has let all of them stand still: the clock here goes only as far as its owner looked at it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from server.workers.child import Child
from server.workers.peers import OFFICE, number_of

LOOK_EVERY: Final = 0.25  # seconds between two looks
HUNG_AFTER: Final = 2.0  # seconds of silence: eight signs (`peers.SIGN_EVERY`)
DEAD_WITHIN: Final = 1.0  # seconds in which a process whose link broke is seen to be dead, if it is
READY_WITHIN: Final = (
    60.0  # seconds that a process may take to start; a worker waits for the office, which tells it who is banned
)
OFFICE_WITHIN: Final = 900.0  # seconds: it may bring a large database up to date first


class Clock:
    """Seconds that the supervisor saw go by."""

    def __init__(self) -> None:
        self.now = 0.0
        self._last = time.monotonic()

    def turn(self) -> None:
        """It looks: what went by beyond two looks it has not seen."""
        now = time.monotonic()
        self.now += min(now - self._last, 2 * LOOK_EVERY)
        self._last = now


def _starts_until(child: Child, office: Child | None) -> float:
    """Until when one that starts may, by that clock."""
    if child.name == OFFICE:
        return child.begun + OFFICE_WITHIN
    if number_of(child.name) < 0:  # the hub waits for nobody
        return child.begun + READY_WITHIN
    return max(child.begun, office.served) + READY_WITHIN if office is not None and office.ready else float("inf")


class Watch:
    """Of one supervisor."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._broken: dict[
            frozenset[int], float
        ] = {}  # links by the pids of their ends, and when they are to be judged

    def fell(self, child: Child, pid: int) -> None:
        """A process says that its link to another one broke."""
        self._broken.setdefault(frozenset((child.pid, pid)), self.clock.now + DEAD_WITHIN)

    def judge(self, children: Mapping[str, Child]) -> None:
        """Kill who hangs, and of two that live and have no link to each other the younger. What they said was read before.

        Who closed its links itself is at its end, and broke none.
        """
        now = self.clock.now
        office = children.get(OFFICE)
        for child in children.values():
            if child.ready and now - child.heard > HUNG_AFTER:
                child.end("hung")
            elif not child.ready and now > _starts_until(child, office):
                child.end("start")
        for ends in [ends for ends, at in self._broken.items() if at <= now]:
            del self._broken[ends]
            apart = [child for child in children.values() if child.pid in ends and not child.closed]
            if len(apart) == 2:
                max(apart, key=lambda child: child.started).end("link")
