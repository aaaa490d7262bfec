"""Handle searches: turn a `find` frame into a ticket in the waiting room, and a match into a chat.

**Invariant:** a match is verified before the chat begins: if one of the users has disconnected, left or started another search, no chat begins, and
the other users' tickets return to the waiting room with their age.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import orjson

from engine.chats.age_question import AgeQuestion
from engine.chats.challenges import Challenges
from engine.chats.chat_lifecycle import Chats
from engine.chats.kept_seats import KeptSeats
from engine.chats.unread_notices import UnreadNotices
from engine.conduct.search_rate import SearchRate
from engine.core.bus_messages import Begin
from engine.core.chat import Chat, Seat, name_of_chat
from engine.core.engine_state import EngineState
from engine.core.ports import Room
from engine.core.session import Query, Session
from engine.core.states import CHATTING, FIND, LEAVE, WAITING
from engine.matching.interest_normalisation import BadInterest
from engine.matching.kept_pairs import PairCall
from engine.matching.search_criteria import Terms, shared
from engine.matching.spy_queue import SpyMatch, Wish
from engine.matching.tickets import Match, Step, Ticket
from engine.wire.client_requests import Find, Here
from engine.wire.engine_errors import BadField, Refusal
from engine.wire.protocol import ACCEPTS, ANY_LANGUAGE, INTEREST_MAX, MAINTENANCE_RETRY_AFTER, SPY, STRANGER, WATCHER
from engine.wire.server_frames import called, here, waiting

_MATCH_EVENTS: Final = {rule: f"match {rule}" for rule in ACCEPTS}  # as the tally counts them
# these with an underscore are numbers of C in the compiled module, which no other module sees
_CHATTING: Final = CHATTING
_WAITING: Final = WAITING


class Search:
    """Searches of the engine."""

    __slots__ = ("_ages", "_chats", "_core", "_kept", "_notices", "_trials", "finds", "room")

    def __init__(
        self,
        core: EngineState,
        room: Room,
        chats: Chats,
        kept: KeptSeats,
        notices: UnreadNotices,
        ages: AgeQuestion,
        trials: Challenges,
    ) -> None:
        self._core = core
        self.room = room
        self._chats = chats
        self._kept = kept
        self._notices = notices
        self._ages = ages
        self._trials = trials
        self.finds = SearchRate(core.settings.find_burst, core.settings.find_interval)

    def find(self, session: Session, request: Find, now: float) -> None:
        """Handle a `find`: refuse it, or answer `waiting` or `matched`. Raises Refusal, Busy, KeptOut, MatcherFull."""
        core = self._core
        if core.settings.limits:
            self.finds.pay(session.identity or session.id, now)
        if core.closed:
            raise Refusal("maintenance", "find", None, MAINTENANCE_RETRY_AFTER)
        if core.settings.require_adult and not request.adult:
            raise Refusal("adult", "find")
        self._notices.hold(session)
        if not (self._ages.hold(session, now) and self._trials.hold(session, now)):
            if session.state == _WAITING:
                self.set_aside(session, now)  # it keeps its age
            raise Refusal("challenge", "find")
        query = self._query(session, request, now)
        # no refusal is possible any more: the old chat or search ends here
        before = session.state
        session.move(FIND)
        if before == _CHATTING:
            if not (request.keep and self._kept.keep(session, now)):
                self._chats.leave(session, "stranger", now)
        elif before == _WAITING:
            self._forget(session, query, now)
        session.serial += 1
        session.query = query
        session.snaps, session.pictures = request.snaps, request.pictures
        self.submit(session, now)

    def _query(self, session: Session, request: Find, now: float) -> Query:
        core = self._core
        video = request.video
        if video:
            if not core.settings.video:
                raise BadField("find", "mode")
            self._chats.snaps.hold(session, request.snaps, now)
        relay = request.relay and video
        if relay and not core.settings.turn:
            raise Refusal("no_turn", "find")
        college = None
        if request.college is not None:
            college = core.outside.open_proof(request.proof, session)
            if college is None:
                raise Refusal("no_college", "find")
        same = request.college == "same"
        writes = request.writes if request.language == ANY_LANGUAGE else ANY_LANGUAGE
        terms = shared(
            (request.language, request.role, video, request.strict, relay, request.share, college, same, writes)
        )
        avoid = core.outside.open_avoid(request.avoid) if request.avoid else ()
        query = Query.__new__(Query)
        query.fill(terms, request.question, avoid)
        if request.pairs and request.role == STRANGER:
            query.halves = core.outside.open_pairs(request.pairs, session.identity)
            if request.call >= 0:
                query.calls = query.halves[request.call] if request.call < len(query.halves) else 0
                if not query.calls:
                    raise BadField("find", "call")
        words = request.interests
        if words and request.role == STRANGER:
            try:
                core.words.hold(session, query, words)
            except BadInterest:
                code = "too_long" if max(map(len, words)) > INTEREST_MAX else "empty"
                raise Refusal(code, "find") from None
        return query

    def submit(self, session: Session, now: float) -> None:
        """Submit the session's search; send `waiting` if no partner is found at once."""
        query = session.query
        if query is None:
            return
        found = self.room.submit(self._ticket(session, query, now), now)
        if self.room.news:
            self._tell_calls()
        if found is not None:
            self.meet(found, now)
        elif session.conn:
            self.tell(session, self.room.status(session.id, now))

    def _ticket(self, session: Session, query: Query, now: float) -> Ticket | Wish:
        recents = self._core.recents
        person, terms = session.person, query.terms
        # persons never to match: a ticket holds the last 16 of those reported today, then those blocked last
        recent, barred = recents.recent(person, now), recents.barred(person, now, query.avoid)
        if terms.role != STRANGER:
            return Wish(session.id, terms.role == SPY, terms.language, person, recent + barred, now)
        ticket = Ticket.__new__(Ticket)
        ticket.fill(session.id, terms.pool, terms.strict, person, recent, now, barred, terms.also)
        ticket.interests, ticket.halves, ticket.calls = query.ids, query.halves, query.calls
        return ticket

    def meet(self, found: Match | SpyMatch, now: float) -> bool:
        """Seat the two or three of a match. Return False if one of them is no longer available: the others wait on."""
        return self.pair(found, now) if isinstance(found, Match) else self._three(found, now)

    def tell(self, session: Session, step: Step | None) -> None:
        """Send `waiting`."""
        if step is not None:
            self._core.send(session.conn, waiting(step.accepts, step.widens, step.others))

    def stop(self, session: Session, now: float, reason: str = "cancelled") -> None:
        """End the search without a partner, for one of the lobby's reasons. The caller has moved the session."""
        query = session.query
        if query is not None:
            self.room.cancel(session.id, now, reason)
            self._tell_calls()
            self._core.words.release(query)
            session.query = None

    def set_aside(self, session: Session, now: float) -> None:
        """Hold the search of a user who is away: it is not matched, and its age grows."""
        if session.query is not None:
            self.room.set_aside(session.id, now)
            self._tell_calls()

    def restore(self, session: Session, now: float) -> None:
        """Resume the search of a user who is back: match it at once, or send `waiting`."""
        if session.query is None:
            return
        found = self.room.restore(session.id, now)
        self._tell_calls()
        if found is not None:
            self.meet(found, now)
        else:
            self.tell(session, self.room.status(session.id, now))

    def close(self, sessions: Iterable[Session], now: float) -> None:
        """Begin no search from now on (maintenance), and end those of these sessions: each connected user gets `maintenance`."""
        self._core.closed = True
        for session in sessions:
            if session.state == _WAITING:
                self.refuse(session, "maintenance", MAINTENANCE_RETRY_AFTER, now)

    def refuse(self, session: Session, code: str, retry_after: float, now: float) -> None:
        """End a search that waits: its user gets this error, if they are connected."""
        session.move(LEAVE)
        self.stop(session, now)
        if session.conn:
            self._core.refuse(session, code, "find", None, retry_after)

    def advance(self, now: float) -> None:
        """Commit the matches and send the steps that are due in the waiting room."""
        found, steps = self.room.advance(now)
        for match in found:
            self.meet(match, now)
        for step in steps:
            self.tell_client(step)

    def tell_client(self, step: Step) -> None:
        """Send `waiting` to the step's client, if it is connected and waits."""
        session = self.waits(step.client)
        if session is not None:
            self.tell(session, step)

    # kept pairs

    def here(self, session: Session, request: Here, now: float) -> None:
        """Answer which users of kept pairs search now, at once or when the hub has answered. Raises Refusal."""
        core = self._core
        if core.settings.limits:
            self.finds.pay(session.identity or session.id, now, "here")
        halves = core.outside.open_pairs(request.pairs, session.identity)
        places = self.room.here(session.id, halves, session.person, now)
        if places is not None:
            self.tell_here(session.id, places)

    def tell_here(self, client: int, places: Sequence[int]) -> None:
        """Send the answer to `here`, if the client is connected."""
        session = self._core.sessions.get(client)
        if session is not None and session.conn:
            self._core.send(session.conn, here(places))

    def tell_call(self, call: PairCall) -> None:
        """Send `called` to a client that still searches with this half."""
        session = self.waits(call.client)
        if session is not None and session.query is not None and call.half in session.query.halves:
            self._core.send(session.conn, called(session.query.halves.index(call.half), call.mode, call.on))

    def _tell_calls(self) -> None:
        news = self.room.news
        for call in news:
            self.tell_call(call)
        news.clear()

    # migration

    def leave(self, session: Session, query: Query, now: float) -> Ticket | Wish:
        """Remove a search that migrates: return its ticket or wish, a new one if the waiting room has none. Its words stay interned."""
        found = self.room.leave(session.id, now)
        self._tell_calls()
        return self._ticket(session, query, now) if found is None else found[0]

    def enter(self, ticket: Ticket | Wish, aside: bool, now: float) -> None:
        """Add a search that migrated here; it may be matched at once. The client is not sent `waiting` again. Raises MatcherFull."""
        found = self.room.enter(ticket, aside, now)
        self._tell_calls()
        if found is not None:
            self.meet(found, now)

    def _forget(self, session: Session, query: Query, now: float) -> None:
        """End the search that is replaced. The waiting room replaces a ticket of the same kind, which keeps its age."""
        old = session.query
        if old is not None:
            if (old.terms.role == STRANGER) != (query.terms.role == STRANGER):
                self.room.cancel(session.id, now)
            self._core.words.release(old)

    # from a match to a chat

    def pair(self, match: Match, now: float) -> bool:
        """Seat the two of a match, if both are available."""
        core = self._core
        a = self.waits(match.a)
        b = self.waits(match.b)
        if a is None or b is None or a.query is None or b.query is None:
            for session in (a, b):
                if session is not None:
                    self.submit(session, now)
            return False
        one, two = a.query, b.query
        number = core.outside.new_id()
        chat = Chat.__new__(Chat)
        chat.fill(
            name_of_chat(number),
            core.rings.new(number),
            now,
            one.terms.video,
            one.terms.relay or two.terms.relay,
            None,
            ((0, a.identity, a.endpoint), (1, b.identity, b.endpoint)) if core.keeps else (),
            (one.terms.college, two.terms.college) if one.terms.college or two.terms.college else (),
        )
        common = match.common
        core.count(_MATCH_EVENTS[match.rule])
        core.measures.matched(one.terms.video, match.waited_a, match.waited_b, len(common))
        self._offer(chat, 0, a, b, two.terms, common)
        self._offer(chat, 1, b, a, one.terms, common)
        return True

    def _offer(
        self, chat: Chat, side: int, session: Session, partner: Session, terms: Terms, common: tuple[int, ...]
    ) -> None:
        """Offer a session its seat in a chat of two. `terms`: of its partner's search."""
        seat = Seat.__new__(Seat)
        seat.fill(chat, side, ((1 - side, partner.id),), (partner.person,), partner.identity > 0)
        begin = Begin.__new__(Begin)
        begin.fill(session.serial, seat, common, terms.told, terms.college, side == 1)
        self._core.post(session.id, begin)

    def _three(self, match: SpyMatch, now: float) -> bool:
        """Seat the three of a spy match, if all are available."""
        core = self._core
        clients = (match.first, match.second) if match.spy is None else (match.first, match.second, match.spy)
        found = [self.waits(client) for client in clients]
        three = [session for session in found if session is not None and session.query is not None]
        if len(three) < len(clients):
            for session in three:
                self.submit(session, now)
            return False
        spy = three[WATCHER].query if match.spy is not None else None
        number = core.outside.new_id()
        question = spy.question if spy is not None else match.question
        if question is not None:
            core.outside.screen_question(number, orjson.dumps(question)[1:-1])
        chat = Chat(
            name_of_chat(number),
            core.rings.new(number),
            now,
            False,
            False,
            question,
            tuple([(side, who.identity, who.endpoint) for side, who in enumerate(three)]) if core.keeps else (),
        )
        core.count("match spy")
        for waited in match.waited:
            core.measures.waits["spy"].add(waited)
        places = [(side, session.id) for side, session in enumerate(three)]
        languages = [session.query.terms.language for session in three if session.query is not None]
        language = own_language(languages)
        if spy is not None and spy.terms.share and spy.question is not None:
            self.room.asked(spy.question, language, now)
        for side, session in enumerate(three):
            others = tuple([place for place in places if place[0] != side])
            met = [other for other in three if other is not session]
            seat = Seat(chat, side, others, tuple([other.person for other in met]), met[0].identity > 0)
            core.post(places[side][1], Begin(session.serial, seat, (), language, None, False))
        return True

    def waits(self, client: int) -> Session | None:
        """Return the session, if it is connected and waits."""
        session = self._core.sessions.get(client)
        return session if session is not None and session.conn and session.state == _WAITING else None


def own_language(languages: list[str]) -> str:
    """Return the first that names a language."""
    for language in languages:
        if language != ANY_LANGUAGE:
            return language
    return ANY_LANGUAGE
