"""Remind moderators to take a break after many minutes of work or many viewed pictures.

**Invariant:** the counts are in memory only. PAUSE seconds without a request count as a break.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

WORK = 50 * 60  # seconds after which a break is proposed
LOOKS = 25  # pictures after which a break is proposed
PAUSE = 5 * 60  # seconds without a page: a break
FORGOTTEN = 12 * 3_600  # seconds without a page after which a shift is dropped


@dataclass(slots=True)
class _Shift:
    """Start of the work, time of the last page, and pictures since the last break."""

    began: float
    last: float
    looks: int = 0


class Shifts:
    """Shifts of all moderators of a process. `clock`: seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[str, _Shift] = {}  # by name

    def minutes(self, name: str) -> int:
        """Note a page view. Return the minutes of work since the last break, or 0 while no break is due."""
        now, shift = self._clock(), self._of(name)
        return int((now - shift.began) // 60) if now - shift.began >= WORK else 0

    def looked(self, name: str) -> None:
        """Count a viewed picture."""
        self._of(name).looks += 1

    def left(self, name: str) -> int:
        """Return the pictures left until a break is proposed; 0: it is due."""
        return max(0, LOOKS - self._of(name).looks)

    def _of(self, name: str) -> _Shift:
        now = self._clock()
        self._known = {who: shift for who, shift in self._known.items() if now - shift.last < FORGOTTEN}
        shift = self._known.get(name)
        if shift is None or now - shift.last >= PAUSE:
            shift = self._known[name] = _Shift(now, now)
        shift.last = now
        return shift
