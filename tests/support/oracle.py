"""Match tickets in plain Python by comparing all of them: the reference for tests of the matcher."""

from collections.abc import Callable
from dataclasses import dataclass

GOOD, ANY, ANYONE, LIFTED = range(4)


@dataclass
class Waiting:
    """A waiting ticket; `order` is the order of arrival."""

    client: int
    pool: int
    ids: frozenset[int]
    level: int
    person: int
    recent: tuple[int, ...]
    blocked: tuple[int, ...]
    order: int
    place: int = 0


class Oracle:
    """Reference matcher: `partners` returns the best weight and all tickets that have it, in order of arrival."""

    def __init__(self, weight: Callable[[int], int] = lambda _: 1) -> None:
        self.weight = weight
        self.tickets: dict[int, Waiting] = {}

    def may_meet(self, a: Waiting, b: Waiting, quiet: bool) -> int | None:
        """Return a pair's weight; None if a rule forbids it."""
        if a.client == b.client or a.person in b.blocked or b.person in a.blocked:
            return None
        if a.person and a.person == b.person:
            return None
        if a.place and b.place and a.place != b.place:
            return None
        if (a.person in b.recent or b.person in a.recent) and not a.level == b.level == LIFTED:
            return None
        worth = self.worth(a.ids & b.ids)
        strictest = min(a.level, b.level)
        if not worth:
            return 0 if strictest >= ANYONE and a.pool == b.pool else None
        if strictest == GOOD and not quiet and 2 * worth < min(self.worth(a.ids), self.worth(b.ids)):
            return None
        return worth

    def worth(self, ids: frozenset[int]) -> int:
        return sum(map(self.weight, ids))

    def partners(self, me: Waiting, quiet: bool = False) -> tuple[int, list[Waiting]]:
        """Return the best weight (-1: no partner) and all tickets that have it, the longest waiting first."""
        worths = [(self.may_meet(me, other, quiet), other) for other in self.tickets.values() if other.pool == me.pool]
        best = max((worth for worth, _ in worths if worth is not None), default=-1)
        return best, sorted((other for worth, other in worths if worth == best), key=lambda t: t.order)
