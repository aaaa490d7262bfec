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
from ext.match.partner_table import PartnerTable

Report = tuple[int, int]  # reporter, reported


class NetworkReports:
    """Reports of each network, as pairs of reporter and reported: at most `reports` of each of at most `networks`, for `seconds`."""

    __slots__ = ("_networks", "_reports", "_seconds", "_table")

    def __init__(self, seconds: float, reports: int, networks: int) -> None:
        self._seconds = seconds
        self._reports = reports
        self._networks = networks
        # expiry by report, earliest first. Networks are in order of their first report or last check; an OrderedDict, since finding the first of a
        # plain dict would step over the places of all deleted before it
        self._table: OrderedDict[int, dict[Report, float]] = OrderedDict()

    def note(self, network: int, report: Report, now: float) -> Report | None:
        """Add a report. Return the one that counts no more, if there would be too many."""
        until = now + self._seconds
        if network not in self._table:
            self._table[network] = {report: until}
            self._sweep(now)
            return None
        known = self._table[network]
        known.pop(report, None)  # to the end
        known[report] = until
        if len(known) <= self._reports:
            return None
        first = next(iter(known))
        del known[first]
        return first

    def enter(self, network: int, reports: Iterable[tuple[Report, float]], now: float) -> list[Report]:
        """Import what `rest` exported, besides the entry here. Return the reports that count no more because there are too many."""
        known = self._table.pop(network, {})
        for report, seconds in reports:
            until, before = now + seconds, known.get(report)
            known[report] = until if before is None or before < until else before
        ordered = sorted(known.items(), key=itemgetter(1))
        if ordered:
            self._table[network] = dict(ordered[-self._reports :])
            self._sweep(now)
        return [report for report, _ in ordered[: -self._reports]]

    def rest(self, now: float) -> Iterator[tuple[int, list[tuple[Report, float]]]]:
        """Yield all networks with their reports and the seconds left."""
        for network, known in list(self._table.items()):
            reports = [(report, until - now) for report, until in known.items() if until > now]
            if reports:
                yield network, reports

    def _sweep(self, now: float) -> None:
        """Check the two oldest networks: with two checks per new network an idle table shrinks."""
        table = self._table
        for _ in range(2):
            oldest = next(iter(table))
            known = table[oldest]
            if known[next(reversed(known))] > now and len(table) <= self._networks:
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
        self._met = PartnerTable(rule_constants.RECENT_FOR, rule_constants.RECENT_PARTNERS, persons)
        self._made = PartnerTable(seconds, partners, persons)  # by reporter
        self._got = PartnerTable(seconds, partners, persons)  # by reported person
        # (reporter, reported) by network: identities can be made at will, so reports are bounded per network. A network is a number that depends on
        # the salt, which is on no disk, so its address is not kept for a day
        self._networks: dict[int, NetworkReports] = {
            share: NetworkReports(seconds, rule_constants.REPORTS_MAX * share, persons) for share in SHARES
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
        tables: list[tuple[str, PartnerTable | NetworkReports]] = [
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
