"""Combine the four waiting places of one process into one waiting room: the lobby for pairs, the callers of kept pairs, the spy queue for groups of
three, the index of college users who accept any college.

Implements the port `engine.core.ports.Room`, as `engine.rooms.remote_waiting_room` does, so the caller need not know which kind of room serves
a search.
"""

from typing import Any

from engine.core.ports import Matcher
from engine.matching.any_college_index import CollegeHints
from engine.matching.kept_pairs import KeptPairs
from engine.matching.spy_queue import SpyMatch, SpyQueue, Wish
from engine.matching.tickets import Match, Pool, Step, Ticket
from engine.wire.protocol import ACCEPTS, ANYONE
from engine.wire.rule_constants import STEPS_A_TICK
from ext.match.errors import MatcherFull

Found = Match | SpyMatch


class WaitingRoom:
    """Waiting room of one process; implements `engine.core.ports.Room`. Clients are session ids."""

    __slots__ = ("_hints", "lobby", "news", "pairs", "spy_queue")

    def __init__(self, lobby: Matcher) -> None:
        self.lobby = lobby
        self.spy_queue = SpyQueue()
        self._hints = CollegeHints()
        self.pairs = KeptPairs(lobby.waiting)
        self.news = self.pairs.news  # calls that the user of this room has to tell

    def submit(self, ticket: Ticket | Wish, now: float) -> Found | None:
        """Match a ticket or wish at once, or let it wait. A client's second one replaces the first of its kind and keeps its age.

        Raises MatcherFull.
        """
        if isinstance(ticket, Ticket):
            wish = ticket
            if wish.calls or not self.pairs.is_empty():
                self.pairs.cancel(wish.client)
                if wish.calls:
                    return self._call(wish, now)
            match = self.lobby.submit(wish, now)
            if match is None and wish.pool.college:
                match = self._by_hint(wish, now)
            if match is None and wish.halves:
                self.pairs.add(wish, now)
            return match
        return self.spy_queue.submit(ticket, now)

    def status(self, client: int, now: float) -> Step | None:
        """Return whom the client accepts now; None if it does not wait, or is away."""
        step = self.lobby.status(client, now)
        return Step(client, ACCEPTS[ANYONE], None, False) if step is None and self._accepts_anyone(client) else step

    def since(self, client: int) -> float | None:
        """See `Room`; None for users of spy mode and those who call."""
        ticket = self.lobby.waiting(client)
        return None if ticket is None else ticket.since

    def cancel(self, client: int, now: float, reason: str = "cancelled") -> None:
        """Remove the client's ticket or wish, for one of the lobby's reasons."""
        if self.pairs and self.pairs.cancel(client) is not None:
            self.lobby.count(reason)
        elif not self.lobby.cancel(client, now, reason):
            self.spy_queue.cancel(client)

    def set_aside(self, client: int, now: float) -> None:
        """Hold the ticket of a client that is away: it is not matched, and its age grows."""
        if not (self.lobby.set_aside(client, now) or self.pairs.set_aside(client)):
            self.spy_queue.set_aside(client)

    def restore(self, client: int, now: float) -> Found | None:
        """Let the ticket of a client that is back wait again; it may be matched at once."""
        match = self.lobby.restore(client, now)
        if match is None and self.pairs:
            match = self._counted(self.pairs.restore(client, now))
        if match is None:
            ticket = self.lobby.waiting(client)
            if ticket is not None and ticket.halves:
                self.pairs.add(ticket, now)
        return self.spy_queue.restore(client, now) if match is None else match

    def advance(self, now: float) -> tuple[list[Found], list[Step]]:
        """Return the matches and steps that are due."""
        matches, steps = self.lobby.advance(now, STEPS_A_TICK)
        found: list[Found] = [*matches, *self.spy_queue.advance(now)]
        return found, steps

    def due(self) -> float | None:
        """Return when `advance` has work next; None: never."""
        lobby, spies = self.lobby.due(), self.spy_queue.due()
        return lobby if spies is None or (lobby is not None and lobby < spies) else spies

    def asked(self, question: str, language: str, now: float) -> None:
        """Remember a question that may be asked again."""
        self.spy_queue.questions.add(question, language, now)

    def here(self, client: int, halves: tuple[int, ...], person: int, now: float) -> list[int] | None:
        """Return the places of those halves whose other half searches now."""
        del client, now
        return self.pairs.here(halves, person)

    def want(self, client: int, chat: int, side: int) -> None:
        """Ignore it: there is no other process, so the client has left."""

    # migration

    def leave(self, client: int, now: float) -> tuple[Ticket | Wish, bool] | None:
        """Remove a ticket or wish that migrates. Return it and whether it was set aside, or None."""
        ticket = self.lobby.leave(client, now) or self.pairs.leave(client)
        return self.spy_queue.leave(client) if ticket is None else ticket

    def enter(self, ticket: Ticket | Wish, aside: bool, now: float) -> Found | None:
        """Add a ticket or wish that migrated here, with its age; it may be matched at once. Raises MatcherFull."""
        if isinstance(ticket, Wish):
            return self.spy_queue.enter(ticket, aside, now)
        if ticket.calls:
            return self._counted(self.pairs.enter(ticket, aside, now))
        match = self.lobby.enter(ticket, aside, now)
        if match is None and ticket.pool.college and (ticket.also or not aside):
            match = self._by_hint(ticket, now)
        if match is None and ticket.halves and not aside:
            self.pairs.add(ticket, now)
        return match

    def clients(self) -> list[int]:
        """Return the waiting clients, longest wait first, then those set aside; those who call and those of spy mode after the others."""
        return [*self.lobby.clients(), *self.pairs.clients(), *self.spy_queue.clients()]

    def pace(self, now: float) -> dict[str, Any]:
        """Export what the rooms know beside their tickets: recent arrivals, questions, waits."""
        spies = self.spy_queue
        return {
            "rooms": [[list(pool), lately] for pool, lately in self.lobby.pace(now)],
            "questions": [list(row) for row in spies.questions.rest(now)],
            "waits": [spies.spy_wait, spies.discuss_wait],
        }

    def take_pace(self, pace: dict[str, Any], now: float) -> None:
        """Import what `pace` exported in another process."""
        spies = self.spy_queue
        for pool, lately in pace.get("rooms", ()):
            try:
                self.lobby.take_pace(Pool(*pool), lately, now)
            except MatcherFull:
                break  # more pools than there is room for: the others start without arrivals
        for question, language, seconds, times in pace.get("questions", ()):
            spies.questions.enter(question, language, seconds, times, now)
        spies.spy_wait, spies.discuss_wait = pace.get("waits", (spies.spy_wait, spies.discuss_wait))

    # figures

    @property
    def counts(self) -> dict[str, int]:
        """Number of tickets by outcome."""
        return self.lobby.counts

    def figures(self) -> dict[str, int]:
        """Return the sizes of the index (`Lobby.figures`)."""
        return self.lobby.figures()

    def sizes(self) -> dict[tuple[str, str], int]:
        """Return how many wait, by mode (text, video, spy) and language; spy mode's queues have no language."""
        found: dict[tuple[str, str], int] = {("spy", "*"): sum(self.spy_queue.sizes())}
        for pool, count in self.lobby.sizes().items():
            key = pool.mode, pool.language
            found[key] = found.get(key, 0) + count
        return found

    def spy_sizes(self) -> tuple[int, int]:
        """Return how many wait to ask, and to discuss."""
        return self.spy_queue.sizes()

    def talking(self) -> dict[str, int] | None:
        """Return None: this process counts its own chats."""
        return None

    def spy_waits(self, now: float) -> tuple[float, float]:
        """Return how long an asker, and a discusser, waits, in seconds."""
        return self.spy_queue.waits(now)

    # internal

    def _accepts_anyone(self, client: int) -> bool:
        return self.spy_queue.waits_there(client) or self.pairs.waits_there(client)

    def _call(self, ticket: Ticket, now: float) -> Match | None:
        """Match a caller, or let it wait; an earlier ticket of the client in the lobby ends."""
        earlier = self.lobby.leave(ticket.client, now) is not None
        self.lobby.count("deduplicated" if earlier else "submitted")
        return self._counted(self.pairs.call(ticket, now))

    def _counted(self, match: Match | None) -> Match | None:
        """Count the two tickets of a match of a kept pair."""
        if match is not None:
            self.lobby.count("matched", 2)
        return match

    def _by_hint(self, ticket: Ticket, now: float) -> Match | None:
        """Match a newcomer who wants one college only with a user of it who accepts any; a newcomer who accepts any is added to the hints."""
        lobby, own = self.lobby, ticket.pool
        if ticket.also:  # it accepts any college; its own comes after
            self._hints.wait(ticket.also[0], ticket.client)
            return None
        looked: list[int] = []
        match = None
        for client in self._hints.of(own):
            if client != ticket.client and lobby.set_aside(client, now):
                looked.append(client)
                match = lobby.restore(client, now)
                if match is not None:
                    break
        for client in looked[: len(looked) - (match is not None)]:
            self._hints.wait(own, client)
        return match
