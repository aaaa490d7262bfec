"""What goes into the waiting room and what comes out of it. Rule: plain data; the lobby alone touches what begins with `_`."""

from collections.abc import Sequence
from typing import NamedTuple

from engine.matching.thresholds import Arrivals
from engine.protocol import DEFAULT_LANGUAGE, GOOD, STRANGER
from ext.match.interner import Ids


class Pool(NamedTuple):
    """What two people must agree on."""

    mode: str = "text"
    language: str = DEFAULT_LANGUAGE
    role: str = STRANGER
    college: str = ""


class Ticket:
    """One person's wish; the lobby's once submitted. `recent` and `blocked` are persons; `blocked` is never lifted."""

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
    ) -> None:
        self.client = client
        self.pool = pool
        self.interests = interests
        self.strict = strict
        self.person = person
        self.recent = recent
        self.blocked = blocked
        self.also = also
        self.since = since
        self._handle = -1
        self._level = GOOD
        self._fallen = 0
        self._due: float | None = None  # the next look: a step of the level, or the floor falls
        self._step: float | None = None
        self._room: Room  # where it waits


class Room:
    """One pool as the lobby sees it: its number in the matcher, its relatives, how many come."""

    __slots__ = ("arrivals", "family", "fresh", "members", "number", "pool")

    def __init__(self, pool: Pool, number: int, family: "list[Room]") -> None:
        self.pool = pool
        self.number = number
        self.family = family  # all pools that differ by nothing but the language
        self.arrivals = Arrivals()
        self.members: dict[int, Ticket] = {}  # who waits, in order of age; filled only where windows pair
        self.fresh = False  # somebody came since the last window


class Match(NamedTuple):
    """Two who meet: `a` asked, `b` waited. `common` rarest first; `rule` let them pass: good, any or anyone."""

    a: int
    b: int
    common: tuple[int, ...]
    weight: float
    waited_a: float
    waited_b: float
    rule: str


class Step(NamedTuple):
    """What a ticket takes now, in how many seconds it takes more (None: never), whether other languages wait."""

    client: int
    accepts: str
    widens: float | None
    others: bool
