"""Compute how similar a partner must be for a ticket of a given age: many shared interests, then any, then none (docs/protocol.md, rule 6).

**Invariant:** pure arithmetic on ages and arrival rates; nothing here reads a ticket.
"""

from dataclasses import dataclass
from typing import Final

from engine.wire.protocol import ANY_AFTER, ANYONE_AFTER, LIFT_AFTER, QUIET_BELOW

SPAN: Final = 5.0  # seconds in which arrivals are counted together
NO_SLOT: Final = float("-inf")  # end of the slot before the first arrival


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
    window: float = 0.0  # above 0: newcomers with interests are paired together, once per so many seconds
    hurry: float = 0.2  # least share of a step that is waited, however busy the pool

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

    def _pace(self, rate: float) -> float:
        """Return the factor of the steps: 1 in a slow pool, down to `hurry` if `enough` tickets arrive long before the step."""
        seen = rate * self.any_after
        if seen <= self.enough:
            return 1.0
        return max(self.hurry, self.enough / seen)


class Arrivals:
    """Arrivals of one pool in the last minute, in twelve buckets of five seconds."""

    __slots__ = ("_buckets", "_slot", "_until", "total")

    def __init__(self) -> None:
        self._buckets = [0] * 12
        self._slot = 0  # the current one
        self._until = NO_SLOT  # when it ends
        self.total = 0

    def add(self, now: float) -> None:
        """Count one arrival."""
        self.expire(now)
        place = self._slot % 12
        self._buckets[place] += 1
        self.total += 1

    def expire(self, now: float) -> None:
        """Drop arrivals older than a minute. A clock that steps back drops none."""
        if now < self._until:
            return
        slot = int(now / SPAN)
        last = self._slot
        if self._until != NO_SLOT:
            if slot <= last:
                return
            for gone in range(last + 1, min(slot, last + 12) + 1):
                place = gone % 12
                self.total -= self._buckets[place]
                self._buckets[place] = 0
        self._slot = slot
        self._until = (slot + 1) * SPAN

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
        for back, count in enumerate(lately[:12]):
            self._buckets[(slot - back) % 12] += count
            self.total += count

    def rate(self, now: float) -> float:
        """Return the arrivals per second over the last minute."""
        self.expire(now)
        return self.total / 60.0
