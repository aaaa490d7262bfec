"""Matches the two of a kept pair, users who both chose to meet again, by exact look-up before the index.

A half is one side's number of a pair: the number of the chat in which they met, times two, plus the side; the two halves differ in the lowest
bit. A search lists its halves, so that the other side may call it; a caller waits for its other half alone. A call is reported to the one who is
called (`news`), and so is its end; a user who declines sends nothing.
**Invariant:** a match needs a call from both; users who blocked or reported each other are neither matched nor shown to each other.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from engine.matching.tickets import Match, Ticket
from engine.wire.protocol import ACCEPTS, ANYONE
from ext.base.ageing_map import AgeingMap

HALVES_MAX: Final = 200_000  # of searches; the oldest are dropped first, and can then not be called
HALF_FOR: Final = 86_400.0  # seconds


class PairCall(NamedTuple):
    """News for the client who is called: their half, the mode of the call, and whether it begins (`on`) or ends."""

    client: int
    half: int
    mode: str
    on: bool


class KeptPairs:
    """Callers of kept pairs, and the halves of all searches. `find_waiting`: returns the ticket of a client that waits in the lobby."""

    __slots__ = ("_aside", "_by_half", "_callers", "_find_waiting", "_halves", "news")

    def __init__(self, find_waiting: Callable[[int], Ticket | None]) -> None:
        self._find_waiting = find_waiting
        self._callers: dict[int, Ticket] = {}  # tickets that call, by client
        self._by_half: dict[int, Ticket] = {}  # the same, by the half that calls
        self._aside: dict[int, Ticket] = {}  # those of clients that are away
        self._halves: AgeingMap[int, int] = AgeingMap(
            HALVES_MAX
        )  # client by half; a ticket that is gone may still be listed
        self.news: list[PairCall] = []

    def __len__(self) -> int:
        return len(self._callers) + len(self._aside)

    def is_empty(self) -> bool:
        """Whether there is no caller; as a method it is faster than the length when compiled."""
        return not (self._callers or self._aside)

    def call(self, ticket: Ticket, now: float) -> Match | None:
        """Match a caller with the caller of its other half, or let it wait."""
        other = self._by_half.get(ticket.calls ^ 1)
        if other is not None and _fits(ticket, other):
            self._remove(other)
            common = tuple(set(ticket.interests).intersection(other.interests))
            waited = [max(0.0, now - one.since) for one in (ticket, other)]
            return Match(ticket.client, other.client, common, 0.0, waited[0], waited[1], ACCEPTS[ANYONE])
        self._callers[ticket.client] = self._by_half[ticket.calls] = ticket
        self._note(ticket, now)
        self._tell(ticket, True)
        return None

    def add(self, ticket: Ticket, now: float) -> None:
        """Let a search that waits in the lobby be called; report the calls that wait for it."""
        self._note(ticket, now)
        for half in ticket.halves:
            caller = self._by_half.get(half ^ 1) if half else None
            if caller is not None and _fits(caller, ticket):
                self.news.append(PairCall(ticket.client, half, caller.pool.mode, True))

    def here(self, halves: tuple[int, ...], person: int) -> list[int]:
        """Return the places of those halves whose other half searches now, for this person."""
        return [place for place, half in enumerate(halves) if half and self._is_here(half ^ 1, person)]

    def waits_there(self, client: int) -> bool:
        """Whether the client calls and is not away."""
        return client in self._callers

    def cancel(self, client: int) -> Ticket | None:
        """End the client's call. Return its ticket; None: it did not call."""
        ticket = self._callers.get(client)
        if ticket is None:
            return self._aside.pop(client, None)
        self._remove(ticket)
        self._tell(ticket, False)
        return ticket

    def set_aside(self, client: int) -> bool:
        """Hold the call of a client that is away."""
        ticket = self.cancel(client)
        if ticket is None:
            return False
        self._aside[client] = ticket
        return True

    def restore(self, client: int, now: float) -> Match | None:
        """Let a client that is back call again; it may be matched at once."""
        ticket = self._aside.pop(client, None)
        return None if ticket is None else self.call(ticket, now)

    def leave(self, client: int) -> tuple[Ticket, bool] | None:
        """Remove a call that migrates. Return its ticket and whether it was set aside; None: the client did not call."""
        aside = client in self._aside
        ticket = self.cancel(client)
        return None if ticket is None else (ticket, aside)

    def enter(self, ticket: Ticket, aside: bool, now: float) -> Match | None:
        """Add a call that migrated here; it may be matched at once."""
        if aside:
            self._aside[ticket.client] = ticket
            return None
        return self.call(ticket, now)

    def clients(self) -> list[int]:
        """Return the clients that call, then those that are set aside."""
        return [*self._callers, *self._aside]

    def _remove(self, ticket: Ticket) -> None:
        del self._callers[ticket.client]
        if self._by_half.get(ticket.calls) is ticket:  # not taken over by another window of the same user
            del self._by_half[ticket.calls]

    def _note(self, ticket: Ticket, now: float) -> None:
        self._halves.expire(now)
        for half in ticket.halves:
            if half:
                self._halves.put(half, ticket.client, now + HALF_FOR, now)

    def _searching(self, half: int) -> Ticket | None:
        """Return the ticket of the search that lists this half."""
        client = self._halves.get(half)
        if client is None:
            return None
        ticket = self._callers.get(client) or self._find_waiting(client)
        return ticket if ticket is not None and half in ticket.halves else None

    def _is_here(self, half: int, person: int) -> bool:
        ticket = self._searching(half)
        return ticket is not None and ticket.person != person and person not in ticket.blocked

    def _tell(self, caller: Ticket, on: bool) -> None:
        """Report a call to the search of the other half, if there is one."""
        ticket = self._searching(caller.calls ^ 1)
        if ticket is not None and _fits(caller, ticket):
            self.news.append(PairCall(ticket.client, caller.calls ^ 1, caller.pool.mode, on))


def _fits(a: Ticket, b: Ticket) -> bool:
    """Whether two tickets of a pair may meet: same mode, not the same user, none blocked the other, placed alike."""
    return (
        a.pool.mode == b.pool.mode
        and a.person != b.person
        and a.person not in b.blocked
        and b.person not in a.blocked
        and (not a.place or not b.place or a.place == b.place)
    )
