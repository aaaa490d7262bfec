"""Rule 7: who shall not meet whom again, and for how long. Bounded: the persons noted longest ago are forgotten first.

A person is a number (identity, or session where there is none). The last partners bar for minutes and give way to a
long wait; a report bars for a day and never gives way.
"""

from engine import policy


class Bars:
    """Whom each person is not to meet for `seconds`, `partners` at most; at most `persons` of them, and fewer as time goes by."""

    __slots__ = ("_partners", "_persons", "_seconds", "_table")

    def __init__(self, seconds: float, partners: int, persons: int) -> None:
        self._seconds = seconds
        self._partners = partners
        self._persons = persons
        # partner, until, partner, until, ...: the earliest first; persons in the order of their first note or last look
        self._table: dict[int, list[float]] = {}

    def note(self, person: int, partner: int, now: float) -> None:
        """`person` is not to meet `partner` from now on."""
        until = now + self._seconds
        known = self._table.get(person)
        if known is None:
            self._table[person] = [partner, until]
            self._sweep(now)
            return
        if partner in known:
            for at in range(0, len(known), 2):
                if known[at] == partner:
                    del known[at : at + 2]
                    break
        known += (partner, until)
        if len(known) > 2 * self._partners:
            del known[:2]

    def of(self, person: int, now: float) -> tuple[int, ...]:
        """Whom the person is not to meet, the earliest noted first."""
        known = self._table.get(person)
        if known is None:
            return ()
        while known and known[1] <= now:
            del known[:2]
        return tuple(known[::2])  # type: ignore[arg-type]  # every other one is an int

    def forget(self, person: int) -> None:
        """Nobody can ever be that person again."""
        self._table.pop(person, None)

    def _sweep(self, now: float) -> None:
        """Looks at the two persons at the head: with two looks for each new person an idle table shrinks."""
        table = self._table
        for _ in range(2):
            oldest = next(iter(table))
            known = table[oldest]
            if known and known[-1] > now and len(table) <= self._persons:
                if len(known) == 2:
                    return  # noted once, and not long enough ago
                del table[oldest]  # noted again since: not the oldest any more
                table[oldest] = known
            else:
                del table[oldest]


class Recents:
    """The last partners of each person, and whom a report parts."""

    __slots__ = ("_met", "_reported", "barred", "met", "recent")

    def __init__(self, persons: int = policy.PERSONS_MAX) -> None:
        self._met = Bars(policy.RECENT_FOR, policy.RECENT_PARTNERS, persons)
        self._reported = Bars(policy.REPORTED_FOR, policy.REPORTED_PARTNERS, persons)
        self.met = self._met.note  # (person, partner, now): they are in a chat
        self.recent = self._met.of  # (person, now): whom not to meet soon
        self.barred = self._reported.of  # (person, now): whom not to meet at all

    def report(self, person: int, partner: int, now: float) -> None:
        """One reported the other: neither meets the other for a day."""
        self._reported.note(person, partner, now)
        self._reported.note(partner, person, now)

    def forget(self, person: int) -> None:
        """A session without identity is over."""
        self._met.forget(person)
        self._reported.forget(person)
