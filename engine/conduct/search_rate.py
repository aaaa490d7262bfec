"""Limit the rate of searches per user (docs/protocol.md, rule 10): a burst, then one search per interval.

A user is the identity cookie if there is one, else the session, so several connections of one user share one limit.
**Invariant:** an entry is deleted as soon as its limit is fully restored.
"""

from engine.wire.engine_errors import Refusal
from ext.base.ageing_map import AgeingMap


class SearchRate:
    """Searches paid ahead, by person. `burst`: finds at once; `interval`: seconds between finds in the long run."""

    __slots__ = ("_ahead", "_interval", "_paid")

    def __init__(self, burst: int, interval: float) -> None:
        self.change(burst, interval)
        self._paid: AgeingMap[int, float] = AgeingMap()  # person to the time up to which their finds are paid for

    def change(self, burst: int, interval: float) -> None:
        """Change the limits from now on; past finds stay counted."""
        self._ahead = (burst - 1) * interval
        self._interval = interval

    def __len__(self) -> int:
        return len(self._paid)

    def pay(self, person: int, now: float, of: str = "find") -> None:
        """Count a find, or a frame that costs as much (`of`). Raises Refusal `too_fast` with the seconds to wait."""
        paid = self._paid
        start = paid.get(person, now)
        if start is None:
            start = now
        elif start - now > self._ahead:
            raise Refusal("too_fast", of, None, start - now - self._ahead)
        until = start + self._interval
        paid.put(person, until, until, now)

    def leave(self, person: int, now: float, keep: bool) -> float:
        """Export the seconds that a migrating person's finds are paid ahead, 0.0: none. The entry is deleted here unless `keep`."""
        until = self._paid.get(person, now) if keep else self._paid.pop(person)
        return 0.0 if until is None else max(0.0, until - now)

    def enter(self, person: int, ahead: float, now: float) -> None:
        """Import the seconds paid ahead from another process; the later time wins."""
        until = max(self._paid.get(person, now) or now, now + ahead)
        self._paid.put(person, until, until, now)

    def rest(self, now: float) -> list[tuple[int, float]]:
        """Export all entries as (person, seconds paid ahead)."""
        return [(person, until - now) for person, until in self._paid.items(now)]
