"""The waiting room: tickets come in, pairs go out; with time everybody gets less picky (rules 6 and 7 of the protocol).

The index (`ext.matcher`) finds; this module decides when to ask it. Sans-IO: the time is passed in, in seconds of one
monotonic clock, and nothing is called back. A clock that steps back is taken to stand still.
"""

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Final, NamedTuple

from engine.interests import InternFull, Spellings
from engine.thresholds import ACCEPTS, ANY, ANYONE, GOOD, Arrivals, Thresholds
from ext.interner import Interner
from ext.matcher import Matcher, MatcherError, MatcherFull, TooMany, UnknownInterest

MOST_INTERESTS: Final = 32  # protocol, `find`
MOST_AVOIDED: Final = 16  # persons in `recent` and in `blocked`: 4 of each kind are usual; more is somebody's error
ANY_LANGUAGE: Final = "*"
REASONS: Final = ("submitted", "matched", "cancelled", "expired", "deduplicated", "lost", "refused")
MOST_POOLS: Final = 15  # pools of other languages that a ticket of any language looks into, the fullest first


class Pool(NamedTuple):
    """What two people must agree on."""

    mode: str = "text"
    language: str = "en"
    role: str = "stranger"
    college: str = ""


class Ticket:
    """One person's wish; the lobby's once submitted. `recent` and `blocked` are persons; `blocked` is never lifted."""

    __slots__ = (
        "_due",
        "_handle",
        "_level",
        "_room",
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
        interests: tuple[int, ...] = (),
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
        self._due: float | None = None
        self._room: _Room


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


class _Room:
    """One pool as the lobby sees it."""

    __slots__ = ("arrivals", "family", "number", "pool")

    def __init__(self, pool: Pool, number: int, family: "list[_Room]") -> None:
        self.pool = pool
        self.number = number
        self.family = family  # all pools that differ by nothing but the language
        self.arrivals = Arrivals()


class Lobby:
    """See the module. Every method takes O(interests) steps beside the search."""

    def __init__(
        self,
        thresholds: Thresholds | None = None,
        *,
        most_interests: int = 1_000_000,
        most_tickets: int = 1_000_000,
        seed: int = 0,
    ) -> None:
        self.thresholds = thresholds or Thresholds()
        self.counts = dict.fromkeys(REASONS, 0)
        self._interner = Interner(most_interests)
        self._spellings = Spellings()
        self._matcher = Matcher(most_tickets, interner=self._interner, seed=seed)
        self._rooms: dict[Pool, _Room] = {}
        self._families: dict[Pool, list[_Room]] = {}
        self._tickets: dict[int, Ticket] = {}
        self._aside: dict[int, Ticket] = {}
        self._steps: list[tuple[float, int, Ticket]] = []  # due, a running number, who
        self._count = 0
        self._now = float("-inf")

    # words

    def intern(self, words: Sequence[str]) -> tuple[int, ...]:
        """Numbers of the words, in their order; one use of each is counted until `release`.

        Two spellings of one interest give the same number twice. Raises BadInterest, or InternFull where a word is new
        and the table full; then nothing is held.
        """
        keys = [self._spellings(word) for word in words]
        ids: list[int] = []
        for key in keys:
            id = self._interner.intern(key)
            if id < 0:
                self._interner.release(ids)
                raise InternFull("no room for another interest")
            ids.append(id)
        return tuple(ids)

    def release(self, ids: Sequence[int]) -> None:
        """Give back what `intern` counted; only for tickets that wait no more."""
        self._interner.release(ids)

    # tickets

    def submit(self, ticket: Ticket, now: float) -> Match | None:
        """Meet the best who waits, or wait. A client's second ticket replaces the first and keeps its age."""
        now = self._clock(now)
        interests = ticket.interests
        if len(interests) > 1 and len(set(interests)) != len(interests):
            interests = ticket.interests = tuple(dict.fromkeys(interests))
        if len(interests) > MOST_INTERESTS or len(ticket.recent) > MOST_AVOIDED:
            self.counts["refused"] += 1
            raise TooMany("a ticket has too many interests or persons to avoid")
        if len(ticket.blocked) > MOST_AVOIDED:
            ticket.blocked = ticket.blocked[-MOST_AVOIDED:]
        client = ticket.client
        old = self._tickets.pop(client, None) or self._aside.pop(client, None)
        if old is not None:
            ticket.since = min(ticket.since, old.since)
            self._forget(old)
            self.counts["deduplicated"] += 1
        room = self._rooms.get(ticket.pool) or self._open(ticket.pool)
        ticket._room = room
        if old is None:
            room.arrivals.add(now)
            self.counts["submitted"] += 1
        return self._enter(ticket, now)

    def cancel(self, client: int, now: float, reason: str = "cancelled") -> bool:
        """Stop waiting, for one of REASONS; whether the client did wait."""
        self._clock(now)
        ticket = self._tickets.pop(client, None) or self._aside.pop(client, None)
        if ticket is None:
            return False
        self._forget(ticket)
        self.counts[reason] += 1
        return True

    def set_aside(self, client: int, now: float) -> bool:
        """The connection dropped: nobody meets this client until `restore`; the age goes on."""
        self._clock(now)
        ticket = self._tickets.pop(client, None)
        if ticket is None:
            return False
        self._forget(ticket)
        self._aside[client] = ticket
        return True

    def restore(self, client: int, now: float) -> Match | None:
        """The connection is back: wait on, as picky as the age allows, or meet somebody at once."""
        now = self._clock(now)
        ticket = self._aside.pop(client, None)
        return None if ticket is None else self._enter(ticket, now)

    def advance(self, now: float) -> tuple[list[Match], list[Step]]:
        """Take the steps that are due: who meets somebody by it, and who waits on and accepts more than before."""
        now = self._clock(now)
        matches: list[Match] = []
        steps: list[Step] = []
        heap = self._steps
        while heap and heap[0][0] <= now:
            due, _, ticket = heappop(heap)
            if ticket._due != due:
                continue
            before = ACCEPTS[ticket._level]
            self._settle(ticket, now)
            exact = now - ticket.since >= self.thresholds.exact_after
            found = self._matcher.retry(
                ticket._handle, ticket._level, self._quiet(ticket._room, now), self._also(ticket), exact
            )
            if found is not None:
                ticket._handle = -1
                del self._tickets[ticket.client]
                ticket._due = None
                matches.append(self._match(ticket, found, now))
                continue
            if ticket._due is not None:
                self._push(ticket, ticket._due)
            if ACCEPTS[ticket._level] != before:
                steps.append(self._step(ticket, now))
        return matches, steps

    def due(self) -> float | None:
        """When `advance` has something to do next; None: never. May be early, never late."""
        heap = self._steps
        while heap and heap[0][2]._due != heap[0][0]:
            heappop(heap)
        return heap[0][0] if heap else None

    def status(self, client: int, now: float) -> Step | None:
        """How a waiting client stands; None where it does not wait (or is set aside)."""
        ticket = self._tickets.get(client)
        return None if ticket is None else self._step(ticket, self._clock(now))

    def waiting(self, pool: Pool) -> int:
        """How many wait in a pool, those set aside left out."""
        room = self._rooms.get(pool)
        return 0 if room is None else self._matcher.waiting(room.number)

    def figures(self) -> dict[str, int]:
        """The index in numbers: what it holds and how much work it did (`Matcher.counts`, `Matcher.memory`)."""
        memory = self._matcher.memory()
        return {
            **self._matcher.counts(),
            "interests": len(self._interner),
            "bytes": memory["total"],
            "pools": len(self._rooms),
            "aside": len(self._aside),
        }

    def sizes(self) -> dict[Pool, int]:
        """How many wait, by pool."""
        return {pool: self._matcher.waiting(room.number) for pool, room in self._rooms.items()}

    # inner

    def _clock(self, now: float) -> float:
        if now > self._now:
            self._now = now
        return self._now

    def _open(self, pool: Pool) -> _Room:
        family = self._families.setdefault(pool._replace(language=ANY_LANGUAGE), [])
        room = self._rooms[pool] = _Room(pool, self._matcher.pool(), family)
        family.append(room)
        return room

    def _push(self, ticket: Ticket, due: float) -> None:
        self._count += 1
        heappush(self._steps, (due, self._count, ticket))

    def _forget(self, ticket: Ticket) -> None:
        if ticket._handle >= 0:
            self._matcher.remove(ticket._handle)
            ticket._handle = -1
        ticket._due = None

    def _quiet(self, room: _Room, now: float) -> bool:
        room.arrivals.expire(now)
        return room.arrivals.total < self.thresholds.quiet_below

    def _also(self, ticket: Ticket) -> tuple[int, ...]:
        """The other pools that this ticket looks into: the one of any language; all, where it takes any language."""
        family = ticket._room.family
        rooms = [self._rooms[pool] for pool in ticket.also if pool in self._rooms]
        if len(family) > 1:
            own = ticket._room
            if own.pool.language == ANY_LANGUAGE:
                others = [room for room in family if room is not own and self._matcher.waiting(room.number)]
                others.sort(key=lambda room: -self._matcher.waiting(room.number))
                rooms += others[:MOST_POOLS]
            else:
                rooms += [room for room in family if room.pool.language == ANY_LANGUAGE]
        return tuple(room.number for room in rooms)

    def _enter(self, ticket: Ticket, now: float) -> Match | None:
        ticket._level = GOOD if ticket.interests else ANYONE
        ticket._due = None
        due = self._settle(ticket, now, first=True)
        room = ticket._room
        try:
            found = self._matcher.submit(
                ticket.client,
                room.number,
                ticket.interests,
                ticket._level,
                ticket.since,
                ticket.person,
                ticket.recent,
                ticket.blocked,
                self._quiet(room, now),
                self._also(ticket),
            )
        except MatcherError:
            self.counts["refused"] += 1
            raise
        if not isinstance(found, int):
            return self._match(ticket, found, now)
        ticket._handle = found
        self._tickets[ticket.client] = ticket
        if due is not None:
            self._push(ticket, due)
        return None

    def _settle(self, ticket: Ticket, now: float, first: bool = False) -> float | None:
        """Bring level and next step to what the age allows; returns when the next is due."""
        rules = self.thresholds
        rate = ticket._room.arrivals.rate(now)
        if first:
            ticket._due = ticket.since + (rules.any_at(rate) if ticket.interests else rules.lift_after)
        while ticket._due is not None and ticket._due <= now:
            if ticket.strict and ticket._level == ANY:
                ticket._due = None
                break
            ticket._level += 1
            if ticket._level == ANY:
                ticket._due = ticket.since + (rules.exact_after if ticket.strict else rules.anyone_at(rate))
            elif ticket._level == ANYONE:
                ticket._due = ticket._due + rules.lift_after
            else:
                ticket._due = None
        return ticket._due

    def _match(self, ticket: Ticket, found: tuple[int, tuple[int, ...], float, float, str], now: float) -> Match:
        other, common, weight, since, rule = found
        partner = self._tickets.pop(other)
        partner._handle = -1
        partner._due = None
        self.counts["matched"] += 2
        return Match(ticket.client, other, common, weight, max(0.0, now - ticket.since), max(0.0, now - since), rule)

    def _step(self, ticket: Ticket, now: float) -> Step:
        level = ticket._level
        widens = (
            None
            if ticket._due is None or level >= ANYONE or (ticket.strict and level == ANY)
            else max(0.0, ticket._due - now)
        )
        own = ticket._room
        others = any(room is not own and self._matcher.waiting(room.number) for room in own.family)
        return Step(ticket.client, ACCEPTS[level], widens, others)


__all__ = ["Lobby", "Match", "MatcherError", "MatcherFull", "Pool", "Step", "Ticket", "TooMany", "UnknownInterest"]
