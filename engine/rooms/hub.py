"""Run one waiting room for the users of several workers: receive their tickets, match them, and tell the workers where the matched users meet.

**Invariant:** workers are authoritative, the hub holds copies: a match is verified by the worker that begins the chat, and after a loss the workers
send their tickets again.
"""

#       worker ── ticket ──► room ── two fit ──► pending ── meet / go ──► workers ── done ──► noted as recent partners
#                             ▲                     └──── failed, or no answer for PENDING_FOR ──► ask ──┐
#                             └──────────────────────── tickets, with their age, of those who still wait ◄─┘

from collections.abc import Callable, Iterable
from typing import Final

from engine.core.interest_quota import InterestLimits
from engine.core.session import NO_IDS
from engine.matching.interest_numbers import Vocabulary
from engine.matching.lobby import MOST_AVOIDED, Lobby, MatcherFull
from engine.matching.recent_partners import RecentPartners
from engine.matching.spy_queue import Wish
from engine.matching.thresholds import Thresholds
from engine.matching.tickets import NEVER, Match, Step, Ticket, Waiter
from engine.rooms import hub_messages as rows
from engine.rooms.hub_messages import AWAY, NEW, Row
from engine.rooms.hub_outbox import Outbox
from engine.rooms.hub_records import read_row, read_ticket
from engine.rooms.local_waiting_room import Found, WaitingRoom
from engine.rooms.meeting_placement import Placement
from engine.wire.protocol import ANYONE
from ext.base.id_map import IdMap
from ext.match.room_records import RecordReader

PENDING_FOR: Final = 1.0  # seconds until the hub asks about a match
ASKS_MAX: Final = 4  # questions within ASKS_FOR about one client whose tickets come from two workers
ASKS_FOR: Final = 1.0  # seconds
WORKER_MAX: Final = 400_000  # waiting users of one worker of another host


class MatchCounts:
    """Number of matches by outcome. `unknown`: rows of no known kind."""

    __slots__ = ("done", "failed", "lost", "made", "moved", "unknown")

    def __init__(self) -> None:
        self.made = self.moved = self.done = self.failed = self.lost = self.unknown = 0

    def table(self) -> dict[str, int]:
        """Return them as a table, whose entries are no place to count: that takes ten times as long."""
        return {
            "made": self.made,
            "moved": self.moved,
            "done": self.done,
            "failed": self.failed,
            "lost": self.lost,
            "unknown": self.unknown,
        }


class Hub:
    """Waiting room of several workers. Clients are session ids; workers are numbers. Sans-IO: `out` holds what is to be sent, by worker."""

    def __init__(
        self,
        room: WaitingRoom,
        vocabulary: Vocabulary,
        recents: RecentPartners,
        first: int = 0,
        counts: MatchCounts | None = None,
    ) -> None:
        """Start counting matches after `first`, so that their numbers differ from those of earlier hubs, which may still be in flight."""
        self.room = room
        self._vocabulary = vocabulary
        self._words = InterestLimits(
            vocabulary, limits=False
        )  # each worker has already limited the networks of its users
        self._recents = recents
        self._waiters: IdMap[Waiter] = IdMap()
        # clients whose tickets came from several workers: since when, how often that changed, and the worker before the last
        self._moved: dict[int, tuple[float, int, int]] = {}
        # match number to (since, target worker, members), oldest first
        self._pending: dict[int, tuple[float, int, list[Waiter]]] = {}
        self._placing = Placement()
        self._waiting: dict[int, int] = {}  # waiting users, by worker of another host
        self._matches = first
        self.out: dict[int, Outbox] = {}
        self._counts = MatchCounts() if counts is None else counts
        # by worker, its last `pairs`, for the ticket in its next row: rows of others may come between
        self._stated: dict[int, Row] = {}
        self._handlers: dict[str, Callable[[int, Row, float], None]] = {
            rows.TICKET: self._ticket,
            rows.WISH: self._wish,
            rows.CANCEL: self._cancel,
            rows.LEAVE: self._leave,
            rows.ASIDE: self._aside,
            rows.BACK: self._back,
            rows.DONE: self._done,
            rows.FAILED: self._failed,
            rows.BAR: self._bar,
            rows.ASKED: self._asked,
            rows.MORE: self._more,
            rows.PAIRS: self._pairs,
            rows.HERE: self._here,
            rows.WANT: self._want,
        }

    @classmethod
    def build(cls, thresholds: Thresholds, draw: Callable[[], int]) -> "Hub":
        """Build a hub with its own rooms and these thresholds; `draw`: a source of unguessable numbers."""
        lobby = Lobby(thresholds)
        return cls(WaitingRoom(lobby), lobby, RecentPartners(draw), draw() >> 8)

    def anew(self, thresholds: Thresholds) -> "Hub":
        """Return a hub without tickets that keeps the recent partners and the counters."""
        lobby = Lobby(thresholds)
        return Hub(WaitingRoom(lobby), lobby, self._recents, self._matches, self._counts)

    def __len__(self) -> int:
        return len(self._waiters)

    @property
    def leaving(self) -> set[int]:
        """Workers that accept no newcomers."""
        return self._placing.leaving

    @property
    def pending(self) -> int:
        """Number of matches whose outcome is not known yet."""
        return len(self._pending)

    @property
    def tally(self) -> dict[str, int]:
        """Number of matches by outcome (`MatchCounts`)."""
        return self._counts.table()

    # workers

    def joined(self, worker: int, people: int = 0, fixed: bool = False, guest: bool = False) -> None:
        """Add a worker. `fixed`: see `Placement`; `guest`: it belongs to another host, and its tickets are bounded."""
        self._placing.joined(worker, people, fixed)
        if guest:
            self._waiting[worker] = 0
        self.out[worker] = Outbox()

    def gone(self, worker: int, now: float) -> None:
        """Remove a dead worker and its users."""
        self._placing.gone(worker)
        self.out.pop(worker, None)
        self._stated.pop(worker, None)
        for client in sorted([client for client, waiter in self._waiters.items() if waiter.worker == worker]):
            self.room.cancel(client, now, "lost")
            self._drop(client)
        self._tell_calls()
        self._waiting.pop(worker, None)
        touched = [
            id
            for id, (_, target, who) in self._pending.items()
            if worker == target or any(one.worker == worker for one in who)
        ]
        for id in touched:
            self._counts.lost += 1
            self._ask(id)

    def leaves(self, worker: int) -> None:
        """Send no newcomers to a worker: it drains, or does not serve yet."""
        self._placing.leaves(worker)

    def stays(self, worker: int) -> None:
        """Accept newcomers for a worker again."""
        self._placing.stays(worker)

    def load(self, worker: int, people: int) -> None:
        """Set the number of users of a worker."""
        if worker in self._placing.people:
            self._placing.people[worker] = people

    def again(self, worker: int) -> None:
        """Ask a worker to repeat its tickets: rows from it or to it were lost."""
        self._tell(worker, [rows.AGAIN])

    def told(self, worker: int, batch: Iterable[Row], now: float) -> None:
        """Handle the rows of a worker, in order. Rows of unknown kind are counted and skipped. Raises TypeError, ValueError."""
        for row in batch:
            handler = self._handlers.get(row[0])
            if handler is None:
                self._counts.unknown += 1
            else:
                handler(worker, row, now)
        if self.room.news:
            self._tell_calls()

    def read(self, worker: int, data: bytes, now: float) -> None:
        """Handle the records of a worker (`engine.rooms.hub_records`), in order, as `told` does their rows. Raises TypeError, ValueError."""
        reader, place, home = RecordReader(data), self._placing.place(worker), self._placing.home(worker)
        while reader.next():
            if reader.is_ticket:
                ticket = read_ticket(reader, now)
                ticket.worker, ticket.place, ticket.home = worker, place, home
                self._arrive(ticket, reader.words(), reader.status, now)
            elif reader.is_done:
                self._read_done(worker, reader, now)
            else:
                self.told(worker, [read_row(reader)], now)
        if self.room.news:
            self._tell_calls()

    def advance(self, now: float) -> None:
        """Do what is due at `now`: matches, steps, matches without an outcome."""
        found, steps = self.room.advance(now)
        for match in found:
            self._meet(match, now)
        for step in steps:
            self._step(step, now)
        for worker in self._placing.advance(now):
            self.again(worker)
        while self._pending:
            id, (since, _, _) = next(iter(self._pending.items()))
            if since + PENDING_FOR > now:
                break
            self._counts.lost += 1
            self._missed(id, now)
            self._ask(id)

    def due(self) -> float | None:
        """Return when `advance` has work next; None: never."""
        due = self.room.due()
        again = self._placing.due()
        if again is not None and (due is None or again < due):
            due = again
        if self._pending:
            since, _, _ = next(iter(self._pending.values()))
            if due is None or since + PENDING_FOR < due:
                return since + PENDING_FOR
        return due

    # rows

    def _ticket(self, worker: int, row: Row, now: float) -> None:
        ticket, words, status = rows.read_ticket(row, now)
        ticket.worker = worker
        ticket.place = self._placing.place(worker)
        ticket.home = self._placing.home(worker)
        self._arrive(ticket, words, status, now)

    def _arrive(self, ticket: Ticket, words: list[str], status: int, now: float) -> None:
        partners = self._recents.recent(ticket.person, now)
        if partners:
            given = ticket.recent
            if given:
                partners = given + tuple([one for one in partners if one not in given])
            ticket.recent = partners if len(partners) <= MOST_AVOIDED else partners[-MOST_AVOIDED:]
        ticket.blocked = self._recents.barred(ticket.person, now, ticket.blocked)
        ticket.ids = self._words.with_room(words)[0] if words else NO_IDS
        ticket.interests = ticket.ids.unique()
        stated = self._stated.pop(ticket.worker, None) if self._stated else None
        if stated is not None and stated[1] == ticket.client and stated[2] == ticket.number:
            ticket.halves, ticket.calls = tuple(stated[3]), stated[4]
        self._enter(ticket, ticket, status, now)

    def _pairs(self, worker: int, row: Row, _: float) -> None:
        self._stated[worker] = row

    def _here(self, worker: int, row: Row, now: float) -> None:
        _, client, person, halves = row
        places = self.room.here(client, tuple(halves), person, now)
        self._tell(worker, [rows.HERE, client, places])

    def _want(self, worker: int, row: Row, _: float) -> None:
        """Pass the wish of a user to meet a past partner again to the other workers: only the one that has the partner knows it."""
        for other in self.out:
            if other != worker:
                self._tell(other, [rows.WANTED, *row[1:]])

    def _wish(self, worker: int, row: Row, now: float) -> None:
        wish, status = rows.read_wish(row, now)
        recents = self._recents
        wish.avoid += recents.recent(wish.person, now) + recents.barred(wish.person, now)
        wish.place = self._placing.place(worker)
        waiter = Waiter()
        waiter.client, waiter.worker, waiter.number, waiter.ids = wish.client, worker, row[2], NO_IDS
        self._enter(waiter, wish, status, now)

    def _enter(self, waiter: Waiter, ticket: Ticket | Wish, status: int, now: float) -> None:
        """Let a user wait with a ticket or a wish: one who waits already continues."""
        client, worker = waiter.client, waiter.worker
        old = self._waiters.get(client)
        moved = old is not None and old.worker != worker
        if self._waiting and (old is None or moved):
            if self._waiting.get(worker, 0) >= WORKER_MAX:
                self._vocabulary.release(waiter.ids)
                self._tell(worker, [rows.FULL, client, waiter.number])
                return
            self._count(worker, 1)
            if old is not None:
                self._count(old.worker, -1)
        self._waiters.put(client, waiter)
        is_new = status == NEW
        if moved or not is_new:
            self.room.leave(client, now)  # repeated: the later row wins, even if of the other kind
        try:
            if is_new:
                found = self.room.submit(ticket, now)
            else:
                found = self.room.enter(ticket, status == AWAY, now)
        except MatcherFull:
            self._full(client)
            return
        finally:
            if old is not None:
                self._vocabulary.release(old.ids)  # only now: its ticket was in the room until it was replaced
        if old is not None and moved:
            self._ask_other(client, old.worker, now)
        self._answer(client, found, now)

    def _answer(self, client: int, found: Found | None, now: float) -> None:
        if found is not None:
            self._meet(found, now)
        else:
            self._step(self.room.status(client, now), now)

    def _cancel(self, worker: int, row: Row, now: float) -> None:
        _, client, reason = row
        if self._is_at(client, worker):
            self.room.cancel(client, now, reason)
            self._drop(client)

    def _leave(self, worker: int, row: Row, now: float) -> None:
        _, client = row
        if self._is_at(client, worker):
            self.room.leave(client, now)
            self._drop(client)

    def _aside(self, worker: int, row: Row, now: float) -> None:
        _, client = row
        if self._is_at(client, worker):
            self.room.set_aside(client, now)

    def _back(self, worker: int, row: Row, now: float) -> None:
        _, client = row
        if self._is_at(client, worker):
            try:
                found = self.room.restore(client, now)
            except MatcherFull:
                self._full(client)
            else:
                self._answer(client, found, now)

    def _done(self, worker: int, row: Row, now: float) -> None:
        _, id, *members = row
        who = [(client, person) for client, person in members]
        self._end(id)
        for client, person in who:
            for _, other in who:
                if other != person:
                    self._recents.met(person, other, now)
            self._sit(worker, client, now)

    def _read_done(self, worker: int, reader: RecordReader, now: float) -> None:
        """Do the same for a record."""
        self._end(reader.id)
        for place in range(reader.count):
            person = reader.member(place, 1)
            for other in range(reader.count):
                if reader.member(other, 1) != person:
                    self._recents.met(person, reader.member(other, 1), now)
            self._sit(worker, reader.member(place, 0), now)

    def _end(self, id: int) -> None:
        """End a match whose chat its worker began."""
        found = self._pending.pop(id, None)
        if found is not None and self._placing.apart:
            self._placing.met([one.worker for one in found[2]])
        self._counts.done += 1

    def _sit(self, worker: int, client: int, now: float) -> None:
        """Remove a user whose chat began from the room: their ticket was repeated meanwhile, or this hub was made after the match."""
        if self._is_at(client, worker):
            self.room.leave(client, now)
            self._drop(client)

    def _failed(self, _: int, row: Row, now: float) -> None:
        _, id = row
        self._counts.failed += 1
        self._missed(id, now)
        self._ask(id)

    def _bar(self, _: int, row: Row, now: float) -> None:
        _, person, partner, networks = row
        self._recents.report(person, partner, tuple(networks), now)

    def _asked(self, _: int, row: Row, now: float) -> None:
        _, question, language = row
        self.room.asked(question, language, now)

    def _more(self, worker: int, _: Row, __: float) -> None:
        """Let a worker continue to repeat its tickets, the last part of which was handled."""
        self._tell(worker, [rows.ON])

    # matches

    def _meet(self, found: Found, now: float) -> None:
        """Remove the matched users from the room and tell their workers where they meet."""
        words: list[str] = []
        if isinstance(found, Match):
            match = found
            if match.common:
                words = self._vocabulary.words(match.common)
            who = [self._taken_out(match.a), self._taken_out(match.b)]
        else:
            three = (found.first, found.second) if found.spy is None else (found.spy, found.first, found.second)
            who = [self._taken_out(client) for client in three]
        self._matches += 1
        target = self._target(who)
        self._pending[self._matches] = now, target, who
        self._counts.made += 1
        together = True
        for one in who:
            if one.worker != target:
                together = False
                self._counts.moved += 1
                out = self.out.get(one.worker)
                if out is not None:
                    out.go(one, target, self._matches, who, found, words)
        if together:
            out = self.out.get(target)
            if out is not None:
                out.meet(self._matches, who, found, words)

    def _target(self, who: list[Waiter]) -> int:
        """Return the worker where users meet."""
        first = who[0].worker
        for one in who:
            if one.worker != first:
                return self._placing.where([one.worker for one in who])
        return first

    def _taken_out(self, client: int) -> Waiter:
        waiter = self._drop(client)
        if waiter is None:
            raise KeyError(client)
        return waiter

    def _missed(self, id: int, now: float) -> None:
        found = self._pending.get(id)
        if found is not None and self._placing.apart:
            self._placing.missed([one.worker for one in found[2]], now)

    def _ask(self, id: int) -> None:
        """Drop a match that failed or has no outcome, and ask which of its users still wait."""
        found = self._pending.pop(id, None)
        if found is None:
            return
        _, target, who = found
        for one in who:
            if one.client not in self._waiters:
                for worker in dict.fromkeys((one.worker, target)):
                    self._tell(worker, [rows.ASK, one.client])

    # internal

    def _tell_calls(self) -> None:
        """Send the calls of kept pairs to the workers of those who are called."""
        news = self.room.news
        for call in news:
            waiter = self._waiters.get(call.client)
            if waiter is not None:
                self._tell(waiter.worker, [rows.CALLED, *call])
        news.clear()

    def _step(self, step: Step | None, now: float) -> None:
        """Send a client's step to its worker."""
        waiter = None if step is None else self._waiters.get(step.client)
        if step is None or waiter is None:
            return
        out = self.out.get(waiter.worker)
        if out is None:
            return
        ticket = self.room.lobby.waiting(step.client)
        if ticket is None:
            out.step(waiter.number, step, ANYONE, NEVER, 0)
        else:
            out.step(waiter.number, step, ticket._level, ticket._step - now, ticket._fallen)

    def _is_at(self, client: int, worker: int) -> bool:
        waiter = self._waiters.get(client)
        return waiter is not None and waiter.worker == worker

    def _full(self, client: int) -> None:
        waiter = self._taken_out(client)
        self._tell(waiter.worker, [rows.FULL, client, waiter.number])

    def _drop(self, client: int) -> Waiter | None:
        """Remove a client, and return it; the caller removes it from the room."""
        waiter = self._waiters.pop(client)
        if waiter is not None:
            if self._waiting:
                self._count(waiter.worker, -1)
            self._vocabulary.release(waiter.ids)
        moved = self._moved.pop(client, None) if self._moved else None
        if moved is not None and moved[1] > 1:
            self._tell(moved[2], [rows.ASK, client])  # it may have the client too
        return waiter

    def _ask_other(self, client: int, other: int, now: float) -> None:
        """Ask a worker whether it still has a client whose ticket another one sent: they migrated, but the order of the two workers' rows is
        unknown. If both have the client, since the end of a migration was lost, each answer is a ticket, and brings the next question.
        """
        since, asks, _ = self._moved.get(client, (now, 0, other))
        if now - since >= ASKS_FOR:
            since, asks = now, 0
        self._moved[client] = since, asks + 1, other
        if asks < ASKS_MAX:
            self._tell(other, [rows.ASK, client])

    def _count(self, worker: int, more: int) -> None:
        if worker in self._waiting:
            self._waiting[worker] += more

    def _tell(self, worker: int, row: Row) -> None:
        out = self.out.get(worker)
        if out is not None:
            out.add(row)
