"""Pair all tickets of a pool at once for the largest total weight, once per window (`Thresholds.window_at`).

**Invariant:** at most MOST tickets take part, half of them the oldest and half the newest, so the time of one run is bounded.
"""

from array import array
from collections.abc import Callable, Sequence
from typing import Final

from engine.matching.tickets import Ticket
from engine.wire.protocol import ANY, GOOD_PART
from ext.base.id_map import IdMap
from ext.match.batch_pairing import pair

MOST: Final = 4096  # three windows of the busiest pool (`Thresholds.window_at`)

Pair = tuple[
    Ticket, Ticket, tuple[int, ...], float, bool
]  # common interests, rarest first; their weight; whether the overlap is good


class EndedWindow:
    """Tickets of one pool that are paired, and the pairs until they are taken, the oldest ticket's first."""

    # For `pair` their interests are numbered from 0, and each has a weight.

    def __init__(
        self,
        tickets: Sequence[Ticket],
        weight: Callable[[int], int],
        quiet: bool,
        any_since: float = float("-inf"),
        near: float = 0.0,
    ) -> None:
        """Pair tickets that are given in order of age. `quiet`: any overlap is good.

        `any_since`: those that have waited since then accept any overlap, whatever their level. `near`: see `Thresholds`.
        """
        who = [ticket for ticket in tickets if ticket.interests]
        if len(who) > MOST:
            who = who[: MOST // 2] + who[-MOST // 2 :]
        self._who = who
        self._weight = weight
        self._quiet = quiet
        self._numbers: dict[int, int] = {}
        self._worths: list[int] = []  # by number of an interest
        self._totals: list[int] = []  # by ticket, the weight of all its interests
        self._offsets = [0]
        self._ids: list[int] = []
        self._worth: list[int] = []
        for ticket in who:
            self._add(ticket)
        levels = [ANY if quiet or ticket.since <= any_since else ticket._level for ticket in who]
        mates = self._mates(levels, near) if len(who) > 1 else []
        self._left = [first for first, second in enumerate(mates) if first < second]
        self._left.reverse()
        self._mate = mates

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

    def _mates(self, levels: list[int], near: float) -> list[int]:
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

    def __len__(self) -> int:
        """Return how many pairs are left."""
        return len(self._left)

    def next(self, waiting: "IdMap[Ticket]") -> Pair | None:
        """Take the next pair; None if one of the two is not among those `waiting`, by client, any more. Raises IndexError."""
        first = self._left.pop()
        b: Ticket = self._who[first]
        a: Ticket = self._who[self._mate[first]]
        if waiting.get(a.client) is not a or waiting.get(b.client) is not b:
            return None
        theirs = set(a.interests)
        common = [interest for interest in b.interests if interest in theirs]
        common.sort(key=self._weight, reverse=True)
        shared = sum([self._worths[self._numbers[interest]] for interest in common])
        good = self._quiet or GOOD_PART * shared >= min(self._totals[first], self._totals[self._mate[first]])
        return a, b, tuple(common), float(shared), good
