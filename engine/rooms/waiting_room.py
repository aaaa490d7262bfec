"""The waiting rooms of one process: the lobby for two, the queue of spy mode for three, hints of colleges.

Rule: a ticket or a wish goes in; who meets comes out, at once or with time. What asks (`engine.chats.search`) sees no difference between
them, nor whether the rooms are here or in another process (`engine.rooms.remote_room`).
"""

from typing import Any

from engine.core.ports import Matcher
from engine.matching.college_hints import CollegeHints
from engine.matching.spy_queue import SpyMatch, SpyQueue, Wish
from engine.matching.tickets import Match, Pool, Step, Ticket
from engine.wire.protocol import ACCEPTS, ANYONE
from engine.wire.rule_numbers import STEPS_A_TICK
from ext.match.errors import MatcherFull

Found = Match | SpyMatch


class WaitingRoom:
    """See the module; implements `engine.core.ports.Room`. Clients are session ids."""

    __slots__ = ("_hints", "lobby", "spy_queue")

    def __init__(self, lobby: Matcher) -> None:
        self.lobby = lobby
        self.spy_queue = SpyQueue()
        self._hints = CollegeHints()

    def submit(self, ticket: Ticket | Wish, now: float) -> Found | None:
        """Meet somebody, or wait. A client's second ticket replaces the first of its kind and has its age. Raises MatcherFull."""
        if isinstance(ticket, Ticket):
            wish = ticket
            match = self.lobby.submit(wish, now)
            if match is None and wish.pool.college:
                match = self._by_hint(wish, now)
            return match
        return self.spy_queue.submit(ticket, now)

    def status(self, client: int, now: float) -> Step | None:
        """What the client takes now; None: it does not wait, or is away."""
        step = self.lobby.status(client, now)
        return (
            Step(client, ACCEPTS[ANYONE], None, False) if step is None and self.spy_queue.waits_there(client) else step
        )

    def stand(self, client: int) -> tuple[int, float | None, int]:
        """As `Ticket.stand`, of a client that waits; who waits for spy mode takes anyone. Raises KeyError."""
        return (ANYONE, None, 0) if self.spy_queue.waits_there(client) else self.lobby.stand(client)

    def cancel(self, client: int, now: float, reason: str = "cancelled") -> None:
        """Wait no more, for one of the lobby's reasons."""
        if not self.lobby.cancel(client, now, reason):
            self.spy_queue.cancel(client)

    def set_aside(self, client: int, now: float) -> None:
        """The client is away: nobody meets them, their place grows older."""
        if not self.lobby.set_aside(client, now):
            self.spy_queue.set_aside(client)

    def restore(self, client: int, now: float) -> Found | None:
        """The client is back, and meets somebody at once or waits on."""
        match = self.lobby.restore(client, now)
        return self.spy_queue.restore(client, now) if match is None else match

    def advance(self, now: float) -> tuple[list[Found], list[Step]]:
        """What time brought: who meets now, and who takes more than before."""
        matches, steps = self.lobby.advance(now, STEPS_A_TICK)
        found: list[Found] = [*matches, *self.spy_queue.advance(now)]
        return found, steps

    def due(self) -> float | None:
        """When `advance` has something to do; None: never."""
        lobby, spies = self.lobby.due(), self.spy_queue.due()
        return lobby if spies is None or (lobby is not None and lobby < spies) else spies

    def asked(self, question: str, language: str, now: float) -> None:
        """A question that may be asked again."""
        self.spy_queue.questions.add(question, language, now)

    # from and to another process

    def leave(self, client: int, now: float) -> tuple[Ticket | Wish, bool] | None:
        """Take a ticket or a wish out, to go on elsewhere: it, and whether it is set aside; None: there is none."""
        ticket = self.lobby.leave(client, now)
        return self.spy_queue.leave(client) if ticket is None else ticket

    def enter(self, ticket: Ticket | Wish, aside: bool, now: float) -> Found | None:
        """One that waited elsewhere waits on, or meets somebody at once. Raises MatcherFull."""
        if isinstance(ticket, Wish):
            return self.spy_queue.enter(ticket, aside, now)
        match = self.lobby.enter(ticket, aside, now)
        if match is None and ticket.pool.college and (ticket.also or not aside):
            match = self._by_hint(ticket, now)
        return match

    def clients(self) -> list[int]:
        """Who waits, those longest here first, then who is set aside; of spy mode behind the others."""
        return [*self.lobby.clients(), *self.spy_queue.clients()]

    def pace(self, now: float) -> dict[str, Any]:
        """What the rooms know beside who waits."""
        spies = self.spy_queue
        return {
            "rooms": [[list(pool), lately] for pool, lately in self.lobby.pace(now)],
            "questions": [list(row) for row in spies.questions.rest(now)],
            "waits": [spies.spy_wait, spies.discuss_wait],
        }

    def take_pace(self, pace: dict[str, Any], now: float) -> None:
        """What `pace` said elsewhere."""
        spies = self.spy_queue
        for pool, lately in pace.get("rooms", ()):
            try:
                self.lobby.take_pace(Pool(*pool), lately, now)
            except MatcherFull:
                break  # more pools than there is room for: those that are left start with nobody
        for question, language, seconds, times in pace.get("questions", ()):
            spies.questions.enter(question, language, seconds, times, now)
        spies.spy_wait, spies.discuss_wait = pace.get("waits", (spies.spy_wait, spies.discuss_wait))

    # figures

    @property
    def counts(self) -> dict[str, int]:
        """Tickets by what became of them."""
        return self.lobby.counts

    def figures(self) -> dict[str, int]:
        """The index in numbers (`Lobby.figures`)."""
        return self.lobby.figures()

    def sizes(self) -> dict[tuple[str, str], int]:
        """How many wait, by mode (text, video, spy) and language; spy mode's queues have no language of their own."""
        found: dict[tuple[str, str], int] = {("spy", "*"): sum(self.spy_queue.sizes())}
        for pool, count in self.lobby.sizes().items():
            key = pool.mode, pool.language
            found[key] = found.get(key, 0) + count
        return found

    def spy_sizes(self) -> tuple[int, int]:
        """How many wait to ask, and to discuss."""
        return self.spy_queue.sizes()

    def spy_waits(self, now: float) -> tuple[float, float]:
        """How long who asks, and who discusses, waits, in seconds."""
        return self.spy_queue.waits(now)

    # inner

    def _by_hint(self, ticket: Ticket, now: float) -> Match | None:
        """One who waits for any college and is of the one that the newcomer wants; the newcomer waits, if it is not that."""
        lobby, own = self.lobby, ticket.pool
        if ticket.also:  # of any college; its own comes after
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
