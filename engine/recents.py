"""Rule 7: who shall not meet whom again, and for how long. Bounded: the persons noted longest ago are forgotten first.

A person is a number (identity, or session where there is none). The last partners bar for minutes and give way to a
long wait; a report bars for a day and never gives way.
"""

from collections.abc import Hashable
from typing import Generic, TypeVar

from engine import policy
from engine.networks import SHARES, share_of

Who = TypeVar("Who", bound=Hashable)
Whom = TypeVar("Whom")


class Bars(Generic[Who, Whom]):
    """What each of `persons` at most is not to meet for `seconds`, `partners` at most; fewer persons as time goes by."""

    __slots__ = ("_partners", "_persons", "_seconds", "_table")

    def __init__(self, seconds: float, partners: int, persons: int) -> None:
        self._seconds = seconds
        self._partners = partners
        self._persons = persons
        # when each partner is free again, the earliest first; persons in the order of their first note or last look
        self._table: dict[Who, dict[Whom, float]] = {}

    def note(self, person: Who, partner: Whom, now: float) -> Whom | None:
        """`person` is not to meet `partner` from now on; gives the one that it may meet for that, where it would be one too many."""
        until = now + self._seconds
        known = self._table.get(person)
        if known is None:
            self._table[person] = {partner: until}
            self._sweep(now)
            return None
        known.pop(partner, None)  # to the end
        known[partner] = until
        if len(known) <= self._partners:
            return None
        first = next(iter(known))
        del known[first]
        return first

    def lift(self, person: Who, partner: Whom) -> None:
        """`person` may meet `partner`."""
        known = self._table.get(person)
        if known is not None:
            known.pop(partner, None)
            if not known:
                del self._table[person]

    def of(self, person: Who, now: float) -> tuple[Whom, ...]:
        """Whom the person is not to meet, the earliest noted first."""
        known = self._table.get(person)
        if known is None:
            return ()
        while known:
            first = next(iter(known))
            if known[first] > now:
                break
            del known[first]
        return tuple(known)

    def forget(self, person: Who) -> None:
        """Nobody can ever be that person again."""
        self._table.pop(person, None)

    def _sweep(self, now: float) -> None:
        """Looks at the two persons at the head: with two looks for each new person an idle table shrinks."""
        table = self._table
        for _ in range(2):
            oldest = next(iter(table))
            known = table[oldest]
            if known and next(reversed(known.values())) > now and len(table) <= self._persons:
                if len(known) == 1:
                    return  # noted once, and not long enough ago
                del table[oldest]  # noted again since: not the oldest any more
                table[oldest] = known
            else:
                del table[oldest]


class Recents:
    """The last partners of each person, and whom a report parts."""

    __slots__ = ("_got", "_made", "_met", "_networks", "met", "recent")

    def __init__(self, persons: int = policy.PERSONS_MAX) -> None:
        seconds, partners = policy.REPORTED_FOR, policy.REPORTED_PARTNERS
        self._met: Bars[int, int] = Bars(policy.RECENT_FOR, policy.RECENT_PARTNERS, persons)
        self._made: Bars[int, int] = Bars(seconds, partners, persons)  # by who reported
        self._got: Bars[int, int] = Bars(seconds, partners, persons)  # by who was reported
        # (who, whom) of the reports from a network: identities are made up at will, so they are bounded by that. A network is
        # a number that means something in this process alone: its address is not kept for a day
        self._networks: dict[int, Bars[int, tuple[int, int]]] = {
            share: Bars(seconds, policy.REPORTS_MAX * share, persons) for share in SHARES
        }
        self.met = self._met.note  # (person, partner, now): they are in a chat
        self.recent = self._met.of  # (person, now): whom not to meet soon

    def report(self, person: int, partner: int, networks: tuple[str, ...], now: float) -> None:
        """One, in these networks, reported the other: neither meets the other for a day, whoever else reports whom from elsewhere."""
        self._made.note(person, partner, now)
        self._got.note(partner, person, now)
        for network in networks:
            gone = self._networks[share_of(network)].note(hash(network), (person, partner), now)
            if gone is not None:
                self._made.lift(gone[0], gone[1])
                self._got.lift(gone[1], gone[0])

    def barred(self, person: int, now: float, avoided: tuple[int, ...] = ()) -> tuple[int, ...]:
        """Whom not to meet at all, what weighs most last: who reported them, whom they blocked (`avoided`), whom they reported.

        A report stands at both of the two, so that the first are those that can be done without.
        """
        made = self._made.of(person, now)
        return self._got.of(person, now) + tuple(other for other in avoided if other not in made) + made

    def forget(self, person: int) -> None:
        """A session without identity is over."""
        for bars in (self._met, self._made, self._got):
            bars.forget(person)
