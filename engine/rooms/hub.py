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
from engine.matching.tickets import Match, Step, Ticket
from engine.rooms import hub_messages as rows
from engine.rooms.hub_messages import AWAY, GO, NEW, STEP, Row, meet_row
from engine.rooms.hub_records import read_row, read_ticket
from engine.rooms.local_waiting_room import Found, WaitingRoom
from engine.rooms.meeting_placement import Placement
from ext.match.interner import Ids
from ext.match.room_records import RecordReader

PENDING_FOR: Final = 1.0  # seconds until the hub asks about a match
WORKER_MAX: Final = 400_000  # waiting users of one worker of another host


class Waiter:
    """A waiting user: their worker, the number of their ticket, and the ids to release."""

    __slots__ = ("ids", "number", "worker")

    def __init__(self, worker: int, number: int, ids: Ids) -> None:
        self.worker = worker
        self.number = number
        self.ids = ids


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
    """Waiting room of several workers. Clients are session ids; workers are numbers. Sans-IO: `out` holds the rows to send, by worker."""

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
        self._waiters: dict[int, Waiter] = {}
        # match number to (since, target worker, members as (client, number, worker)), oldest first
        self._pending: dict[int, tuple[float, int, list[tuple[int, int, int]]]] = {}
        self._placing = Placement()
        self._waiting: dict[int, int] = {}  # waiting users, by worker of another host
        self._matches = first
        self.out: dict[int, list[Row]] = {}
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
        self.out[worker] = []

    def gone(self, worker: int, now: float) -> None:
        """Remove a dead worker and its users."""
        self._placing.gone(worker)
        self.out.pop(worker, None)
        self._stated.pop(worker, None)
        for client in [client for client, waiter in self._waiters.items() if waiter.worker == worker]:
            self.room.cancel(client, now, "lost")
            self._drop(client)
        self._tell_calls()
        self._waiting.pop(worker, None)
        touched = [
            id
            for id, (_, target, who) in self._pending.items()
            if worker == target or any(home == worker for _, _, home in who)
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
        reader = RecordReader(data)
        while reader.next():
            if reader.is_ticket:
                words, ticket = reader.words(), read_ticket(reader, now)
                self._arrive(worker, reader.number, ticket, words, reader.status, now)
            elif reader.is_done:
                self._seated(worker, reader.id, reader.members(2), now)
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
        self._arrive(worker, row[2], ticket, words, status, now)

    def _arrive(self, worker: int, number: int, ticket: Ticket, words: list[str], status: int, now: float) -> None:
        partners = self._recents.recent(ticket.person, now)
        if partners:
            given = ticket.recent
            if given:
                partners = given + tuple([one for one in partners if one not in given])
            ticket.recent = partners if len(partners) <= MOST_AVOIDED else partners[-MOST_AVOIDED:]
        ticket.blocked = self._recents.barred(ticket.person, now, ticket.blocked)
        ids = self._words.with_room(words)[0] if words else NO_IDS
        ticket.interests = ids.unique()
        ticket.place = self._placing.place(worker)
        ticket.home = self._placing.home(worker)
        stated = self._stated.pop(worker, None)
        if stated is not None and stated[1] == ticket.client and stated[2] == number:
            ticket.halves, ticket.calls = tuple(stated[3]), stated[4]
        self._enter(worker, number, ticket.client, ticket, ids, status, now)

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
        self._enter(worker, row[2], wish.client, wish, NO_IDS, status, now)

    def _enter(
        self, worker: int, number: int, client: int, ticket: Ticket | Wish, ids: Ids, status: int, now: float
    ) -> None:
        old = self._waiters.get(client)
        moved = old is not None and old.worker != worker
        if self._waiting and (old is None or moved):
            if self._waiting.get(worker, 0) >= WORKER_MAX:
                if ids:
                    self._vocabulary.release(ids)
                self._tell(worker, [rows.FULL, client, number])
                return
            self._count(worker, 1)
            if old is not None:
                self._count(old.worker, -1)
        self._waiters[client] = Waiter(worker, number, ids)
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
            if old is not None and old.ids:
                self._vocabulary.release(old.ids)  # only now: its ticket was in the room until it was replaced
        if old is not None and moved:
            # they migrated, but the order of the two workers' rows is unknown
            self._tell(old.worker, [rows.ASK, client])
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
        _, id, *clients = row
        self._seated(worker, id, [[client, person] for client, person in clients], now)

    def _seated(self, worker: int, id: int, who: list[list[int]], now: float) -> None:
        """End a match that its worker has seated. `who`: client and person of each."""
        found = self._pending.pop(id, None)
        if found is not None and self._placing.apart:
            self._placing.met([home for _, _, home in found[2]])
        self._counts.done += 1
        for client, person in who:
            for _, other in who:
                if other != person:
                    self._recents.met(person, other, now)
            if self._is_at(client, worker):  # repeated meanwhile, or a hub that was made after the match
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
        target = self._placing.where([home for _, _, home in who])
        self._pending[self._matches] = now, target, who
        row = meet_row(self._matches, who, found, words)
        self._counts.made += 1
        together = True
        for client, _, home in who:
            if home != target:
                together = False
                self._counts.moved += 1
                self._tell(home, [GO, client, target, row])
        if together:
            self._tell(target, row)

    def _taken_out(self, client: int) -> tuple[int, int, int]:
        waiter = self._waiters.pop(client)
        self._release(waiter)
        return client, waiter.number, waiter.worker

    def _missed(self, id: int, now: float) -> None:
        found = self._pending.get(id)
        if found is not None and self._placing.apart:
            self._placing.missed([home for _, _, home in found[2]], now)

    def _ask(self, id: int) -> None:
        """Drop a match that failed or has no outcome, and ask which of its users still wait."""
        found = self._pending.pop(id, None)
        if found is None:
            return
        _, target, who = found
        for client, _, home in who:
            if client not in self._waiters:
                for worker in dict.fromkeys((home, target)):
                    self._tell(worker, [rows.ASK, client])

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
        level, at, fallen = self.room.progress(step.client)
        self._tell(
            waiter.worker,
            [
                STEP, step.client, waiter.number, level, None if at is None else at - now, fallen, step.accepts,
                step.widens, step.others,
            ],
        )  # fmt: skip

    def _is_at(self, client: int, worker: int) -> bool:
        waiter = self._waiters.get(client)
        return waiter is not None and waiter.worker == worker

    def _full(self, client: int) -> None:
        waiter = self._waiters[client]
        self._drop(client)
        self._tell(waiter.worker, [rows.FULL, client, waiter.number])

    def _drop(self, client: int) -> None:
        """Remove a client; the caller removes it from the room."""
        waiter = self._waiters.pop(client, None)
        if waiter is not None:
            self._release(waiter)

    def _release(self, waiter: Waiter) -> None:
        """Release what a client that was removed held."""
        if self._waiting:
            self._count(waiter.worker, -1)
        if waiter.ids:
            self._vocabulary.release(waiter.ids)

    def _count(self, worker: int, more: int) -> None:
        if worker in self._waiting:
            self._waiting[worker] += more

    def _tell(self, worker: int, row: Row) -> None:
        out = self.out.get(worker)
        if out is not None:
            out.append(row)
