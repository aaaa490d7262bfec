"""Rule 7: who shall not meet whom again, and for how long. Bounded: the persons noted longest ago are forgotten first.

A person is a number (identity, or session where there is none). The last partners bar for minutes and give way to a
long wait; a report bars for a day and never gives way.
"""

from engine import policy

Until = tuple[tuple[int, float], ...]


class Recents:
    """The last partners of each person, and whom a report keeps apart."""

    __slots__ = ("_met", "_most", "_reported")

    def __init__(self, most: int = policy.PERSONS_MAX) -> None:
        self._most = most
        self._met: dict[int, Until] = {}
        self._reported: dict[int, Until] = {}

    def met(self, person: int, partner: int, now: float) -> None:
        """`person` is in a chat with `partner`."""
        _note(self._met, person, partner, now + policy.RECENT_FOR, policy.RECENT_PARTNERS, now, self._most)

    def report(self, person: int, partner: int, now: float) -> None:
        """One reported the other: neither meets the other for a day."""
        until = now + policy.REPORTED_FOR
        _note(self._reported, person, partner, until, policy.REPORTED_PARTNERS, now, self._most)
        _note(self._reported, partner, person, until, policy.REPORTED_PARTNERS, now, self._most)

    def recent(self, person: int, now: float) -> tuple[int, ...]:
        """Whom the person is not to meet again soon."""
        return _valid(self._met, person, now)

    def barred(self, person: int, now: float) -> tuple[int, ...]:
        """Whom the person is not to meet at all."""
        return _valid(self._reported, person, now) if self._reported else ()

    def forget(self, person: int) -> None:
        """A session without identity is over: nobody can ever be that person again."""
        self._met.pop(person, None)
        self._reported.pop(person, None)

    def __len__(self) -> int:
        return len(self._met) + len(self._reported)


def _note(table: dict[int, Until], person: int, partner: int, until: float, keep: int, now: float, most: int) -> None:
    known = table.pop(person, None)
    if known is None:
        table[person] = ((partner, until),)
        for oldest in list(_oldest(table)):
            if len(table) > most or table[oldest][-1][1] <= now:
                del table[oldest]
    else:
        table[person] = (*[entry for entry in known if entry[0] != partner][1 - keep :], (partner, until))


def _oldest(table: dict[int, Until]) -> list[int]:
    """The two keys noted longest ago: looking at two for each new one lets an idle table shrink."""
    keys = iter(table)
    return [key for key, _ in zip(keys, range(2), strict=False)]


def _valid(table: dict[int, Until], person: int, now: float) -> tuple[int, ...]:
    known = table.get(person)
    if known is None:
        return ()
    return tuple([partner for partner, until in known if until > now])
