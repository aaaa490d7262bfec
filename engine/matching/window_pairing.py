"""Pair all tickets of a pool at once for the largest total weight, once per window (`Thresholds.window_at`).

**Invariant:** at most MOST tickets take part, half of them the oldest and half the newest, so the time of one run is bounded.
"""

from array import array
from collections.abc import Callable, Sequence
from typing import Final

from engine.matching.tickets import Ticket
from engine.wire.protocol import ANY, GOOD_PART
from ext.match.batch_pairing import pair

MOST: Final = 4096  # about 150 ms of one core: the most that a window of 200 ms can afford

Pair = tuple[
    Ticket, Ticket, tuple[int, ...], float, bool
]  # common interests, rarest first; their weight; whether the overlap is good


class Gathered:
    """Tickets of one pool as `pair` reads them: their interests are numbered from 0, each has a weight."""

    def __init__(self, who: list[Ticket], weight: Callable[[int], int]) -> None:
        self._who = who
        self._weight = weight
        self._numbers: dict[int, int] = {}
        self._worths: list[int] = []  # by number of an interest
        self._totals: list[int] = []  # by ticket, the weight of all its interests
        self._offsets = [0]
        self._ids: list[int] = []
        self._worth: list[int] = []
        for ticket in who:
            self._add(ticket)

    def _add(self, ticket: Ticket) -> None:
        ids = []
        for interest in ticket.interests:
            number = self._numbers.get(interest)
            if number is None:
                number = self._numbers[interest] = len(self._worths)
                self._worths.append(self._weight(interest))
            ids.append(number)
        ids.sort()
        worth = [self._worths[number] for number in ids]
        self._totals.append(sum(worth))
        self._ids += ids
        self._worth += worth
        self._offsets.append(len(self._ids))

    def mates(self, levels: list[int], near: float) -> list[int]:
        """Return for each ticket the index of its partner, or -1. `levels`: what each accepts."""
        mates = array("i", bytes(4 * len(self._who)))
        avoid: list[int] = []
        offsets = [0]
        for ticket in self._who:
            avoid += ticket.recent
            avoid += ticket.blocked
            offsets.append(len(avoid))
        pair(
            array("I", self._offsets),
            array("I", self._ids),
            array("I", self._worth),
            mates,
            persons=array("Q", [ticket.person for ticket in self._who]),
            avoid_offsets=array("I", offsets),
            avoid=array("Q", avoid),
            levels=array("B", levels),
            places=array("I", [ticket.place for ticket in self._who]),
            homes=array("I", [ticket.home for ticket in self._who]) if near else None,
            near=near,
        )
        return mates.tolist()

    def pair_of(self, first: int, second: int, quiet: bool) -> Pair:
        """Return two tickets, by their indices, as a pair."""
        a: Ticket = self._who[first]
        b: Ticket = self._who[second]
        theirs = set(b.interests)
        common = [interest for interest in a.interests if interest in theirs]
        common.sort(key=self._weight, reverse=True)
        shared = sum([self._worths[self._numbers[interest]] for interest in common])
        good = quiet or GOOD_PART * shared >= min(self._totals[first], self._totals[second])
        return b, a, tuple(common), float(shared), good


def choose(
    tickets: Sequence[Ticket],
    weight: Callable[[int], int],
    quiet: bool,
    any_since: float = float("-inf"),
    near: float = 0.0,
) -> list[Pair]:
    """Return pairs of tickets of one pool, which are given in order of age. `quiet`: any overlap is good.

    `any_since`: tickets that have waited since then accept any overlap, whatever their level. `near`: see `Thresholds`.
    """
    who = [ticket for ticket in tickets if ticket.interests]
    if len(who) > MOST:
        who = who[: MOST // 2] + who[-MOST // 2 :]
    if len(who) < 2:
        return []
    gathered = Gathered(who, weight)
    levels = [ANY if quiet or ticket.since <= any_since else ticket._level for ticket in who]
    mates = gathered.mates(levels, near)
    return [gathered.pair_of(first, second, quiet) for first, second in enumerate(mates) if first < second]
