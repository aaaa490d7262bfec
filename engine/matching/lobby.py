"""Match waiting tickets in pairs: the waiting room for two-person chats. A ticket accepts more partners the longer it waits.

The index in `ext.match.matcher` finds partners; this module decides when to query it.
**Invariant:** no I/O, no callbacks; times are arguments, in seconds of one monotonic clock.
"""

# The pace is that of docs/protocol.md, rules 6 and 7. If the clock moves back, time counts as unchanged.

from typing import Final

from engine.matching.interest_numbers import Vocabulary
from engine.matching.pool_counts import PoolRooms
from engine.matching.thresholds import Thresholds
from engine.matching.tickets import NEVER, NO_HANDLE, Match, Pool, Room, Step, Ticket
from engine.matching.window_pairing import EndedWindow
from engine.wire.protocol import ACCEPTS, ANY, ANYONE, GOOD, INTERESTS_MAX
from ext.base.id_map import IdMap
from ext.match.due_heap import DueHeap
from ext.match.errors import MatcherError, MatcherFull, TooMany, UnknownInterest
from ext.match.interner import Ids
from ext.match.matcher import Matcher

MOST_AVOIDED: Final = 16  # persons in `recent` and in `blocked`: 4 of each kind are usual; more is a caller's error
REASONS: Final = ("submitted", "matched", "cancelled", "expired", "deduplicated", "lost", "refused")
PAIR_STEPS: Final = 8  # of the work of a turn: the two get a chat
SEARCH_TICKETS: Final = 48  # examined per search below `exact_after`: about 4 us; later steps examine more
ALL: Final = 65_535  # as a least weight: both asked for the same, so that no better partner can come
# these with an underscore are numbers of C in the compiled module, which no other module sees
_MOST_INTERESTS: Final = INTERESTS_MAX
_MOST_AVOIDED: Final = MOST_AVOIDED
MOST_POOLS: Final = 15  # pools of other languages that a ticket of any language searches, the fullest first


class Lobby(Vocabulary):
    """Tickets that wait, and the index over them. Every method takes O(interests) steps besides the search."""

    def __init__(
        self,
        thresholds: Thresholds | None = None,
        *,
        most_interests: int = 1_000_000,
        most_tickets: int = 1_000_000,
        seed: int = 0,
    ) -> None:
        super().__init__(most_interests)
        self.thresholds = thresholds or Thresholds()
        self._counts = dict.fromkeys(REASONS, 0)
        self._submitted = self._matched = 0  # beside the table, since numbers take a tenth of its instructions
        self._matcher = Matcher(
            most_tickets, interner=self._interner, seed=seed, most_tickets=SEARCH_TICKETS, near=self.thresholds.near
        )
        self._rooms = PoolRooms(self._matcher.pool)
        self._tickets: IdMap[Ticket] = IdMap()
        self._aside: IdMap[Ticket] = IdMap()
        self._agenda = (
            DueHeap()
        )  # tickets by the time of their next step; an entry is valid while it equals the ticket's own
        self._window = NEVER  # when the first window ends
        self._fresh: list[Room] = []  # rooms in which newcomers gather for a window
        self._ended: EndedWindow | None = None  # a window whose pairs are being taken
        self._now = float("-inf")

    # tickets

    def submit(self, ticket: Ticket, now: float) -> Match | None:
        """Match a ticket with the best waiting one, or let it wait. A second ticket of a client replaces the first and keeps its age."""
        now = self._clock(now)
        interests = ticket.interests
        if isinstance(interests, Ids):
            ids = interests
            interests = ticket.interests = ids.unique()
        elif len(set(interests)) != len(interests):
            interests = ticket.interests = tuple(dict.fromkeys(interests))
        if len(interests) > _MOST_INTERESTS or len(ticket.recent) > _MOST_AVOIDED:
            self.count("refused")
            raise TooMany("a ticket has too many interests or persons to avoid")
        if len(ticket.blocked) > _MOST_AVOIDED:
            ticket.blocked = ticket.blocked[-_MOST_AVOIDED:]
        client = ticket.client
        old = self._tickets.pop(client)
        if old is None:
            old = self._aside.pop(client)
        if old is not None:
            ticket.since = min(ticket.since, old.since)
            self._forget(old)
            self.count("deduplicated")
        room = ticket._room = self._rooms.of(ticket.pool, now)
        if old is None:
            room.arrivals.add(now)
            self._submitted += 1
        return self._enter(ticket, now)

    def cancel(self, client: int, now: float, reason: str = "cancelled") -> bool:
        """Remove the client's ticket, for one of REASONS. Return whether it had one."""
        self._clock(now)
        ticket = self._tickets.pop(client) or self._aside.pop(client)
        if ticket is None:
            return False
        self._forget(ticket)
        self.count(reason)
        return True

    def set_aside(self, client: int, now: float) -> bool:
        """Hold the ticket of a client whose connection dropped: it is not matched until `restore`, and its age grows."""
        self._clock(now)
        ticket = self._tickets.pop(client)
        if ticket is None:
            return False
        self._forget(ticket)
        self._aside.put(client, ticket)
        return True

    def restore(self, client: int, now: float) -> Match | None:
        """Let the ticket of a client that is back wait again, at the level of its age; it may be matched at once."""
        now = self._clock(now)
        ticket = self._aside.pop(client)
        if ticket is None:
            return None
        ticket._room = self._rooms.of(ticket.pool, now)  # a new room, if its room was closed meanwhile
        return self._enter(ticket, now)

    def advance(self, now: float, most: int | None = None) -> tuple[list[Match], list[Step]]:
        """Take the steps that are due, at most `most`: return the matches, and the tickets that accept more than before.

        A pair of a window counts as PAIR_STEPS steps, and with `most` one window is ended at most.
        """
        now = self._clock(now)
        self._rooms.expire(now)
        matches: list[Match] = []
        steps: list[Step] = []
        if self._window <= now:
            self._pair(matches, now, -1 if most is None else max(1, most // PAIR_STEPS))
            if most is not None:
                most = max(0, most - PAIR_STEPS * len(matches))
        agenda = self._agenda
        while (due := agenda.due()) <= now and most != 0:
            ticket = self._tickets.get(agenda.client())
            agenda.drop()
            if ticket is None or ticket._due != due:
                continue
            if most is not None:
                most -= 1
            before = ACCEPTS[ticket._level]
            self._settle(ticket, ticket._room.arrivals.rate(now), now)
            exact = now - ticket.since >= self.thresholds.exact_after
            found = self._matcher.retry(
                ticket._handle,
                ticket._level,
                self._quiet(ticket._room, now),
                self._also(ticket),
                exact,
                ALL if ticket._level == GOOD and ticket._slot else self._floor(ticket),
            )
            if found is not None:
                self._tickets.pop(ticket.client)
                self._out(ticket)
                matches.append(self._match(ticket, found, now))
                continue
            agenda.push(ticket._due, ticket.client)
            if ACCEPTS[ticket._level] != before:
                steps.append(self._step(ticket, now))
        return matches, steps

    def due(self) -> float | None:
        """Return when `advance` has work next; None: never. May be early, never late."""
        due = self._next()
        return None if due == NEVER else due

    def _next(self) -> float:
        """Return the same; NEVER: never."""
        agenda = self._agenda
        while (due := agenda.due()) != NEVER:
            ticket = self._tickets.get(agenda.client())
            if ticket is not None and ticket._due == due:
                break
            agenda.drop()
        empty = self._rooms.due()
        if empty < due:
            due = empty
        return self._window if self._window < due else due

    def status(self, client: int, now: float) -> Step | None:
        """Return the step of a waiting client; None if it does not wait or is set aside."""
        ticket = self._tickets.get(client)
        return None if ticket is None else self._step(ticket, self._clock(now))

    def waiting(self, client: int) -> Ticket | None:
        """Return the client's ticket, if it waits and is not set aside."""
        return self._tickets.get(client)

    @property
    def counts(self) -> dict[str, int]:
        """Number of tickets by outcome (REASONS)."""
        counts = dict(self._counts)
        counts["submitted"] += self._submitted
        counts["matched"] += self._matched
        return counts

    def count(self, reason: str, tickets: int = 1) -> None:
        """Count tickets by one of REASONS."""
        self._counts[reason] += tickets

    def figures(self) -> dict[str, int]:
        """Return sizes of the index and its work so far (`Matcher.counts`, `Matcher.memory`)."""
        memory = self._matcher.memory()
        return {
            **self._matcher.counts(),
            "interests": len(self._interner),
            "bytes": memory["total"],
            "pools": len(self._rooms),
            "aside": len(self._aside),
        }

    def sizes(self) -> dict[Pool, int]:
        """Return how many wait, by pool, without those set aside."""
        return self._rooms.sizes()

    # migration

    def leave(self, client: int, now: float) -> tuple[Ticket, bool] | None:
        """Remove a ticket that migrates, uncounted. Return it and whether it was set aside; None: there is no ticket."""
        self._clock(now)
        ticket = self._tickets.pop(client)
        if ticket is not None:
            self._forget(ticket)
            return ticket, False
        ticket = self._aside.pop(client)
        return None if ticket is None else (ticket, True)

    def enter(self, ticket: Ticket, aside: bool, now: float) -> Match | None:
        """Add a ticket that migrated here, with its age and level (`Ticket.set_progress`); it may be matched at once.

        It does not count as an arrival. A step that is due is taken and reported by `advance`. Raises MatcherFull.
        """
        now = self._clock(now)
        if aside:
            self._aside.put(ticket.client, ticket)
            return None
        ticket._room = self._rooms.of(ticket.pool, now)
        if ticket._level == GOOD and ticket._step == NEVER:  # no lobby had it: it left a worker before the hub's answer
            return self._enter(ticket, now)
        if not ticket.interests:
            ticket._level = max(ticket._level, ANYONE)  # none of its words was accepted here, for lack of room
        rules, due, rate = self.thresholds, ticket._step, ticket._room.arrivals.rate(now)
        if ticket._fallen < rules.falls:
            fall = ticket.since + rules.fall_at(ticket._fallen, rate)
            due = min(due, fall)
        ticket._due = due
        return self._look(ticket, rate, now)

    def clients(self) -> list[int]:
        """Return the waiting clients, longest wait first, then those that are set aside."""
        waiting, aside = [sorted(tickets.values(), key=_age_of) for tickets in (self._tickets, self._aside)]
        return [ticket.client for ticket in [*waiting, *aside]]

    def pace(self, now: float) -> list[tuple[Pool, list[int]]]:
        """Export the recent arrivals, by pool (`Arrivals.lately`); thresholds depend on them."""
        return self._rooms.pace(self._clock(now))

    def take_pace(self, pool: Pool, lately: list[int], now: float) -> None:
        """Import the recent arrivals of a pool from another process. Raises MatcherFull."""
        now = self._clock(now)
        self._rooms.of(pool, now).arrivals.add_lately(lately, now)

    # internal

    def _clock(self, now: float) -> float:
        if now > self._now:
            self._now = now
        return self._now

    def _pair(self, matches: list[Match], now: float, most: int) -> None:
        """End the windows that are due and take their pairs: at most `most` pairs, and one window; -1: all."""
        limited = most >= 0
        while self._ended is not None or self._end_window(now):
            while self._ended and most:
                self._take_pair(self._ended, matches, now)
                most -= 1
            if self._ended:
                return  # the rest in the next turn
            self._ended = None
            if limited:
                break
        self._window = min([room.pairs_at for room in self._fresh], default=NEVER)

    def _end_window(self, now: float) -> bool:
        """Pair all tickets that gathered in a pool, if a window is due."""
        for room in self._fresh:
            if room.pairs_at <= now:
                break
        else:
            return False
        self._fresh.remove(room)
        room.pairs_at = NEVER
        rules = self.thresholds
        rate = room.arrivals.rate(now)
        any_since = now - rules.any_in_window(rate)
        gathered = [ticket for ticket in room.members if ticket is not None]
        _number(gathered)
        room.members = [*gathered]
        self._ended = EndedWindow(gathered, self._interner.weight, self._quiet(room, now), any_since, rules.near)
        if not rules.window_at(rate):
            self._scatter(room, now)
        return True

    def _take_pair(self, ended: EndedWindow, matches: list[Match], now: float) -> None:
        """Match the next pair, unless one of the two left or was matched in an earlier turn."""
        pair = ended.next(self._tickets)
        if pair is None:
            return
        a, b, common, weight, good = pair
        for ticket in (a, b):
            self._forget(ticket)
            self._tickets.pop(ticket.client)
        self._matched += 2
        rule = ACCEPTS[GOOD if good else ANY]
        matches.append(_matched(a.client, b.client, common, weight, now - a.since, now - b.since, rule))

    def _scatter(self, room: Room, now: float) -> None:
        """Let the tickets that gathered in a pool search by themselves, in this turn or the next: it is not busy any more."""
        members, room.members = room.members, []
        for ticket in members:
            if ticket is not None:
                ticket._slot = 0
                ticket._due = now
                self._agenda.push(now, ticket.client)

    def _forget(self, ticket: Ticket) -> None:
        """Remove a ticket from the index, if it is there."""
        if ticket._handle:
            self._matcher.remove(ticket._handle)
            self._out(ticket)

    def _out(self, ticket: Ticket) -> None:
        """Update the ticket and its room after the index removed the ticket."""
        room = ticket._room
        ticket._handle = NO_HANDLE
        ticket._due = NEVER
        if ticket._slot:
            room.members[ticket._slot - 1] = None
            ticket._slot = 0
        self._rooms.leave(room, self._now)

    def _quiet(self, room: Room, now: float) -> bool:
        room.arrivals.expire(now)
        return room.arrivals.total < self.thresholds.quiet_below

    def _also(self, ticket: Ticket) -> tuple[int, ...]:
        """Return the other pools that this ticket searches: the one of any language; all, if it accepts any language."""
        own = ticket._room
        family = own.family
        elsewhere = family.waiting > own.waiting
        if not elsewhere and not ticket.also:
            return ()
        rooms = [room for room in [self._rooms.find(pool) for pool in ticket.also] if room is not None]
        if elsewhere:
            if family.any is own:
                rooms += family.fullest(MOST_POOLS, own)
            elif family.any is not None:
                rooms.append(family.any)
        return tuple([room.number for room in rooms])

    def _enter(self, ticket: Ticket, now: float) -> Match | None:
        ticket._level = GOOD if ticket.interests else ANYONE
        rate = ticket._room.arrivals.rate(now)
        self._settle(ticket, rate, now, first=True)
        return self._look(ticket, rate, now)

    def _look(self, ticket: Ticket, rate: float, now: float) -> Match | None:
        """Match the ticket at its level, or let it wait for its next step. `rate`: of the arrivals in its pool."""
        room = ticket._room
        window = self.thresholds.window_at(rate) if ticket.interests else 0.0
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
                self._quiet(room, now) and not window,
                self._also(ticket),
                False,
                not self.thresholds.window or not window,
                ALL if window else self._floor(ticket),
                ticket.place,
                ticket.home,
            )
        except MatcherError:
            self.count("refused")
            raise
        if not isinstance(found, int):
            return self._match(ticket, found, now)
        ticket._handle = found
        self._tickets.put(ticket.client, ticket)
        self._rooms.enter(room)
        if window:
            room.members.append(ticket)
            ticket._slot = len(room.members)
            if room.pairs_at == NEVER:
                room.pairs_at = now + window
                self._fresh.append(room)
                if room.pairs_at < self._window:
                    self._window = room.pairs_at
        self._agenda.push(ticket._due, ticket.client)
        return None

    def _settle(self, ticket: Ticket, rate: float, now: float, first: bool = False) -> None:
        """Bring level, threshold and next step up to the ticket's age. `rate`: of the arrivals in its pool."""
        rules = self.thresholds
        if first:
            if ticket.interests:
                ticket._step = ticket.since + min(rules.any_after, rules.any_at(rate) + rules.busy_at(rate))
            else:
                ticket._step = ticket.since + rules.lift_after
            ticket._fallen = 0 if rules.peak and ticket.interests else rules.falls
        while ticket._step <= now:
            if ticket.strict and ticket._level == ANY:
                ticket._step = NEVER
                break
            ticket._level += 1
            if ticket._level == ANY:
                ticket._step = ticket.since + (rules.exact_after if ticket.strict else rules.anyone_at(rate))
            elif ticket._level == ANYONE:
                ticket._step += rules.lift_after
            else:
                ticket._step = NEVER
        due = ticket._step
        while ticket._fallen < rules.falls:
            fall = ticket.since + rules.fall_at(ticket._fallen, rate)
            if fall > now:
                due = min(due, fall)
                break
            ticket._fallen += 1
        ticket._due = due

    def _floor(self, ticket: Ticket) -> int:
        rules = self.thresholds
        return rules.floor(ticket._fallen) if ticket._fallen < rules.falls else 0

    def _match(self, ticket: Ticket, found: tuple[int, tuple[int, ...], float, float, str], now: float) -> Match:
        other, common, weight, since, rule = found
        partner = self._tickets.pop(other)
        if partner is None:
            raise MatcherError("the index matched a client without a ticket")
        self._out(partner)
        self._matched += 2
        return _matched(ticket.client, other, common, weight, now - ticket.since, now - since, rule)

    def _step(self, ticket: Ticket, now: float) -> Step:
        level = ticket._level
        widens = (
            None
            if level >= ANYONE or (ticket.strict and level == ANY) or ticket._step == NEVER
            else max(0.0, ticket._step - now)
        )
        own = ticket._room
        step = Step.__new__(Step)
        step.client, step.accepts, step.widens, step.others = (
            ticket.client, ACCEPTS[level], widens, own.family.waiting > own.waiting,
        )  # fmt: skip
        return step


def _number(members: list[Ticket]) -> None:
    """Write each member's place, from 1."""
    for slot, ticket in enumerate(members, 1):
        ticket._slot = slot


def _age_of(ticket: Ticket) -> tuple[float, int]:
    return ticket.since, ticket.client


def _matched(
    a: int, b: int, common: tuple[int, ...], weight: float, waited_a: float, waited_b: float, rule: str
) -> Match:
    """Return a match, made without the cost of its constructor."""
    match = Match.__new__(Match)
    match.a, match.b, match.common, match.weight, match.rule = a, b, common, weight, rule
    match.waited_a, match.waited_b = max(0.0, waited_a), max(0.0, waited_b)
    return match


__all__ = ["Lobby", "MatcherError", "MatcherFull", "TooMany", "UnknownInterest"]
