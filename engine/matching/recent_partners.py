"""Rule 7: who shall not meet whom again, and for how long. Bounded: the persons noted longest ago are forgotten first.

A person is a number (identity, or session where there is none). The last partners bar for minutes and give way to a
long wait; a report bars for a day and never gives way.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from operator import itemgetter
from typing import Any

from engine.matching.network_of import SHARES, share_of
from engine.wire import rule_numbers

Who = int  # a person, or a network
Whom = Any  # a person, or for a network who reported whom


class Bars:
    """What each of `persons` at most is not to meet for `seconds`, `partners` at most; fewer persons as time goes by."""

    __slots__ = ("_partners", "_persons", "_seconds", "_table")

    def __init__(self, seconds: float, partners: int, persons: int) -> None:
        self._seconds = seconds
        self._partners = partners
        self._persons = persons
        # when each partner is free again, the earliest first; persons in the order of their first note or last look: in a plain dict a look
        # at the first would pass by the places of all who went before it
        self._table: OrderedDict[Who, dict[Whom, float]] = OrderedDict()

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
        known = self._table.get(person) if self._table else None
        if known is None:
            return ()
        over = 0
        for until in known.values():
            if until > now:
                break
            over += 1
        for _ in range(over):
            del known[next(iter(known))]
        return tuple(known)

    def forget(self, person: Who) -> None:
        """Nobody can ever be that person again."""
        if self._table:
            self._table.pop(person, None)

    def leave(self, person: Who, now: float, keep: bool) -> list[tuple[Whom, float]]:
        """Whom the person is not to meet and for how many seconds more; forgotten here unless `keep`."""
        known = self._table.get(person) if keep else self._table.pop(person, None)
        return [] if known is None else [(partner, until - now) for partner, until in known.items() if until > now]

    def enter(self, person: Who, partners: Iterable[tuple[Whom, float]], now: float) -> list[Whom]:
        """What `leave` said elsewhere, beside what is known here; gives those that it may meet because they are too many."""
        known = self._table.pop(person, {})
        last, in_order = 0.0, not known  # as they mostly come: nothing is known here, and they were in order there
        for partner, seconds in partners:
            until = max(known.get(partner, 0.0), now + seconds)
            in_order = in_order and until >= last and partner not in known
            known[partner] = last = until
        if in_order and 0 < len(known) <= self._partners:
            self._table[person] = known
            self._sweep(now)
            return []
        ordered = sorted(known.items(), key=itemgetter(1))
        if ordered:
            self._table[person] = dict(ordered[-self._partners :])
            self._sweep(now)
        return [partner for partner, _ in ordered[: -self._partners]]

    def rest(self, now: float) -> Iterator[tuple[Who, list[tuple[Whom, float]]]]:
        """Everybody who is known, and whom they are not to meet for how many seconds more."""
        for person in list(self._table):
            partners = self.leave(person, now, keep=True)
            if partners:
                yield person, partners

    def _sweep(self, now: float) -> None:
        """Looks at the two persons at the head: with two looks for each new person an idle table shrinks."""
        table = self._table
        for _ in range(2):
            oldest = next(iter(table))
            known = table[oldest]
            if known and next(reversed(known.values())) > now and len(table) <= self._persons:
                if len(known) == 1:
                    return  # noted once, and not long enough ago
                table.move_to_end(oldest)  # noted again since: not the oldest any more
            else:
                del table[oldest]


class Recents:
    """The last partners of each person, and whom a report parts."""

    __slots__ = ("_bars", "_draw", "_got", "_made", "_met", "_networks", "_salt", "on_report")

    def __init__(self, draw: Callable[[], int], persons: int = rule_numbers.PERSONS_MAX) -> None:
        """`draw`: unguessable numbers."""
        self._draw = draw
        # told of each report as `report` is; None: nobody else need know
        self.on_report: Callable[[int, int, tuple[str, ...]], None] | None = None
        self._salt = b""  # drawn when it is needed
        seconds, partners = rule_numbers.REPORTED_FOR, rule_numbers.REPORTED_PARTNERS
        self._met: Bars = Bars(rule_numbers.RECENT_FOR, rule_numbers.RECENT_PARTNERS, persons)
        self._made: Bars = Bars(seconds, partners, persons)  # by who reported
        self._got: Bars = Bars(seconds, partners, persons)  # by who was reported
        # (who, whom) of the reports from a network: identities are made up at will, so they are bounded by that. A network is
        # a number that means something with the salt alone, which no disk has: its address is not kept for a day
        self._networks: dict[int, Bars] = {
            share: Bars(seconds, rule_numbers.REPORTS_MAX * share, persons) for share in SHARES
        }
        self._bars = {"met": self._met, "made": self._made, "got": self._got}

    def met(self, person: int, partner: int, now: float) -> None:
        """They are in a chat."""
        self._met.note(person, partner, now)

    def recent(self, person: int, now: float) -> tuple[int, ...]:
        """Whom not to meet soon."""
        return self._met.of(person, now)

    def report(self, person: int, partner: int, networks: tuple[str, ...], now: float) -> None:
        """One, in these networks, reported the other: neither meets the other for a day, whoever else reports whom from elsewhere."""
        self._made.note(person, partner, now)
        self._got.note(partner, person, now)
        for network in networks:
            gone = self._networks[share_of(network)].note(self._number(network), (person, partner), now)
            if gone is not None:
                self._lift(gone)
        if self.on_report is not None:
            self.on_report(person, partner, networks)

    def _lift(self, report: tuple[int, int]) -> None:
        self._made.lift(report[0], report[1])
        self._got.lift(report[1], report[0])

    def _number(self, network: str) -> int:
        if not self._salt:
            self._salt = b"".join(self._draw().to_bytes(8) for _ in range(4))
        return int.from_bytes(blake2b(network.encode(), digest_size=8, key=self._salt).digest())

    def barred(self, person: int, now: float, avoided: tuple[int, ...] = ()) -> tuple[int, ...]:
        """Whom not to meet at all, what weighs most last: who reported them, whom they blocked (`avoided`), whom they reported.

        A report stands at both of the two, so that the first are those that can be done without.
        """
        made, got = self._made.of(person, now), self._got.of(person, now)
        if avoided:
            return got + tuple([other for other in avoided if other not in made]) + made
        return got + made if got and made else got or made

    def forget(self, person: int) -> None:
        """A session without identity is over."""
        self._met.forget(person)
        self._made.forget(person)
        self._got.forget(person)

    # from and to another process

    @property
    def salt(self) -> bytes:
        """What makes numbers of networks; empty where none was needed."""
        return self._salt

    def take_salt(self, salt: bytes) -> None:
        """Networks have the numbers that they have elsewhere; those of here are nobody's any more."""
        self._salt = salt

    def leave(self, record: dict[str, Any], person: int, now: float, keep: bool) -> None:
        """Put into a record what goes with a person: whom they met, whose reports they made and got; forgotten here unless `keep`."""
        met, made, got = (
            self._met.leave(person, now, keep),
            self._made.leave(person, now, keep),
            self._got.leave(person, now, keep),
        )
        if met:
            record["met"] = met
        if made:
            record["made"] = made
        if got:
            record["got"] = got

    def enter(self, person: int, name: str, partners: Iterable[tuple[int, float]], now: float) -> None:
        """One of what `leave` gave elsewhere; the longer bar holds where both know one."""
        self._bars[name].enter(person, partners, now)

    def rest(self, now: float, most: int) -> Iterator[dict[str, Any]]:
        """What is known of everybody who is still known, in pieces of `most` persons or networks."""
        tables: list[tuple[str, Bars]] = [
            *self._bars.items(),
            *((f"reports_{share}", bars) for share, bars in self._networks.items()),
        ]
        for name, bars in tables:
            rows: list[Any] = []
            for row in bars.rest(now):
                rows.append(row)
                if len(rows) == most:
                    yield {name: rows}
                    rows = []
            if rows:
                yield {name: rows}

    def take_reports(
        self, share: int, network: int, reports: Iterable[tuple[tuple[int, int], float]], now: float
    ) -> None:
        """Reports of a network, of `rest`; beyond what a network may have those that are over first bar nobody."""
        for gone in self._networks[share].enter(network, reports, now):
            self._lift(gone)
