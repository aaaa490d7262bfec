"""Represent the hub's waiting room in a worker: calls of the engine become messages to the hub, and the hub's messages become calls here.

**Invariant:** the worker's tickets are authoritative; a new hub process gets all of them again, with their age.
"""

# Rows (`engine.rooms.hub_messages`) are sent once per turn of the loop; rows of the hub arrive by `told`. A user matched with one of another worker
# migrates there, or the other arrives here by `arrived`; three may come one by one, and their chat begins when the last is here.

from collections.abc import Callable, Iterable, Mapping
from itertools import count
from typing import Any, Final

from engine.core.engine_histograms import Histogram
from engine.core.ports import Seats
from engine.matching.interest_numbers import Vocabulary
from engine.matching.kept_pairs import PairCall
from engine.matching.lobby import MatcherFull
from engine.matching.spy_queue import SpyMatch, Wish
from engine.matching.tickets import Match, Step, Ticket
from engine.rooms import hub_messages as rows
from engine.rooms.hub_messages import Meeting, ticket_row
from engine.rooms.hub_messages import Row as Row
from engine.rooms.hub_messages import is_meeting as is_meeting

# Seconds until the hub answers a ticket: a turn of two loops; a hub that takes more than a second is away.
ANSWER_BOUNDS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
GATHER_FOR: Final = 1.0  # seconds to wait for the last of three
AT_ONCE: Final = 500  # tickets repeated in one turn: this takes half a millisecond, all at once would take a second

NEWS: Final = frozenset(
    (rows.DONE, rows.BAR, rows.ASKED, rows.WANT)
)  # rows about past events, which are not stale for a new hub
NOBODY: Final[Mapping[int, int]] = {}

Found = Match | SpyMatch


def never_full() -> bool:
    """Report that the link to the hub accepts more rows."""
    return False


def stay(_client: int, _to: int, _meeting: Row, _number: int) -> None:
    """Do nothing: there is no other worker."""


class HeldTicket:
    """A waiting ticket. `asked`: when it was submitted; 0.0 once the hub has answered, or for one that migrated here."""

    __slots__ = ("aside", "asked", "number", "ticket")

    def __init__(self, ticket: Ticket | Wish, number: int, aside: bool) -> None:
        self.ticket = ticket
        self.number = number
        self.aside = aside
        self.asked = 0.0


class Gathering:
    """Three matched users, one of them still migrating here."""

    __slots__ = ("came", "meeting", "until")

    def __init__(self, meeting: Meeting, until: float) -> None:
        self.meeting = meeting
        self.until = until
        self.came: dict[int, int] = {}  # client to the number that its ticket has here, of those who have arrived


class RemoteRoom:
    """Waiting room in the hub, as a worker sees it; implements `engine.core.ports.Room`.

    `seats`: the engine; `go`: send a client to another worker (client, worker, row of the meeting, number of the ticket); `is_full`: whether
    the link to the hub takes no more tickets.
    """

    def __init__(
        self,
        number: int,
        seats: Seats,
        go: Callable[[int, int, Row, int], None] = stay,
        is_full: Callable[[], bool] = never_full,
    ) -> None:
        self.vocabulary = Vocabulary()
        self._number = number  # number of this worker
        self._held: dict[int, HeldTicket] = {}
        self._numbers = count(1)
        # clients whose tickets the hub is not told of as they arrive: they are matched
        self._coming: frozenset[int] = frozenset()
        self._gatherings: dict[int, Gathering] = {}
        self._there: dict[str, Any] = {}  # last figures of the whole room from the hub
        self._untold: list[int] = []  # clients whose tickets are still to be repeated, the last first
        self.rows: list[Row] = []  # to send to the hub
        self.news: list[PairCall] = []  # empty: the hub tells calls
        self.counts: dict[str, int] = {}  # empty: the hub counts
        self.answers = Histogram(ANSWER_BOUNDS)
        self._meet, self._is_waiting, self._tell, self._send_away = (
            seats.meet,
            seats.is_waiting,
            seats.tell,
            seats.send_away,
        )
        self._called, self._here, self._wanted = seats.called, seats.here, seats.wanted
        self.go = go
        self.is_full = is_full

    # called by the engine (`engine.core.ports.Room`)

    def submit(self, ticket: Ticket | Wish, now: float) -> Found | None:
        """Submit a ticket. The answer comes by `told`. Raises MatcherFull if the hub accepts none; a client that already waits continues."""
        held = self._held.get(ticket.client)
        if held is None:
            if self.away or self.is_full():
                raise MatcherFull
        else:
            ticket.since = min(ticket.since, held.ticket.since)
        self._hold(ticket, False, rows.NEW, now)
        self._held[ticket.client].asked = now
        return None

    def status(self, client: int, now: float) -> Step | None:
        """Return None: the hub sends it."""
        return None

    def since(self, client: int) -> float | None:
        """See `Room`."""
        held = self._held.get(client)
        return None if held is None else held.ticket.since

    def cancel(self, client: int, now: float, reason: str = "cancelled") -> None:
        """See `Room`."""
        if self._held.pop(client, None) is not None:
            self.rows.append([rows.CANCEL, client, reason])

    def set_aside(self, client: int, now: float) -> None:
        """See `Room`."""
        held = self._held.get(client)
        if held is not None:
            held.aside = True
            self.rows.append([rows.ASIDE, client])

    def restore(self, client: int, now: float) -> Found | None:
        """See `Room`."""
        held = self._held.get(client)
        if held is not None:
            held.aside = False
            self.rows.append([rows.BACK, client])
        return None

    def advance(self, now: float) -> tuple[list[Found], list[Step]]:
        """Cancel meetings of three if one of the users did not arrive."""
        for id in [id for id, gathering in self._gatherings.items() if gathering.until <= now]:
            self._fail(self._gatherings.pop(id).meeting, now)
        return [], []

    def due(self) -> float | None:
        """See `Room`."""
        return min([gathering.until for gathering in self._gatherings.values()]) if self._gatherings else None

    def asked(self, question: str, language: str, now: float) -> None:
        """See `Room`."""
        self.rows.append([rows.ASKED, question, language])

    def here(self, client: int, halves: tuple[int, ...], person: int, now: float) -> list[int] | None:
        """See `Room`."""
        del now
        if not self.is_full():
            self.rows.append([rows.HERE, client, person, list(halves)])
        return None

    def want(self, client: int, chat: int, side: int) -> None:
        """See `Room`."""
        if not self.is_full():
            self.rows.append([rows.WANT, client, chat, side])

    def leave(self, client: int, now: float) -> tuple[Ticket | Wish, bool] | None:
        """See `Room`."""
        held = self._held.pop(client, None)
        if held is None:
            return None
        self.rows.append([rows.LEAVE, client])
        return held.ticket, held.aside

    def enter(self, ticket: Ticket | Wish, aside: bool, now: float) -> Found | None:
        """See `Room`."""
        if ticket.client in self._coming:
            self._held[ticket.client] = HeldTicket(ticket, next(self._numbers), aside)
        else:
            self._hold(ticket, aside, rows.AWAY if aside else rows.WAITS, now)
        return None

    def clients(self) -> list[int]:
        """See `Room`."""
        return sorted(self._held, key=lambda client: (self._held[client].aside, self._held[client].ticket.since))

    def pace(self, now: float) -> dict[str, Any]:
        """Return nothing: the hub keeps it."""
        return {}

    def take_pace(self, pace: dict[str, Any], now: float) -> None:
        """Ignore it: the hub keeps it."""

    def figures(self) -> dict[str, int]:
        """Return zeros: the index is the hub's, which counts it."""
        return NO_INDEX

    def sizes(self) -> dict[tuple[str, str], int]:
        """Return nothing: the hub counts them."""
        return {}

    def spy_sizes(self) -> tuple[int, int]:
        """Return the numbers of the whole room that the hub sent last."""
        asking, discussing = self._there.get("spy_sizes", (0, 0))
        return asking, discussing

    def talking(self) -> dict[str, int] | None:
        """Return the numbers that the hub sent last; empty if it does not know all hosts'."""
        found: dict[str, int] = self._there.get("talking", {})
        return found

    def spy_waits(self, now: float) -> tuple[float, float]:
        """Return the waits of the whole room that the hub sent last."""
        asks, discusses = self._there.get("spy_waits", (0.0, 0.0))
        return asks, discusses

    # called for the hub

    def found(self, now: float) -> None:
        """Repeat all tickets to a hub that has none of this worker: AT_ONCE of them now, the others as it asks for more."""
        self.rows[:] = [row for row in self.rows if row[0] in NEWS]
        self._untold = [*reversed(self._held)]
        self._say_on(now)

    @property
    def away(self) -> bool:
        """Whether so many rows wait on their way to the hub that no newcomer is accepted."""
        away: bool = self._there.get("away", False)
        return away

    def there(self, said: dict[str, Any]) -> None:
        """Set the figures of the whole room: `spy_sizes`, `spy_waits`, `away`."""
        self._there = said

    def bar(self, person: int, partner: int, networks: tuple[str, ...]) -> None:
        """Pass a report on to the hub: the two are not matched (`RecentPartners.on_report`)."""
        self.rows.append([rows.BAR, person, partner, networks])

    def urgent(self) -> bool:
        """Whether rows must be sent now; matches whose chat began can wait until the next row or a moment."""
        return any(row[0] != rows.DONE for row in self.rows)

    def told(self, batch: Iterable[Row], now: float) -> None:
        """Handle the rows of the hub, in order; unknown kinds are skipped. Raises TypeError, ValueError."""
        for row in batch:
            kind = row[0]
            if kind == rows.STEP:
                self._step(row, now)
            elif kind == rows.MEET:
                self._sit(Meeting.of(row), now)
            elif kind == rows.GO:
                self._go(row, now)
            elif kind == rows.CALLED:
                self._called(PairCall(*row[1:]))
            elif kind == rows.HERE:
                _, client, places = row
                self._here(client, places)
            elif kind == rows.WANTED:
                _, client, chat, side = row
                self._wanted(client, chat, side, now)
            elif kind == rows.ASK:
                _, client = row
                self._say_again(client, now)
            elif kind == rows.AGAIN:
                self.found(now)
            elif kind == rows.ON:
                self._say_on(now)
            elif kind == rows.FULL:
                _, client, number = row
                if self._answered(client, number, now) is not None:
                    del self._held[client]
                    self._send_away(client, now)

    # called for other workers

    def meets(self, client: int) -> bool:
        """Whether a client that migrated here for a match still waits for it to begin."""
        return client in self._coming or any(client in one.came for one in self._gatherings.values())

    def expect(self, clients: Iterable[int]) -> None:
        """Note clients that arrive now for a match: until `arrived` the hub is not told of their tickets."""
        self._coming = frozenset(clients)

    def arrived(self, meeting: Row, now: float) -> None:
        """Note that the clients given to `expect` are here; begin the chat if all of it are."""
        came, self._coming = self._coming, frozenset()
        self._gather(Meeting.of(meeting), came, now)

    def arrived_together(self, meetings: Iterable[Row], now: float) -> None:
        """See `arrived`, for the meetings of several clients. Raises what each of them raised, after all were tried."""
        came, self._coming = self._coming, frozenset()
        tried: set[int] = set()  # two of a meeting may come together
        faults: list[Exception] = []
        for meeting in meetings:
            try:
                said = Meeting.of(meeting)
                if said.id not in tried:
                    tried.add(said.id)
                    self._gather(said, came, now)
            except Exception as fault:  # noqa: BLE001 - a bug costs this meeting, not the others
                faults.append(fault)
        if faults:
            raise ExceptionGroup("meetings whose chat did not begin", faults)

    def _gather(self, said: Meeting, came: frozenset[int], now: float) -> None:
        gathering = self._gatherings.get(said.id)
        if gathering is None:
            gathering = self._gatherings[said.id] = Gathering(said, now + GATHER_FOR)
        here = [member.client for member in said.who if member.client in came and member.client in self._held]
        gathering.came |= {client: self._held[client].number for client in here}
        if all(member.worker == self._number or member.client in gathering.came for member in said.who):
            del self._gatherings[said.id]
            self._sit(said, now, gathering.came)

    def came_back(self, meeting: Row, now: float) -> None:
        """Report the failure of a meeting whose member stayed here, or came back since no worker accepted it."""
        self.rows.append([rows.FAILED, Meeting.of(meeting).id])

    def goes(self, client: int, number: int) -> bool:
        """Whether a client that the hub sends to another worker still waits, with the same ticket."""
        return self._is_ready(client, number)

    # internal

    def _hold(self, ticket: Ticket | Wish, aside: bool, status: int, now: float) -> None:
        held = self._held[ticket.client] = HeldTicket(ticket, next(self._numbers), aside)
        self._say(held, status, now)

    def _say_on(self, now: float) -> None:
        for client in self._untold[: -AT_ONCE - 1 : -1]:
            self._say_again(client, now)
        del self._untold[-AT_ONCE:]
        if self._untold:
            self.rows.append([rows.MORE])

    def _say_again(self, client: int, now: float) -> None:
        """Repeat the client's ticket, if it waits."""
        held = self._held.get(client)
        if held is not None:
            self._say(held, rows.AWAY if held.aside else rows.WAITS, now)

    def _say(self, held: HeldTicket, status: int, now: float) -> None:
        ticket = held.ticket
        if isinstance(ticket, Ticket) and ticket.halves:
            self.rows.append([rows.PAIRS, ticket.client, held.number, list(ticket.halves), ticket.calls])
        words = self.vocabulary.words(ticket.interests) if isinstance(ticket, Ticket) and ticket.interests else []
        self.rows.append(ticket_row(ticket, held.number, words, status, now))

    def _step(self, row: Row, now: float) -> None:
        _, client, number, level, step, fallen, accepts, widens, others = row
        held = self._answered(client, number, now)
        if held is None:
            return
        if isinstance(held.ticket, Ticket):
            held.ticket.set_progress(level, None if step is None else now + step, fallen)
        self._tell(Step(client, accepts, widens, others))

    def _answered(self, client: int, number: int, now: float) -> HeldTicket | None:
        """Note an answer of the hub and return the ticket; None if the answer is for an earlier one."""
        held = self._held.get(client)
        if held is None or held.number != number:
            return None
        if held.asked:
            self.answers.add(now - held.asked)
            held.asked = 0.0
        return held

    def _go(self, row: Row, now: float) -> None:
        _, client, worker, meeting = row
        number = rows.number_in(meeting, client)
        if self._is_ready(client, number):
            self._answered(client, number, now)
            self.go(client, worker, meeting, number)
        else:
            self.came_back(meeting, now)

    def _is_ready(self, client: int, number: int) -> bool:
        held = self._held.get(client)
        return held is not None and held.number == number and not held.aside and self._is_waiting(client)

    def _sit(self, meeting: Meeting, now: float, came: Mapping[int, int] = NOBODY) -> None:
        """Seat a meeting whose members should all be here."""
        for member in meeting.who:
            self._answered(member.client, came.get(member.client, member.number), now)
        held = [self._held.get(member.client) for member in meeting.who]
        persons = [[one.ticket.client, one.ticket.person] for one in held if one is not None]
        missing = [one for one in meeting.who if not self._is_ready(one.client, came.get(one.client, one.number))]
        if not missing and self._meet(self._found(meeting), now):
            for client, _ in persons:
                del self._held[client]
            self.rows.append([rows.DONE, meeting.id, *persons])
        else:
            self._fail(meeting, now)

    def _found(self, meeting: Meeting) -> Found:
        clients = [member.client for member in meeting.who]
        if not meeting.rule:
            spy = clients.pop(0) if meeting.spies else None
            return SpyMatch(spy, clients[0], clients[1], (meeting.waited[0], meeting.waited[1]), meeting.question)
        vocabulary = self.vocabulary
        ids = vocabulary.intern(vocabulary.known(meeting.words))
        vocabulary.release(ids)  # the searches of the two hold them until their chat begins
        waited_a, waited_b = meeting.waited
        return Match(clients[0], clients[1], tuple(ids), meeting.weight, waited_a, waited_b, meeting.rule)

    def _fail(self, meeting: Meeting, now: float) -> None:
        """Report that a meeting failed, with the tickets of those who came here for it."""
        for member in meeting.who:
            if member.worker != self._number:
                self._say_again(member.client, now)
        self.rows.append([rows.FAILED, meeting.id])


NO_INDEX: Final = dict.fromkeys(("postings", "tickets", "cut", "interests", "bytes", "pools", "aside"), 0)
