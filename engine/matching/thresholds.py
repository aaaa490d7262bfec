"""Compute how similar a partner must be for a ticket of a given age: many shared interests, then any, then none (docs/protocol.md, rule 6).

**Invariant:** pure arithmetic on ages and arrival rates; nothing here reads a ticket.
"""

from array import array
from dataclasses import dataclass
from typing import Final

from engine.wire.protocol import ANY_AFTER, ANYONE_AFTER, LIFT_AFTER, QUIET_BELOW

SPAN: Final = 5.0  # seconds in which arrivals are counted together
_SOONEST: Final = 0.5  # seconds of arrivals from which a rate follows: a pool that begins is not taken for a busy one
_BUSY_FROM: Final = 50.0  # arrivals per second above which a pool gathers newcomers, at first for a moment
LEAST_WINDOW: Final = 0.1  # seconds: too short to be felt; shorter windows cost more than they find
_BUSY_FULL: Final = 500.0  # arrivals per second from which on it gathers them for all of `busy_window`
_GATHERED_MAX: Final = 1200.0  # newcomers of a window: pairing them takes some 20 ms of one core
_NO_SLOT: Final = float("-inf")  # end of the slot before the first arrival
_SPAN: Final = SPAN  # these with an underscore are numbers of C in the compiled module, which no other module sees
_LEAST_WINDOW: Final = LEAST_WINDOW


@dataclass(frozen=True)
class Thresholds:
    """Ages in seconds at which a ticket takes its steps; all are settings of an operator."""

    any_after: float = ANY_AFTER
    anyone_after: float = ANYONE_AFTER
    lift_after: float = LIFT_AFTER  # counted from the step to `anyone`
    quiet_below: int = QUIET_BELOW  # arrivals in the last minute, below which any overlap is good
    enough: float = 300.0  # arrivals after which a better partner is unlikely: the benchmark's frontier bends there
    exact_after: float = (
        10.0  # age from which a ticket's own search has no budget, so that none starves for a cheap search
    )
    peak: int = 0  # least weight of shared interests that a newcomer accepts at first; it falls to 0
    falls: int = 12  # in so many steps
    falls_for: float = 3.0  # within so many seconds, sooner in a busy pool
    window: float = 0.0  # above 0: newcomers with interests are paired together, once per so many seconds, in each pool
    busy_window: float = (
        1.2  # the same where many arrive: the longest window that the arrival rate sets by itself; 0: none
    )
    near: float = (
        0.07  # share of the weight by which a partner of the same process may be worse than the best, and is preferred
    )
    hurry: float = 0.18  # least share of a step that is waited, however busy the pool

    def any_at(self, rate: float) -> float:
        """Return the age at which any overlap is accepted, in a pool with `rate` arrivals per second."""
        return self.any_after * self._pace(rate)

    def anyone_at(self, rate: float) -> float:
        """Return the age at which anyone is accepted."""
        return self.anyone_after * self._pace(rate)

    def fall_at(self, fallen: int, rate: float) -> float:
        """Return the age at which the least weight falls the next time."""
        return self.falls_for * self._pace(rate) * (fallen + 1) / self.falls

    def floor(self, fallen: int) -> int:
        """Return the least weight accepted after `fallen` of the `falls` steps: it falls steeply at first, since most pairs are light."""
        left = 1.0 - fallen / self.falls
        return round(self.peak * left * left)

    def window_at(self, rate: float) -> float:
        """Return the seconds for which newcomers gather in a pool with `rate` arrivals per second; 0: they are matched on arrival."""
        return self.window or self.busy_at(rate)

    def any_in_window(self, rate: float) -> float:
        """Return the age from which a window pairs a ticket by any overlap: the sooner, the more tickets gather."""
        return self.any_at(rate) * (1.0 - self._fullness(rate))

    def _fullness(self, rate: float) -> float:
        """Return how far a pool is on the way from one without a window to the longest one, from 0 to 1."""
        return min(1.0, max(0.0, rate - _BUSY_FROM) / (_BUSY_FULL - _BUSY_FROM))

    def busy_at(self, rate: float) -> float:
        """Return the window that the arrival rate sets by itself: no longer than `busy_window`."""
        if self.window or rate <= _BUSY_FROM:
            return 0.0
        window = max(_LEAST_WINDOW, self.busy_window * self._fullness(rate))
        return min(self.busy_window, window, _GATHERED_MAX / rate)

    def _pace(self, rate: float) -> float:
        """Return the factor of the steps: 1 in a slow pool, down to `hurry` if `enough` tickets arrive long before the step."""
        seen = rate * self.any_after
        if seen <= self.enough:
            return 1.0
        return max(self.hurry, self.enough / seen)


class Arrivals:
    """Arrivals of one pool in the last minute, in twelve buckets of five seconds."""

    __slots__ = ("_begun", "_buckets", "_slot", "_until", "total")

    def __init__(self) -> None:
        self._buckets = array("i", [0]) * 12
        self._slot = 0  # the current one
        self._until = _NO_SLOT  # when it ends
        self.total = 0
        self._begun = 0.0  # the first arrival after a minute without any

    def add(self, now: float) -> None:
        """Count one arrival."""
        self.expire(now)
        if not self.total:
            self._begun = now
        place = self._slot % 12
        self._buckets[place] += 1
        self.total += 1

    def expire(self, now: float) -> None:
        """Drop arrivals older than a minute. A clock that steps back drops none."""
        if now < self._until:
            return
        slot = int(now / _SPAN)
        last = self._slot
        if self._until != _NO_SLOT:
            if slot <= last:
                return
            for gone in range(last + 1, min(slot, last + 12) + 1):
                place = gone % 12
                self.total -= self._buckets[place]
                self._buckets[place] = 0
        self._slot = slot
        self._until = (slot + 1) * _SPAN

    def lately(self, now: float) -> list[int]:
        """Export the arrivals in each SPAN, latest first, without zeros at the end."""
        self.expire(now)
        slot = self._slot
        found = [self._buckets[(slot - back) % 12] for back in range(12)]
        while found and not found[-1]:
            found.pop()
        return found

    def add_lately(self, lately: list[int], now: float) -> None:
        """Add arrivals that `lately` exported in another process; those older than a minute are left out."""
        self.expire(now)
        slot = self._slot
        if not self.total:
            self._begun = now - _SPAN * len(lately)
        for back, count in enumerate(lately[:12]):
            self._buckets[(slot - back) % 12] += count
            self.total += count

    def rate(self, now: float) -> float:
        """Return the arrivals per second over the last SPAN to 2 SPAN; over less where the pool has just begun."""
        self.expire(now)
        if not self.total:
            return 0.0
        span = now - self._until + 2 * _SPAN
        if now - self._begun < span:
            span = now - self._begun
        if span < _SOONEST:
            span = _SOONEST
        slot = self._slot
        place, before = slot % 12, (slot + 11) % 12
        count = self._buckets[place] + self._buckets[before]
        return count / span
