"""What goes into the waiting room and what comes out of it. Plain data; the lobby alone touches what begins with `_`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from engine.protocol import DEFAULT_LANGUAGE, GOOD, STRANGER
from ext.match.interner import Ids

if TYPE_CHECKING:
    from engine.matching.rooms import Room


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
