"""What goes into the waiting room and what comes out of it. Rule: plain data; the lobby alone touches what begins with `_`,
and `engine.matching.rooms` alone counts who waits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from engine.matching.thresholds import Arrivals
from engine.wire.protocol import DEFAULT_LANGUAGE, GOOD, STRANGER
from ext.match.interner import Ids

NEVER: Final = float("inf")  # a time
NO_HANDLE: Final = 0  # the index gives none such


class Pool(NamedTuple):
    """What two people must agree on."""

    mode: str = "text"
    language: str = DEFAULT_LANGUAGE
    role: str = STRANGER
    college: str = ""


class Ticket:
    """One person's wish; the lobby's once submitted. `recent` and `blocked` are persons; `blocked` is never lifted.

    `place`: where its person stays, who meets nobody that stays at another; 0: they go anywhere.
    """

    __slots__ = (
        "_due",
        "_fallen",
        "_handle",
        "_level",
        "_room",
        "_step",
        "also",
        "blocked",
        "client",
        "interests",
        "person",
        "place",
        "pool",
        "recent",
        "since",
        "strict",
    )

    def __init__(
        self,
        client: int,
        pool: Pool,
        interests: Ids | Sequence[int] = (),
        strict: bool = False,
        person: int = 0,
        recent: tuple[int, ...] = (),
        since: float = 0.0,
        *,
        blocked: tuple[int, ...] = (),
        also: tuple[Pool, ...] = (),
        place: int = 0,
    ) -> None:
        self.client = client
        self.pool = pool
        self.interests = interests
        self.strict = strict
        self.person = person
        self.recent = recent
        self.blocked = blocked
        self.also = also
        self.place = place
        self.since = since
        self._handle = NO_HANDLE
        self._level = GOOD
        self._fallen = 0
        self._due = NEVER  # the next look: a step of the level, or the floor falls
        self._step = NEVER
        self._room: Room  # where it waits

    def stand(self) -> tuple[int, float | None, int]:
        """What the lobby made of it: its level, when it takes the next step, how often its floor fell."""
        return self._level, None if self._step == NEVER else self._step, self._fallen

    def stood(self, level: int, step: float | None, fallen: int) -> None:
        """It stands so, having waited elsewhere (`Lobby.enter`)."""
        self._level, self._fallen = level, fallen
        self._step = NEVER if step is None else step


class Room:
    """One pool as the lobby sees it: its number in the matcher, its relatives, how many come and how many wait."""

    __slots__ = ("arrivals", "family", "fresh", "members", "number", "pool", "waiting")

    def __init__(self, pool: Pool, number: int, family: "Family") -> None:
        self.pool = pool
        self.number = number
        self.family = family
        self.arrivals = Arrivals()
        self.waiting = 0
        self.members: dict[int, Ticket] = {}  # who waits, in order of age; filled only where windows pair
        self.fresh = False  # somebody came since the last window


class Family:
    """All pools that differ by nothing but the language: how many wait in them, and in which of them the most."""

    __slots__ = ("any", "open", "sizes", "waiting")

    def __init__(self) -> None:
        self.any: Room | None = None  # the one of any language
        self.open = 0  # rooms
        self.waiting = 0
        self.sizes: list[dict[Room, None]] = [{}]  # at n those in which 2 ** (n - 1) wait, and fewer than twice as many

    def fullest(self, most: int, besides: Room) -> list[Room]:
        """At most so many of the rooms in which somebody waits, the fullest first: none is twice as full as one before it."""
        found: list[Room] = []
        for rooms in reversed(self.sizes):
            for room in rooms:
                if room is not besides:
                    found.append(room)
                    if len(found) == most:
                        return found
        return found

    def move(self, room: Room, size: int, to: int) -> None:
        """A room has grown or shrunk from one size to the next; 0: nobody waits in it."""
        if size:
            del self.sizes[size][room]
        if to:
            while len(self.sizes) <= to:
                self.sizes.append({})
            self.sizes[to][room] = None


@dataclass
class Match:
    """Two who meet: `a` asked, `b` waited. `common` rarest first; `rule` let them pass: good, any or anyone."""

    a: int
    b: int
    common: tuple[int, ...]
    weight: float
    waited_a: float
    waited_b: float
    rule: str


@dataclass
class Step:
    """What a ticket takes now, in how many seconds it takes more (None: never), whether other languages wait."""

    client: int
    accepts: str
    widens: float | None
    others: bool
