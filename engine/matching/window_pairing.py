"""Pair all tickets of a pool at once for the largest total weight, once per window (`Thresholds.window_at`).

**Invariant:** at most MOST tickets take part, half of them the oldest and half the newest, so the time of one run is bounded.
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from engine.matching.tickets import Ticket
from engine.wire.protocol import ANY, GOOD_PART
from ext.match.batch_pairing import pair

MOST: Final = 4096  # about 150 ms of one core: the most that a window of 200 ms can afford

Pair = tuple[
    Ticket, Ticket, tuple[int, ...], float, bool
]  # common interests, rarest first; their weight; whether the overlap is good


def choose(
    tickets: Sequence[Ticket],
    weight: Callable[[int], int],
    quiet: bool,
    any_since: float = float("-inf"),
    near: float = 0.0,
) -> Iterator[Pair]:
    """Yield pairs of tickets of one pool, which are given in order of age. `quiet`: any overlap is good.

    `any_since`: tickets that have waited since then accept any overlap, whatever their level. `near`: see `Thresholds`.
    """
    who = [ticket for ticket in tickets if ticket.interests]
    if len(who) > MOST:
        who = who[: MOST // 2] + who[-MOST // 2 :]
    if len(who) < 2:
        return
    numbers: dict[int, int] = {}
    offsets, ids, worth = array("I", [0]), array("I"), array("I")
    persons, avoid_offsets, avoid = array("Q"), array("I", [0]), array("Q")
    worths: list[int] = []
    for ticket in who:
        for interest in ticket.interests:
            if interest not in numbers:
                numbers[interest] = len(numbers)
                worths.append(weight(interest))
        dense = sorted(numbers[interest] for interest in ticket.interests)
        ids.extend(dense)
        worth.extend(worths[number] for number in dense)
        offsets.append(len(ids))
        persons.append(ticket.person)
        avoid.extend(ticket.recent + ticket.blocked)
        avoid_offsets.append(len(avoid))
    levels = array("B", [ANY if quiet or ticket.since <= any_since else ticket._level for ticket in who])
    mates = array("i", bytes(4 * len(who)))
    places = array("I", [ticket.place for ticket in who])
    homes = array("I", [ticket.home for ticket in who])
    pair(
        offsets,
        ids,
        worth,
        mates,
        persons=persons,
        avoid_offsets=avoid_offsets,
        avoid=avoid,
        levels=levels,
        places=places,
        homes=homes if near else None,
        near=near,
    )
    for i, j in enumerate(mates):
        if i < j:
            a, b = who[i], who[j]
            common = sorted(set(a.interests) & set(b.interests), key=weight, reverse=True)
            shared = sum(map(weight, common))
            least = min(sum(map(weight, ticket.interests)) for ticket in (a, b))
            yield b, a, tuple(common), float(shared), quiet or GOOD_PART * shared >= least
