"""Count suspicious facts about a user and a network, and decide when a challenge is required before the next search.

Each kind of fact is a row of FACTS: points, and the seconds after which it no longer counts.
**Invariant:** in memory, bounded; exercising a privacy right is never counted.
"""

# Points are summed at each search; no sum is stored. The person is `Session.person`. A person's entry migrates with the session; each process counts
# networks by itself.

from collections import OrderedDict
from typing import Any, Final, NamedTuple

from engine.conduct.daily_detections import DailyDetections


class Fact(NamedTuple):
    """Points, and the seconds for which they count after the event."""

    points: int
    seconds: float


FACTS: Final = {
    "young": Fact(1, 600.0),  # no cookie, or one first seen in that time
    "reported": Fact(2, 86_400.0),  # per person with a lasting cookie who reported them; MOST_REPORTED at most
    "ended": Fact(2, 600.0),  # most of the last chats were ended by the partner soon after this person's first line
    "linked": Fact(2, 3_600.0),  # a link or a contact in several of the last chats
    "opener": Fact(3, 3_600.0),  # their first lines equal those of many others
    "swarm": Fact(2, 600.0),  # a young user, while many chats begin with the same advert
    "detected": Fact(2, 86_400.0),  # detections in several chats of the last day (`engine.conduct.daily_detections`)
    "crowded": Fact(2, 60.0),  # many connections or searches from the network
    "barred": Fact(2, 604_800.0),  # a user of that network is banned
    "rush": Fact(1, 60.0),  # newcomers to the service, far beyond the usual number
}
MOST_REPORTED: Final = 4  # points: reports alone never lead beyond level 2
LAST: Final = 10  # last chats that count
ENDED: Final = 6  # of them, ended by the partner so soon
LINKED: Final = 3  # of them, with a link or a contact
CONNECTS: Final = 20  # of a network in a minute
FINDS: Final = 30  # of a network in a minute
RUSH: Final = 3  # times the mean of the hour
RUSH_LEAST: Final = 60  # newcomers in a minute, below which it is no rush
RUSH_KNOWN: Final = 10  # minutes after which the mean is meaningful
REFUSED: Final = 4  # the level at which no challenge is offered
DAY: Final = 86_400.0
NEVER: Final = -1e9  # time of an event that never happened
# rows of FACTS, as constants for the path of each search
_REPORTED_POINTS, _REPORTED_FOR = FACTS["reported"]
_ENDED_POINTS, _ENDED_FOR = FACTS["ended"]
_LINKED_POINTS, _LINKED_FOR = FACTS["linked"]
_OPENER_POINTS, _OPENER_FOR = FACTS["opener"]
_SWARM_POINTS, _SWARM_FOR = FACTS["swarm"]
_DETECTED_POINTS = FACTS["detected"].points
_CROWDED_POINTS, _CROWDED_FOR = FACTS["crowded"]
_BARRED_POINTS, _BARRED_FOR = FACTS["barred"]
_YOUNG_POINTS, _YOUNG_FOR = FACTS["young"]
_RUSH_POINTS, _RUSH_FOR = FACTS["rush"]
_LEVELS: Final = (0, 0, 1, 1, 2, 2, 3, 3, 3)  # by points
_LOOKS: Final = 8  # entries tried to make room for one
_MINUTES: Final = 60


def level_of(points: int) -> int:
    """Return the level for a number of points: 0: no challenge; 1 to 3: that challenge; REFUSED."""
    return _LEVELS[points] if points < len(_LEVELS) else REFUSED


def retry_after(points: int) -> int:
    """Return the seconds to wait at level REFUSED: 60, doubled with each further point, 600 at most."""
    return min(600, 60 << max(0, points - len(_LEVELS)))


class Conduct:
    """Facts counted of one person."""

    __slots__ = ("chats", "linked", "opener", "passed", "reporters", "until")

    def __init__(self) -> None:
        self.reporters: dict[int, float] = {}  # by reporter: time of their last report
        self.chats: list[
            tuple[float, bool, bool]
        ] = []  # the last chats: time of the end, whether it was soon, whether a link was sent
        self.linked = NEVER  # time of a link in the current chat
        self.opener = NEVER  # time at which their first lines last equalled those of many
        self.passed = 0  # level of the challenge that they solved
        self.until = 0.0  # until when it is valid

    def points(self, now: float) -> int:
        """Return the sum of the points that count at `now`, and drop expired facts."""
        points = linked = 0
        if self.reporters:
            since = now - _REPORTED_FOR
            self.reporters = {who: at for who, at in self.reporters.items() if at > since}
            points += min(MOST_REPORTED, _REPORTED_POINTS * len(self.reporters))
        if self.chats:
            soon, links = now - _ENDED_FOR, now - _LINKED_FOR
            if self.chats[0][0] <= links:
                self.chats = [chat for chat in self.chats if chat[0] > links]
            ended = 0
            for at, early, link in self.chats:
                if early and at > soon:
                    ended += 1
                if link:
                    linked += 1
            if ended >= ENDED:
                points += _ENDED_POINTS
        if linked + (1 if self.linked > now - _LINKED_FOR else 0) >= LINKED:
            points += _LINKED_POINTS
        if now - self.opener < _OPENER_FOR:
            points += _OPENER_POINTS
        return points

    def says(self, now: float) -> bool:
        """Whether anything is recorded that counts or may count later."""
        return self.points(now) > 0 or bool(self.chats) or self.until > now


class Network:
    """Connections and searches of one network in a minute."""

    __slots__ = ("connects", "crowded", "finds", "since")

    def __init__(self, now: float) -> None:
        self.since = now
        self.connects = 0
        self.finds = 0
        self.crowded = 0.0  # until when it counts as crowded

    def count(self, connects: int, finds: int, now: float) -> None:
        """Add connections and searches."""
        if now - self.since >= _CROWDED_FOR:
            self.since, self.connects, self.finds = now, 0, 0
        self.connects += connects
        self.finds += finds
        if self.connects >= CONNECTS or self.finds >= FINDS:
            self.crowded = now + _CROWDED_FOR

    def points(self, now: float) -> int:
        """Return the points that count at `now`."""
        return _CROWDED_POINTS if self.crowded > now else 0


class Friction:
    """All facts. `persons`, `networks`: sizes of the tables; the longest idle entries are evicted first, entries with points stay.

    `daily`: counts of detections, whose owner keeps them.
    """

    __slots__ = (
        "_arrivals",
        "_barred",
        "_began",
        "_daily",
        "_minute",
        "_networks",
        "_persons",
        "_rush",
        "_seen",
        "_swarm",
        "most_networks",
        "most_persons",
    )

    def __init__(self, persons: int = 200_000, networks: int = 200_000, daily: DailyDetections | None = None) -> None:
        self._daily = DailyDetections() if daily is None else daily
        self.most_persons = persons
        self.most_networks = networks
        self._seen: OrderedDict[int, tuple[float, float]] = OrderedDict()  # identity to (first seen, last seen)
        self._persons: OrderedDict[int, Conduct] = OrderedDict()
        self._networks: OrderedDict[str, Network] = OrderedDict()
        self._barred: OrderedDict[str, tuple[float, bytes]] = (
            OrderedDict()
        )  # network to (since when, case of the ban), oldest first
        self._began = -1.0  # time of the first event; there is no history before it
        self._minute = 0  # the current minute, counted from there
        self._arrivals = [0] * _MINUTES  # newcomers in each minute of the last hour
        self._rush = 0.0  # until when there is a rush
        self._swarm = 0.0  # until when there is a swarm

    def __len__(self) -> int:
        return len(self._seen) + len(self._persons) + len(self._networks) + len(self._barred)

    # facts

    def opened(self, identity: int, network: str, now: float) -> None:
        """Count a connection; `identity` 0: without a cookie."""
        if self._began < 0:
            self._began = now
        self._network(network, now).count(1, 0, now)
        known = self._seen.get(identity) if identity else None
        if known is None:
            self._arrived(now)
        if identity:
            # a user seen first in the first minutes of a process may have been here before
            first = now if known is None else known[0]
            if known is None and now - self._began < _YOUNG_FOR:
                first = now - _YOUNG_FOR
            self._seen[identity] = first, now
            self._seen.move_to_end(identity)
            self._sweep_seen(now)

    def lasting(self, identity: int, now: float) -> bool:
        """Whether a cookie was first seen at least a day ago, and never absent for a day since."""
        seen = self._seen.get(identity)
        return seen is not None and now - seen[0] >= DAY

    def ended(self, person: int, soon: bool, now: float) -> None:
        """Count a chat that ended; `soon`: the partner ended it within seconds of this person's first line."""
        known = self._persons.get(person)
        if known is None and soon:
            known = self._person(person, now)
        if known is not None and (soon or known.chats or known.linked > NEVER):
            known.chats.append((now, soon, known.linked > now - _LINKED_FOR))
            if len(known.chats) > LAST:
                del known.chats[0]
            known.linked = NEVER

    def linked(self, person: int, now: float) -> None:
        """Record a link or a contact in a line of the person in the current chat."""
        known = self._person(person, now)
        if known is not None:
            known.linked = now

    def opener(self, person: int, now: float) -> None:
        """Record that the person's first lines equal those of many others."""
        known = self._person(person, now)
        if known is not None:
            known.opener = now

    def swarmed(self, now: float) -> None:
        """Record that many chats begin with the same advert; each chat that does so prolongs the swarm."""
        self._swarm = now + _SWARM_FOR

    def reported(self, person: int, reporter: int, now: float) -> None:
        """Count a report by a reporter whose cookie is older than a day."""
        known = self._person(person, now)
        if known is not None and (reporter in known.reporters or len(known.reporters) < MOST_REPORTED):
            known.reporters[reporter] = now

    def barred(self, network: str, case: bytes, now: float) -> None:
        """Record that a user banned by this case uses, or used, this network; the first time counts. A full table accepts no more."""
        table = self._barred
        for _ in range(2):  # an idle table shrinks: expired entries are removed, two at a time
            first = next(iter(table), None)
            if first is None or table[first][0] > now - _BARRED_FOR:
                break
            del table[first]
        if network not in table and len(table) < self.most_networks:
            table[network] = now, case

    def lifted(self, case: bytes) -> None:
        """Remove the networks barred by this case, whose ban was lifted."""
        for network in [network for network, (_, by) in self._barred.items() if by == case]:
            del self._barred[network]

    # challenges

    def passed(self, person: int, level: int, now: float) -> bool:
        """Whether the person solved a challenge of this level or a higher one that is still valid."""
        known = self._persons.get(person)
        return known is not None and known.until > now and known.passed >= level

    def solved(self, person: int, level: int, seconds: float, now: float) -> None:
        """Record a solved challenge, valid for `seconds`."""
        known = self._person(person, now)
        if known is not None:
            known.passed, known.until = level, now + seconds

    def points(self, person: int, identity: int, network: str, now: float) -> int:
        """Count a search, and return the points of the person and the network."""
        known = self._network(network, now)
        known.count(0, 1, now)
        points = known.points(now) if known.crowded else 0
        return points + self._of_bans(network, now) + self._of(person, identity, now)

    def current_points(self, person: int, identity: int, network: str, now: float) -> int:
        """Return the points of the person and the network without counting a search."""
        known = self._networks.get(network)
        points = 0 if known is None else known.points(now)
        return points + self._of_bans(network, now) + self._of(person, identity, now)

    def _of_bans(self, network: str, now: float) -> int:
        if not self._barred:
            return 0
        barred = self._barred.get(network)
        return _BARRED_POINTS if barred is not None and barred[0] > now - _BARRED_FOR else 0

    def _of(self, person: int, identity: int, now: float) -> int:
        points = 0
        seen = self._seen.get(identity) if identity else None
        if seen is None or now - seen[0] < _YOUNG_FOR:
            points += _YOUNG_POINTS + _SWARM_POINTS if self._swarm > now else _YOUNG_POINTS
        conduct = self._persons.get(person)
        if conduct is not None:
            points += conduct.points(now)
        if self._daily.restricts(person, now):
            points += _DETECTED_POINTS
        return points + _RUSH_POINTS if self._rush > now else points

    # tables

    def _network(self, network: str, now: float) -> Network:
        """Return the entry of a network; if the table is full of entries with points, a temporary one."""
        table = self._networks
        known = table.get(network)
        if known is not None:
            table.move_to_end(network)
            return known
        known = Network(now)
        for _ in range(_LOOKS if len(table) >= self.most_networks else 2):
            if not table:
                break
            name, oldest = next(iter(table.items()))
            if oldest.points(now):
                table.move_to_end(name)
            elif len(table) >= self.most_networks or now - oldest.since >= _CROWDED_FOR:
                del table[name]
            else:
                break
        if len(table) < self.most_networks:
            table[network] = known
        return known

    def _person(self, person: int, now: float) -> Conduct | None:
        """Return the entry of a person; None if the table is full of entries with points."""
        table = self._persons
        known = table.get(person)
        if known is not None:
            table.move_to_end(person)
            return known
        for _ in range(_LOOKS if len(table) >= self.most_persons else 2):
            if not table:
                break
            who, oldest = next(iter(table.items()))
            if oldest.points(now) or (oldest.says(now) and len(table) < self.most_persons):
                table.move_to_end(who)
            else:
                del table[who]
        if len(table) >= self.most_persons:
            return None
        known = table[person] = Conduct()
        return known

    def _sweep_seen(self, now: float) -> None:
        """Drop the two cookies seen last the longest ago if they are a day old, or the table is full."""
        table = self._seen
        for _ in range(2):
            who, (_, last) = next(iter(table.items()))
            if len(table) <= self.most_persons and now - last < DAY:
                return
            del table[who]

    def _arrived(self, now: float) -> None:
        """Count a newcomer to the service."""
        minute = int((now - self._began) / 60.0)
        for late in range(self._minute + 1, min(minute, self._minute + _MINUTES) + 1):
            self._arrivals[late % _MINUTES] = 0
        self._minute = minute
        self._arrivals[minute % _MINUTES] += 1
        lately = self._arrivals[minute % _MINUTES]
        if lately >= RUSH_LEAST and minute >= RUSH_KNOWN:
            before = min(minute, _MINUTES - 1)
            if lately * before > RUSH * (sum(self._arrivals) - lately):
                self._rush = now + _RUSH_FOR

    def forget(self, person: int) -> None:
        """Delete the entry of a session without identity that ended."""
        self._persons.pop(person, None)

    # migration

    def leave(self, person: int, now: float, keep: bool) -> dict[str, Any] | None:
        """Export the entry of a migrating person, with ages for times; it is deleted here unless `keep`. None if the person has no entry."""
        known = self._persons.get(person) if keep else self._persons.pop(person, None)
        if known is None or not known.says(now):
            return None
        return {
            "reporters": [(who, now - at) for who, at in known.reporters.items()],
            "chats": [(now - at, int(soon), int(linked)) for at, soon, linked in known.chats],
            "linked": now - known.linked if known.linked > NEVER else -1.0,
            "opener": now - known.opener if known.opener > NEVER else -1.0,
            "passed": [known.passed, max(0.0, known.until - now)],
        }

    def enter(self, person: int, record: dict[str, Any], now: float) -> None:
        """Import an entry that `leave` exported; it replaces facts here that are fewer or older."""
        known = self._person(person, now)
        if known is None:
            return
        for who, age in record.get("reporters", ()):
            if len(known.reporters) < MOST_REPORTED:
                known.reporters[who] = max(known.reporters.get(who, 0.0), now - age)
        chats = [(now - age, bool(soon), bool(linked)) for age, soon, linked in record.get("chats", ())]
        if len(chats) >= len(
            known.chats
        ):  # else this process knows more: two connections of one person are in both processes
            known.chats = chats[-LAST:]
        for name in ("linked", "opener"):
            age = record.get(name, -1.0)
            if age >= 0:
                setattr(known, name, max(getattr(known, name), now - age))
        passed, left = record.get("passed", (0, 0.0))
        if passed >= known.passed and left > 0:
            known.passed, known.until = passed, now + left

    def rest(self, now: float) -> dict[str, list[Any]]:
        """Export all entries of persons, and the cookies seen, latest first."""
        rows = [(person, self.leave(person, now, keep=True)) for person in list(self._persons)]
        seen = [(identity, now - first, now - last) for identity, (first, last) in reversed(self._seen.items())]
        return {"conduct": [(person, record) for person, record in rows if record is not None], "seen": seen}

    def take_rest(self, rest: dict[str, Any], now: float) -> None:
        """Import a part of what `rest` exported."""
        for person, record in rest.get("conduct", ()):
            self.enter(person, record, now)
        for identity, first, last in rest.get("seen", ()):
            known = self._seen.get(identity)
            if known is not None:
                self._seen[identity] = min(known[0], now - first), max(known[1], now - last)
            elif len(self._seen) < self.most_persons:
                self._seen[identity] = now - first, now - last
                self._seen.move_to_end(identity, last=False)  # they were here before those that come now
