"""Define the data of the waiting room: tickets (one waiting user each), pools and rooms (tickets of one mode and language), matches and steps
(changes of a ticket's demands).

**Invariant:** plain data; only the lobby writes names that begin with `_`, and only `engine.matching.pool_counts` counts waiting users.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from engine.matching.thresholds import Arrivals
from engine.wire.protocol import DEFAULT_LANGUAGE, GOOD, STRANGER
from ext.match.interner import Ids

NEVER: Final = float("inf")  # as a time
NO_HANDLE: Final = 0  # the index assigns no such handle


class Pool(NamedTuple):
    """Properties that two partners must share."""

    mode: str = "text"
    language: str = DEFAULT_LANGUAGE
    role: str = STRANGER
    college: str = ""


class Waiter:
    """A waiting user. The hub sets their `worker`, the `number` of their ticket there, and the `ids` to release."""

    __slots__ = ("client", "ids", "number", "worker")

    client: int
    ids: Ids
    number: int
    worker: int


class Ticket(Waiter):
    """Search of one user; owned by the lobby once submitted. `recent` and `blocked` are persons; `blocked` is never lifted.

    `place`: placement group of the user, who is not matched with a user of another group; 0: matches all. `home`: the user's process or host, whose
    users are preferred; 0: unknown.
    """

    __slots__ = (
        "_due",
        "_fallen",
        "_handle",
        "_level",
        "_room",
        "_slot",
        "_step",
        "also",
        "blocked",
        "calls",
        "halves",
        "home",
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
        home: int = 0,
        halves: tuple[int, ...] = (),
        calls: int = 0,
    ) -> None:
        self.fill(client, pool, strict, person, recent, since, blocked, also)
        self.interests = interests
        self.place = place
        self.home = home
        self.halves = halves  # of kept pairs (`engine.matching.kept_pairs`)
        self.calls = calls  # the half whose other one is called; 0: none

    def fill(
        self,
        client: int,
        pool: Pool,
        strict: bool,
        person: int,
        recent: tuple[int, ...],
        since: float,
        blocked: tuple[int, ...],
        also: tuple[Pool, ...],
    ) -> None:
        """Set what the row of a ticket holds; all else as of a ticket that has not waited. For a new object, without the cost of its constructor."""
        self.client = client
        self.pool = pool
        self.interests = ()
        self.strict = strict
        self.person = person
        self.recent = recent
        self.blocked = blocked
        self.also = also
        self.place = 0
        self.home = 0
        self.halves = ()
        self.calls = 0
        self.since = since
        self._handle = NO_HANDLE
        self._level = GOOD
        self._fallen = 0
        self._slot = 0  # its place among the members of the room, from 1; 0: it does not gather
        self._due = NEVER  # next check: a step of the level, or the least weight falls
        self._step = NEVER
        self._room: Room  # the room in which it waits

    def progress(self) -> tuple[int, float | None, int]:
        """Return the progress made in the lobby: level, time of the next step, how often the least weight fell."""
        return self._level, None if self._step == NEVER else self._step, self._fallen

    def set_progress(self, level: int, step: float | None, fallen: int) -> None:
        """Set the progress made in another process (`Lobby.enter`)."""
        self._level, self._fallen = level, fallen
        self._step = NEVER if step is None else step


class Room:
    """One pool as the lobby sees it: its number in the index, its family, arrivals, number of waiting tickets and size class (`Family.sizes`)."""

    __slots__ = ("arrivals", "emptied", "family", "listed", "members", "number", "pairs_at", "pool", "size", "waiting")

    def __init__(self, pool: Pool, number: int, family: "Family") -> None:
        self.pool = pool
        self.number = number
        self.family = family
        self.arrivals = Arrivals()
        self.waiting = 0
        self.size = 0
        # waiting tickets that gather for a window, oldest first; None: one that left
        self.members: list[Ticket | None] = []
        self.pairs_at = NEVER  # when the window ends, if a newcomer entered since the last one
        self.emptied = NEVER  # when the last ticket left
        self.listed = False  # it is among those that may be closed (`PoolRooms`)


class Family:
    """All pools that differ only in language: how many wait in them, and in which the most."""

    __slots__ = ("any", "open", "sizes", "waiting")

    def __init__(self) -> None:
        self.any: Room | None = None  # the room of any language
        self.open = 0  # number of open rooms
        self.waiting = 0
        self.sizes: list[dict[Room, None]] = [
            {}
        ]  # at n: rooms in which at least 2 ** (n - 1) wait, and fewer than twice as many

    def fullest(self, most: int, besides: Room) -> list[Room]:
        """Return at most `most` rooms in which a ticket waits, fullest first: none is twice as full as one before it."""
        found: list[Room] = []
        for rooms in reversed(self.sizes):
            for room in rooms:
                if room is not besides:
                    found.append(room)
                    if len(found) == most:
                        return found
        return found

    def move(self, room: Room, size: int, to: int) -> None:
        """Move a room that grew or shrank from one size class to the next; 0: empty."""
        if size:
            del self.sizes[size][room]
        if to:
            while len(self.sizes) <= to:
                self.sizes.append({})
            self.sizes[to][room] = None


@dataclass
class Match:
    """Two partners: `a` searched, `b` waited. `common`: shared interests, rarest first; `rule`: good, any or anyone, which allowed it."""

    a: int
    b: int
    common: tuple[int, ...]
    weight: float
    waited_a: float
    waited_b: float
    rule: str


@dataclass
class Step:
    """Step of a ticket: whom it accepts now, in how many seconds it accepts more (None: never), whether users of other languages wait."""

    client: int
    accepts: str
    widens: float | None
    others: bool
