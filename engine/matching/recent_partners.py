"""Remember which users must not be matched again, and for how long (docs/protocol.md, rule 7).

Recent partners are excluded for minutes, and allowed again after a long wait; a report excludes for a day without exception. A user is a number:
the identity, else the session id.
**Invariant:** bounded; the entries added the longest ago are dropped first.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from operator import itemgetter
from typing import Any

from engine.matching.address_networks import SHARES, share_of
from engine.wire import rule_constants

Who = int  # a person, or a network
Whom = Any  # a person; for a network the pair (reporter, reported)


class Exclusions:
    """Excluded partners: at most `partners` of each of at most `persons`, for `seconds`."""

    __slots__ = ("_partners", "_persons", "_seconds", "_table")

    def __init__(self, seconds: float, partners: int, persons: int) -> None:
        self._seconds = seconds
        self._partners = partners
        self._persons = persons
        # expiry by partner, earliest first. Persons are in order of their first note or last check; an OrderedDict, since finding the first of a
        # plain dict would step over the places of all deleted before it
        self._table: OrderedDict[Who, dict[Whom, float]] = OrderedDict()

    def note(self, person: Who, partner: Whom, now: float) -> Whom | None:
        """Exclude `partner` for `person` from now on. Return the partner that is allowed again for it, if there would be too many."""
        until = now + self._seconds
        if person not in self._table:
            self._table[person] = {partner: until}
            self._sweep(now)
            return None
        known = self._table[person]
        known.pop(partner, None)  # to the end
        known[partner] = until
        if len(known) <= self._partners:
            return None
        first = next(iter(known))
        del known[first]
        return first

    def lift(self, person: Who, partner: Whom) -> None:
        """Allow `partner` for `person` again."""
        known = self._table.get(person)
        if known is not None:
            known.pop(partner, None)
            if not known:
                del self._table[person]

    def of(self, person: Who, now: float) -> tuple[Whom, ...]:
        """Return the excluded partners of a person, earliest first."""
        if person not in self._table:
            return ()
        known = self._table[person]
        over = 0
        for until in known.values():
            if until > now:
                break
            over += 1
        for _ in range(over):
            del known[next(iter(known))]
        partners = list(known)  # a tuple of a list is made at once, that of a dict grows
        return tuple(partners)

    def forget(self, person: Who) -> None:
        """Delete the entry of a person that no one can be again."""
        if self._table:
            self._table.pop(person, None)

    def leave(self, person: Who, now: float, keep: bool) -> list[tuple[Whom, float]]:
        """Export the excluded partners of a migrating person with the seconds left; the entry is deleted here unless `keep`."""
        known = self._table.get(person) if keep else self._table.pop(person, None)
        return [] if known is None else [(partner, until - now) for partner, until in known.items() if until > now]

    def enter(self, person: Who, partners: Iterable[tuple[Whom, float]], now: float) -> list[Whom]:
        """Import what `leave` exported, besides the entry here. Return the partners that are allowed again because there are too many."""
        known = self._table.pop(person, {})
        for partner, seconds in partners:
            until, before = now + seconds, known.get(partner)
            known[partner] = until if before is None or before < until else before
        last, in_order = 0.0, True
        for until in known.values():
            in_order = in_order and until >= last
            last = until
        if in_order and 0 < len(known) <= self._partners:  # the usual case: nothing is to be sorted
            self._table[person] = known
            self._sweep(now)
            return []
        ordered = sorted(known.items(), key=itemgetter(1))
        if ordered:
            self._table[person] = dict(ordered[-self._partners :])
            self._sweep(now)
        return [partner for partner, _ in ordered[: -self._partners]]

    def rest(self, now: float) -> Iterator[tuple[Who, list[tuple[Whom, float]]]]:
        """Yield all persons with their excluded partners and the seconds left."""
        for person in list(self._table):
            partners = self.leave(person, now, keep=True)
            if partners:
                yield person, partners

    def _sweep(self, now: float) -> None:
        """Check the two oldest persons: with two checks per new person an idle table shrinks."""
        table = self._table
        for _ in range(2):
            oldest = next(iter(table))
            known = table[oldest]
            latest = 0.0
            for until in known.values():  # usually four; `reversed` costs as much as thirty
                latest = until
            if latest > now and len(table) <= self._persons:
                if len(known) == 1:
                    return  # noted once, and not long enough ago
                table.move_to_end(oldest)  # noted again since, so not the oldest any more
            else:
                del table[oldest]


class RecentPartners:
    """Recent partners of each person, and partners excluded by reports."""

    __slots__ = ("_bars", "_draw", "_got", "_made", "_met", "_networks", "_salt", "on_report")

    def __init__(
        self,
        draw: Callable[[], int],
        on_report: Callable[[int, int, tuple[str, ...]], None] | None = None,
        persons: int = rule_constants.PERSONS_MAX,
    ) -> None:
        """`draw` is a source of unguessable numbers; `on_report` is called with each report, to pass it on; None: there is no other process."""
        self._draw = draw
        self.on_report = on_report
        self._salt = b""  # drawn at first use
        seconds, partners = rule_constants.REPORTED_FOR, rule_constants.REPORTED_PARTNERS
        self._met: Exclusions = Exclusions(rule_constants.RECENT_FOR, rule_constants.RECENT_PARTNERS, persons)
        self._made: Exclusions = Exclusions(seconds, partners, persons)  # by reporter
        self._got: Exclusions = Exclusions(seconds, partners, persons)  # by reported person
        # (reporter, reported) by network: identities can be made at will, so reports are bounded per network. A network is a number that depends on
        # the salt, which is on no disk, so its address is not kept for a day
        self._networks: dict[int, Exclusions] = {
            share: Exclusions(seconds, rule_constants.REPORTS_MAX * share, persons) for share in SHARES
        }
        self._bars = {"met": self._met, "made": self._made, "got": self._got}

    def met(self, person: int, partner: int, now: float) -> None:
        """Note that two persons are in a chat."""
        self._met.note(person, partner, now)

    def recent(self, person: int, now: float) -> tuple[int, ...]:
        """Return the recent partners of a person."""
        return self._met.of(person, now)

    def report(self, person: int, partner: int, networks: tuple[str, ...], now: float) -> None:
        """Note that `person`, in these networks, reported `partner`: they are not matched for a day."""
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
        """Return the persons never to match, the most important last: reporters of this person, those they blocked (`avoided`), those they reported.

        A report is in the tables of both, so the first ones can be dropped.
        """
        made, got = self._made.of(person, now), self._got.of(person, now)
        if avoided:
            return got + tuple([other for other in avoided if other not in made]) + made
        return got + made if got and made else got or made

    def forget(self, person: int) -> None:
        """Delete the entries of a session without identity that ended."""
        self._met.forget(person)
        self._made.forget(person)
        self._got.forget(person)

    # migration

    @property
    def salt(self) -> bytes:
        """Salt of the numbers of networks; empty if none was needed."""
        return self._salt

    def take_salt(self, salt: bytes) -> None:
        """Use the salt of another process; entries of networks under the old one are lost."""
        self._salt = salt

    def leave(self, record: dict[str, Any], person: int, now: float, keep: bool) -> None:
        """Add the entries of a migrating person to their session record: recent partners, reports made and received. Deleted here unless `keep`."""
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
        """Import one of the entries that `leave` exported; the longer exclusion wins."""
        self._bars[name].enter(person, partners, now)

    def rest(self, now: float, most: int) -> Iterator[dict[str, Any]]:
        """Yield all entries, in pieces of `most` persons or networks."""
        tables: list[tuple[str, Exclusions]] = [
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
        """Import the reports of a network from `rest`; beyond its limit the oldest exclude no longer."""
        for gone in self._networks[share].enter(network, reports, now):
            self._lift(gone)
