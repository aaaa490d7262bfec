"""How long an operator has been at it. Rule: in memory alone, nothing of it is stored; who did nothing here for PAUSE seconds had a break."""

from __future__ import annotations

from collections.abc import Callable

WORK = 50 * 60  # seconds after which a break is proposed
PAUSE = 5 * 60  # seconds without a page: a break
FORGOTTEN = 12 * 3_600  # seconds without a page after which nothing is known of somebody


class Shifts:
    """One for all operators of a process. `clock`: seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[
            str, tuple[float, float]
        ] = {}  # by name: when the work began, when the last page was asked for

    def minutes(self, name: str) -> int:
        """A page was asked for; the minutes of work since the last break, 0 while no break is due."""
        now = self._clock()
        self._known = {who: (began, last) for who, (began, last) in self._known.items() if now - last < FORGOTTEN}
        began, last = self._known.get(name, (now, now))
        if now - last >= PAUSE:
            began = now
        self._known[name] = (began, now)
        return int((now - began) // 60) if now - began >= WORK else 0
