"""Friction: what was counted of a person and a network that speaks for a challenge before the next search. Rule: pure, bounded, in memory.

A fact is a row of FACTS: it stands for its seconds, then it is gone; points are added up when somebody searches, and no sum is kept. A person
is `Session.person`. What is known of one goes along to another process; networks are counted by each process by itself.
Using a right of privacy is no fact.
"""

from collections import OrderedDict
from typing import Any, Final, NamedTuple


class Fact(NamedTuple):
    """`points` while it stands, for `seconds` after what brought it."""

    points: int
    seconds: float


FACTS: Final = {
    "young": Fact(1, 600.0),  # no cookie, or one first seen so lately
    "reported": Fact(2, 86_400.0),  # each person with a lasting cookie who reported them; MOST_REPORTED at most
    "ended": Fact(2, 600.0),  # most of the last chats were ended by the partner soon after the person's first line
    "linked": Fact(2, 3_600.0),  # a link or a contact in several of the last chats
    "opener": Fact(3, 3_600.0),  # their first lines are those of many others
    "crowded": Fact(2, 60.0),  # many connections or searches of the network
    "barred": Fact(2, 604_800.0),  # somebody of that network is banned
    "rush": Fact(1, 60.0),  # newcomers to the service, far beyond what is usual
}
MOST_REPORTED: Final = 4  # points: reports alone never lead beyond level 2
LAST: Final = 10  # chats that are looked back at
ENDED: Final = 6  # of them, ended so
LINKED: Final = 3  # of them, with a link or a contact
CONNECTS: Final = 20  # of a network in a minute
FINDS: Final = 30  # of a network in a minute
RUSH: Final = 3  # times the mean of the hour
RUSH_LEAST: Final = 60  # newcomers in a minute below which no service is in a rush
RUSH_KNOWN: Final = 10  # minutes after which a mean means something
REFUSED: Final = 4  # the level at which no challenge helps
DAY: Final = 86_400.0
NEVER: Final = -1e9  # when something was that never was
# of FACTS, for who asks with each search
_REPORTED_POINTS, _REPORTED_FOR = FACTS["reported"]
_ENDED_POINTS, _ENDED_FOR = FACTS["ended"]
_LINKED_POINTS, _LINKED_FOR = FACTS["linked"]
_OPENER_POINTS, _OPENER_FOR = FACTS["opener"]
_CROWDED_POINTS, _CROWDED_FOR = FACTS["crowded"]
_BARRED_POINTS, _BARRED_FOR = FACTS["barred"]
_YOUNG_POINTS, _YOUNG_FOR = FACTS["young"]
_RUSH_POINTS, _RUSH_FOR = FACTS["rush"]
_LEVELS: Final = (0, 0, 1, 1, 2, 2, 3, 3, 3)  # by points
_LOOKS: Final = 8  # entries looked at to make room for one
_MINUTES: Final = 60


def level_of(points: int) -> int:
    """0: no challenge; 1 to 3: that one; REFUSED."""
    return _LEVELS[points] if points < len(_LEVELS) else REFUSED


def retry_after(points: int) -> int:
    """Seconds for whom no challenge helps: 60, doubled with each further point, 600 at most."""
    return min(600, 60 << max(0, points - len(_LEVELS)))


class Conduct:
    """What was counted of one person."""

    __slots__ = ("chats", "linked", "opener", "passed", "reporters", "until")

    def __init__(self) -> None:
        self.reporters: dict[int, float] = {}  # when each reported them last
        self.chats: list[
            tuple[float, bool, bool]
        ] = []  # the last ones: when it ended, whether soon, whether with a link
        self.linked = NEVER  # when a link came in the present chat
        self.opener = NEVER  # when their first lines were last those of many
        self.passed = 0  # the level of the challenge that they solved
        self.until = 0.0  # that it is good

    def points(self, now: float) -> int:
        """Of the facts that stand; those that do not are dropped."""
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
        """Whether anything stands, points or not."""
        return self.points(now) > 0 or bool(self.chats) or self.until > now


class Network:
    """What was counted of one network: connections and searches of a minute."""

    __slots__ = ("connects", "crowded", "finds", "since")

    def __init__(self, now: float) -> None:
        self.since = now
        self.connects = 0
        self.finds = 0
        self.crowded = 0.0  # until when

    def count(self, connects: int, finds: int, now: float) -> None:
        """So many more."""
        if now - self.since >= _CROWDED_FOR:
            self.since, self.connects, self.finds = now, 0, 0
        self.connects += connects
        self.finds += finds
        if self.connects >= CONNECTS or self.finds >= FINDS:
            self.crowded = now + _CROWDED_FOR

    def points(self, now: float) -> int:
        """Of the facts that stand."""
        return _CROWDED_POINTS if self.crowded > now else 0


class Friction:
    """All that is counted. `persons`, `networks`: how many are remembered at most; those idle for longest go first, whoever has points stays."""

    __slots__ = (
        "_arrivals",
        "_barred",
        "_began",
        "_minute",
        "_networks",
        "_persons",
        "_rush",
        "_seen",
        "most_networks",
        "most_persons",
    )

    def __init__(self, persons: int = 200_000, networks: int = 200_000) -> None:
        self.most_persons = persons
        self.most_networks = networks
        self._seen: OrderedDict[int, tuple[float, float]] = OrderedDict()  # identity: first and last seen
        self._persons: OrderedDict[int, Conduct] = OrderedDict()
        self._networks: OrderedDict[str, Network] = OrderedDict()
        self._barred: OrderedDict[str, tuple[float, bytes]] = (
            OrderedDict()
        )  # by network: since when, by which case; the oldest first
        self._began = -1.0  # the first event; before it nobody was seen
        self._minute = 0  # the present one, counted from there
        self._arrivals = [0] * _MINUTES  # newcomers by minute of the last hour
        self._rush = 0.0  # until when

    def __len__(self) -> int:
        return len(self._seen) + len(self._persons) + len(self._networks) + len(self._barred)

    # facts

    def opened(self, identity: int, network: str, now: float) -> None:
        """A connection; `identity` 0: without a cookie."""
        if self._began < 0:
            self._began = now
        self._network(network, now).count(1, 0, now)
        known = self._seen.get(identity) if identity else None
        if known is None:
            self._arrived(now)
        if identity:
            # who comes first in the first minutes of a process may have been here before it
            first = now if known is None else known[0]
            if known is None and now - self._began < _YOUNG_FOR:
                first = now - _YOUNG_FOR
            self._seen[identity] = first, now
            self._seen.move_to_end(identity)
            self._sweep_seen(now)

    def lasting(self, identity: int, now: float) -> bool:
        """Whether a cookie was here a day ago already, and never gone for a day since."""
        seen = self._seen.get(identity)
        return seen is not None and now - seen[0] >= DAY

    def ended(self, person: int, soon: bool, now: float) -> None:
        """A chat of the person is over; `soon`: the partner ended it within seconds of the person's first line."""
        known = self._persons.get(person)
        if known is None and soon:
            known = self._person(person, now)
        if known is not None and (soon or known.chats or known.linked > NEVER):
            known.chats.append((now, soon, known.linked > now - _LINKED_FOR))
            if len(known.chats) > LAST:
                del known.chats[0]
            known.linked = NEVER

    def linked(self, person: int, now: float) -> None:
        """A line of the person's in the present chat holds a link or a contact."""
        known = self._person(person, now)
        if known is not None:
            known.linked = now

    def opener(self, person: int, now: float) -> None:
        """The person's first lines are those of many others' chats."""
        known = self._person(person, now)
        if known is not None:
            known.opener = now

    def reported(self, person: int, reporter: int, now: float) -> None:
        """Somebody whose cookie is older than a day reported the person."""
        known = self._person(person, now)
        if known is not None and (reporter in known.reporters or len(known.reporters) < MOST_REPORTED):
            known.reporters[reporter] = now

    def barred(self, network: str, case: bytes, now: float) -> None:
        """Somebody who is banned by this case is there, or came from there; the first time counts. A full table takes nobody in."""
        table = self._barred
        for _ in range(2):  # an idle table shrinks: what stands no more goes, two at a time
            first = next(iter(table), None)
            if first is None or table[first][0] > now - _BARRED_FOR:
                break
            del table[first]
        if network not in table and len(table) < self.most_networks:
            table[network] = now, case

    def lifted(self, case: bytes) -> None:
        """A ban of this case was taken back: networks that it barred are barred no more."""
        for network in [network for network, (_, by) in self._barred.items() if by == case]:
            del self._barred[network]

    # challenges

    def passed(self, person: int, level: int, now: float) -> bool:
        """Whether they solved a challenge of that level or a higher one, and it is good still."""
        known = self._persons.get(person)
        return known is not None and known.until > now and known.passed >= level

    def solved(self, person: int, level: int, seconds: float, now: float) -> None:
        """They solved one: good for so long."""
        known = self._person(person, now)
        if known is not None:
            known.passed, known.until = level, now + seconds

    def points(self, person: int, identity: int, network: str, now: float) -> int:
        """Of somebody who searches, which counts."""
        known = self._network(network, now)
        known.count(0, 1, now)
        points = known.points(now) if known.crowded else 0
        return points + self._of_bans(network, now) + self._of(person, identity, now)

    def stands(self, person: int, identity: int, network: str, now: float) -> int:
        """As `points`, and nothing counts."""
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
            points += _YOUNG_POINTS
        conduct = self._persons.get(person)
        if conduct is not None:
            points += conduct.points(now)
        return points + _RUSH_POINTS if self._rush > now else points

    # tables

    def _network(self, network: str, now: float) -> Network:
        """The entry of a network; where the table is full of those with points, one that is not remembered."""
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
        """The entry of a person; None where the table is full of those with points."""
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
        """Looks at the two who were seen last the longest ago: a day at most."""
        table = self._seen
        for _ in range(2):
            who, (_, last) = next(iter(table.items()))
            if len(table) <= self.most_persons and now - last < DAY:
                return
            del table[who]

    def _arrived(self, now: float) -> None:
        """One more newcomer to the service."""
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
        """A session without identity is over."""
        self._persons.pop(person, None)

    # from and to another process

    def leave(self, person: int, now: float, keep: bool) -> dict[str, Any] | None:
        """What goes with a person, by age; forgotten here unless `keep`. None: nothing was counted."""
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
        """What `leave` gave elsewhere, in the place of what is known here where that says less."""
        known = self._person(person, now)
        if known is None:
            return
        for who, age in record.get("reporters", ()):
            if len(known.reporters) < MOST_REPORTED:
                known.reporters[who] = max(known.reporters.get(who, 0.0), now - age)
        chats = [(now - age, bool(soon), bool(linked)) for age, soon, linked in record.get("chats", ())]
        if len(chats) >= len(known.chats):  # else this process knows more: two of one person's connections are in both
            known.chats = chats[-LAST:]
        for name in ("linked", "opener"):
            age = record.get(name, -1.0)
            if age >= 0:
                setattr(known, name, max(getattr(known, name), now - age))
        passed, left = record.get("passed", (0, 0.0))
        if passed >= known.passed and left > 0:
            known.passed, known.until = passed, now + left

    def rest(self, now: float) -> dict[str, list[Any]]:
        """Of everybody of whom something was counted: person, and what `leave` says; and which cookies were seen, the latest first."""
        rows = [(person, self.leave(person, now, keep=True)) for person in list(self._persons)]
        seen = [(identity, now - first, now - last) for identity, (first, last) in reversed(self._seen.items())]
        return {"conduct": [(person, record) for person, record in rows if record is not None], "seen": seen}

    def take_rest(self, rest: dict[str, Any], now: float) -> None:
        """A piece of what `rest` gave elsewhere."""
        for person, record in rest.get("conduct", ()):
            self.enter(person, record, now)
        for identity, first, last in rest.get("seen", ()):
            known = self._seen.get(identity)
            if known is not None:
                self._seen[identity] = min(known[0], now - first), max(known[1], now - last)
            elif len(self._seen) < self.most_persons:
                self._seen[identity] = now - first, now - last
                self._seen.move_to_end(identity, last=False)  # they were here before those who come now
