"""Export sessions from this engine for another process, and import exported sessions.

**Invariant:** a session is in one process, with all its state, and the sessions of a chat move together; neither the users nor their partners
notice. `release` exports and removes sessions; the caller keeps the record until the target acknowledges it, and after a refusal passes it to
`take`, which recreates the sessions here.
"""

# A past chat that several sessions remember is sent with the first of them; later records refer to it by its id, until `forget`. A migration counts
# neither as an arrival nor as an end.

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from engine.chats.search import Search
from engine.chats.session_presence import Presence
from engine.core.chat import Chat
from engine.core.engine_state import EngineState
from engine.core.session import Session
from engine.core.states import CHATTING, PARTED
from engine.matching.address_networks import SHARES
from engine.matching.lobby import MatcherFull
from engine.matching.spy_queue import Wish
from engine.matching.tickets import Ticket
from engine.migrate.record_fields import (
    check_chat,
    check_person,
    read_chat,
    read_query,
    read_seat,
    read_session,
    write_chat,
    write_keys,
    write_query,
    write_seat,
    write_session,
)
from engine.migrate.session_record import (
    OLDEST,
    PACE,
    PERSON,
    REST,
    VERSION,
    BadRecord,
    SessionRecord,
    blob,
    check,
    check_version,
    reports_of,
)
from engine.migrate.waiting_row import has_row, read_row, words_of, write_row
from engine.wire.client_requests import Resume
from engine.wire.engine_errors import Refusal
from engine.wire.protocol import DROPPED, PAST_FOR

Connect = Callable[[int, Session, str, dict[str, Any], bytes], int]
Allow = Callable[[Session, list[float]], None]
Arrival = tuple[Session, dict[str, Any], Ticket | Wish | None]
NO_ALLOWANCES: Final[Mapping[int, list[float]]] = {}


def nothing_left(_: Session, __: list[float]) -> None:
    """Ignore what is left of a limit."""


class SessionMigration:
    """Export and import of the engine's sessions."""

    __slots__ = ("_core", "_over", "_presence", "_search", "_twice", "skipped", "steady", "writes")

    def __init__(self, core: EngineState, search: Search, presence: Presence, steady: bool = False) -> None:
        self._core = core
        self._search = search
        self._presence = presence
        self._over: dict[str, Chat] = {}  # chats that have ended and were exported or imported in this migration
        self._twice: set[int] | None = None  # persons with more than one session here, as of the first release
        # sessions move one by one for the whole life of the process: each record is complete, and no migration is remembered
        self.steady = steady
        self.skipped = 0  # fields that this release does not know
        self.writes = (
            VERSION  # version of the exported records: one that the other process reads too (`agreed`), until `forget`
        )

    def find(self, key: int) -> int | None:
        """Return the id of the session whose token holds a key."""
        session = self._core.by_key(key)
        return None if session is None else session.id

    def awaiting(self, key: int) -> list[int]:
        """Return the sessions that wait to resume the session of a key."""
        return self._presence.awaiting(key)

    def wanted(self, session_record: SessionRecord, now: float) -> int | None:
        """Return the key of the session that the first one of a record is to resume, as it is now: each resume changes it. None: it is not here, or
        nothing is to be resumed. Raises KeyError, TypeError or ValueError for a record that does not fit.
        """
        record = session_record.record["people"][0]
        if "resume" not in record:
            return None
        key = self._core.outside.open_token(record["resume"][0], read_session(record, now))
        session = None if key is None else self._core.by_key(key)
        return None if session is None else session.key

    def group(self, id: int) -> tuple[int, ...]:
        """Return the sessions that must move together: those of its chat, by side; else the one. Raises KeyError if it is not here."""
        session = self._core.sessions[id]
        seat = session.seat
        if seat is None or session.state != CHATTING:
            return (id,)
        return tuple([other for _, other in sorted([(seat.side, id), *seat.others])])

    def order(self) -> list[int]:
        """Return all sessions in the best order to move: those that wait, longest first; others outside a chat; those that chat."""
        sessions = self._core.sessions
        first = self._search.room.clients()
        talk = [session.id for session in sessions.values() if session.state == CHATTING]
        others = [session.id for session in sessions.values() if session.state != CHATTING]
        return list(dict.fromkeys([*first, *others, *talk]))

    @property
    def versions(self) -> tuple[int, int]:
        """Record versions that this release reads: oldest, newest."""
        return OLDEST, VERSION

    def rewire(self, session: Session, conn: int, now: float) -> None:
        """Set the new number of a connection that left the reactor and came back; 0: it is lost."""
        if not conn:
            self._presence.lost(session, session.conn, DROPPED, now)
            return
        session.conn = conn
        if session.seat is not None and session.state == CHATTING and session.seat.is_linked:
            self._core.out.link(conn, session.seat.chat.ring, session.seat.side)

    def forget(self) -> None:
        """End a migration, or give it up: chats that have ended are no longer known by their ids."""
        self._over.clear()
        self._twice = None
        self.writes = VERSION

    # export

    def release(
        self,
        ids: Iterable[int],
        wires: Mapping[int, tuple[str, dict[str, Any], bytes]],
        now: float,
        allowances: Mapping[int, list[float]] = NO_ALLOWANCES,
        near: bool = False,
    ) -> SessionRecord:
        """Export sessions silently; their objects are GONE. Raises KeyError, or ValueError for a part of a chat, before any change.

        `wires`: connections by session: address, state and bytes, as `Reactor.release` gave them; `allowances`: what is left of the limits
        of sessions that are away; `near`: for a process of this release. Call it only between two events, when no bus message is queued.
        """
        sessions = self._core.sessions
        there = [sessions[id] for id in ids]
        together = {session.id for session in there}
        for session in there:
            if session.state == CHATTING and not together.issuperset(self.group(session.id)):
                raise ValueError("the people of a chat go together")
        blobs: list[bytes] = []
        chats: dict[str, dict[str, Any]] = {}
        people = [self._leave(session, wires.get(session.id), blobs, chats, now, near) for session in there]
        for record in people if allowances else ():
            if record["id"] in allowances:
                record["tokens"] = allowances[record["id"]]
        return SessionRecord({"v": self.writes, "people": people, "chats": list(chats.values())}, blobs)

    def _leave(
        self,
        session: Session,
        wire: tuple[str, dict[str, Any], bytes] | None,
        blobs: list[bytes],
        chats: dict[str, dict[str, Any]],
        now: float,
        near: bool,
    ) -> dict[str, Any]:
        core, seat, past = self._core, session.seat, session.past
        record = self._write(session, now, near)
        if seat is not None:
            record["seat"] = write_seat(seat, now)
            self._send(seat.chat, chats, blobs, now, live=session.state == CHATTING)
        if past is not None and past.ended + PAST_FOR >= now:
            record["past"] = write_seat(past, now)
            self._send(past.chat, chats, blobs, now)
        person, payer = session.person, session.identity or session.id
        core.leave(record, person, now, self._stays(person))
        ahead = self._search.finds.leave(payer, now, self._stays(payer))
        if ahead:
            record["finds"] = ahead
        request = self._presence.awaits(session)
        if request is not None:
            record["resume"] = [request.token, request.last, request.chat]
        if wire is not None:
            address, state, data = wire
            state = record["wire"] = dict(state)
            if address != session.address:
                state["address"] = address
            if data:
                state["bytes"] = len(blobs)
                blobs.append(data)
        self._presence.release(session)
        return record

    def _write(self, session: Session, now: float, near: bool) -> dict[str, Any]:
        """Encode a session with its search, which ends here."""
        core, query = self._core, session.query
        if query is None:
            return write_session(session, now)
        ticket = self._search.leave(session, query, now)
        words = core.words.as_typed(query) if query.ids else []
        if near and isinstance(ticket, Ticket) and has_row(session):
            record = write_keys(session)
            record["row"] = write_row(session, query, words, ticket, now)
        else:
            record = write_session(session, now)
            record["query"] = write_query(query, words, ticket, now)
        core.words.release(query)
        return record

    def _send(
        self, chat: Chat, chats: dict[str, dict[str, Any]], blobs: list[bytes], now: float, live: bool = False
    ) -> None:
        """Add the chat to the record, unless it is in it already, or was sent before and has ended.

        A running chat replaces a copy of it that a watcher who left may have, which ended when they migrated.
        """
        there = chats.get(chat.id)
        if there is None:
            goes = live or chat.id not in self._over
        else:
            goes = live and "ended" in there["ring"]
        if goes:
            chats[chat.id], over = write_chat(chat, now, blobs)
            if over and not self.steady:
                self._over[chat.id] = chat

    def _stays(self, person: int) -> bool:
        """Whether a person's entries are still needed here after one of their sessions has left; under `steady`, always."""
        if self.steady:
            return True
        if self._twice is None:
            counts = Counter(
                [session.identity or session.alias or session.id for session in self._core.sessions.values()]
            )
            self._twice = {person for person, count in counts.items() if count > 1}
        return person in self._twice

    # import

    def take(
        self, session_record: SessionRecord, connect: Connect, now: float, allow: Allow = nothing_left
    ) -> list[Session]:
        """Import what another process released, or this one. Return the sessions in order. Raises BadRecord before any change.

        `connect(place, session, address, state, bytes)` is called for each person with a wire, with their index in `people`: it makes the
        connection and returns its number; 0: it failed, then the session is away, as if the connection had dropped now. `allow` gets what
        is left of the limits of a session that is away. A waiting session may be matched, and is told so; nothing else is sent.
        """
        arrivals, chats = self._read(session_record, now)
        core, presence = self._core, self._presence
        cut: list[Session] = []
        for place, (session, record, _) in enumerate(arrivals):
            wire = record.get("wire")
            if wire is not None:
                data = blob(wire, session_record.blobs)
                session.conn = connect(place, session, wire.get("address", session.address), wire, data)
            if not session.conn and not session.deadline:
                cut.append(session)
            presence.arrive(session)
            core.enter(session.person, record, now)
            if "finds" in record:
                self._search.finds.enter(session.identity or session.id, record["finds"], now)
            if "tokens" in record:
                allow(session, record["tokens"])
        live = {session.seat.chat.id for session, _, _ in arrivals if session.seat and session.state == CHATTING}
        for chat in chats:
            if chat.id not in live:
                chat.ring.end()  # of a watcher who left: it continues without them
        for session, record, ticket in arrivals:
            seat = session.seat
            if seat is not None and session.conn and seat.is_linked:
                core.out.link(session.conn, seat.chat.ring, seat.side)
            elif session.query is not None:
                self._wait(session, record, ticket, now)
        for session in cut:
            presence.cut(session, now)
        for session, record, _ in arrivals:
            if "resume" in record and session.conn:
                self._resume(session, Resume(*record["resume"]), now)
        return [session for session, _, _ in arrivals]

    def _wait(self, session: Session, record: dict[str, Any], ticket: Ticket | Wish | None, now: float) -> None:
        query = session.query
        if query is None or ticket is None:
            return
        words = words_of(record["row"]) if "row" in record else record["query"].get("words")
        if words:
            self._core.words.take(query, words)
            if isinstance(ticket, Ticket):
                ticket.interests = query.ids.unique()
        try:
            self._search.enter(ticket, not session.conn, now)
        except MatcherFull:
            self._presence.send_away(session, now)

    def _resume(self, fresh: Session, request: Resume, now: float) -> None:
        fresh.fresh = False
        try:
            self._presence.resume(fresh, request, now)
        except Refusal as refusal:
            self._core.refuse(fresh, refusal.code, refusal.of, None, None, refusal.field)

    def _read(self, session_record: SessionRecord, now: float) -> tuple[list[Arrival], list[Chat]]:
        """Decode all sessions of a record without changing a table. Raises BadRecord."""
        record, blobs = session_record
        try:
            check_version(record)
            skipped = len(record) - 3
            chats: dict[str, Chat] = {}
            for fields in record["chats"]:
                skipped += check_chat(fields)
                # restored in another order than exported; not for a running chat, where it would be a watcher's copy
                known = self._over.get(fields["id"]) if "ended" in fields["ring"] else None
                chats[fields["id"]] = known or read_chat(fields, blobs, self._core.rings, now)
            arrivals: list[Arrival] = []
            for fields in record["people"]:
                skipped += check(fields, PERSON) + check_person(fields, blobs)
                arrivals.append(self._read_person(fields, chats, now))
            self._fit([session for session, _, _ in arrivals])
        except BadRecord:
            raise
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise BadRecord(f"a record that does not fit: {error!r}") from error
        self.skipped += skipped
        for fields in () if self.steady else record["chats"]:
            if "ended" in fields["ring"]:
                self._over[fields["id"]] = chats[fields["id"]]
        return arrivals, list(chats.values())

    def _read_person(self, record: dict[str, Any], chats: dict[str, Chat], now: float) -> Arrival:
        ticket: Ticket | Wish | None = None
        if "row" in record:
            if "seat" in record or "away" in record:
                raise BadRecord("a session that cannot stand so")
            id = record["id"]
            session, ticket = read_row(id, record.get("key", id), record.get("used", -1), record["row"], now)
        else:
            session = read_session(record, now)
            if "query" in record:
                session.query, ticket = read_query(record["query"], session, now)
                if ticket is None:
                    raise BadRecord("a search that does not wait")
        for name in ("seat", "past"):
            if name in record:
                id = record[name]["chat"]
                chat = chats.get(id) or self._over.get(id)
                if chat is None:
                    raise BadRecord("a chat that did not come along")
                seat = read_seat(record[name], chat, now)
                if name == "seat":
                    session.seat = seat
                else:
                    session.past = seat
        if session.seat is not None and (session.seat.over is not None) != (session.state == PARTED):
            raise BadRecord("a seat that cannot be")
        return session, record, ticket

    def _fit(self, sessions: list[Session]) -> None:
        """Check that no session is here already or comes twice, and that all sessions of each running chat are in the record. Raises BadRecord."""
        core = self._core
        there: dict[str, set[tuple[int, int]]] = {}
        keys: set[int] = set()
        for session in sessions:
            own = (session.id,) if session.key == session.id else {session.id, session.key, session.used} - {-1}
            for key in own:
                if key in keys or key in core.sessions or key in core.aliases:
                    raise BadRecord("a session that is here already")
            keys.update(own)
            if session.seat is not None and session.state == CHATTING:
                there.setdefault(session.seat.chat.id, set()).add((session.seat.side, session.id))
        for session in sessions:
            seat = session.seat
            if seat is None or session.state != CHATTING:
                continue
            seats = there[seat.chat.id]
            if {(seat.side, session.id), *seat.others} != seats or len(dict(seats)) != len(seats):
                raise BadRecord("a part of a chat")

    # state of no session

    def pace(self, now: float) -> dict[str, Any]:
        """Export what the waiting rooms know beside their tickets, to be sent before any session."""
        return {"v": self.writes, **self._search.room.pace(now), "salt": self._core.recents.salt.hex()}

    def take_pace(self, pace: dict[str, Any], now: float) -> None:
        """Import what `pace` exported in another process. Raises BadRecord before any change."""
        check_version(pace)
        skipped = check(pace, PACE)
        try:
            salt = bytes.fromhex(pace.get("salt", ""))
        except ValueError as error:
            raise BadRecord("no salt") from error
        self.skipped += skipped
        self._search.room.take_pace(pace, now)
        if salt:
            self._core.recents.take_salt(salt[:64])

    def rest(self, now: float, most: int = 500) -> Iterator[dict[str, Any]]:
        """Yield what is known of persons who are not here, in pieces of `most` rows, to be sent after all sessions."""
        for piece in self._core.recents.rest(now, most):
            yield {"v": self.writes, **piece}
        friction, ages = self._core.friction.rest(now), self._core.ages.rest(now)
        counted: dict[str, list[Any]] = {"finds": self._search.finds.rest(now), **friction, "ages": ages}
        counted |= {"paused": self._core.pauses.rest(now), "daily": self._core.daily.rest(now)}
        for name, rows in counted.items():
            for start in range(0, len(rows), most):
                yield {"v": self.writes, name: rows[start : start + most]}

    def take_rest(self, rest: dict[str, Any], now: float) -> None:
        """Import one piece of another process's `rest`, besides what is known here. Raises BadRecord before any change."""
        check_version(rest)
        reports = {f"reports_{share}": share for share in SHARES}
        skipped = check(rest, {**REST, **dict.fromkeys(reports, reports_of)})
        self.skipped += skipped
        recents = self._core.recents
        for name in ("met", "made", "got"):
            for person, partners in rest.get(name, ()):
                recents.enter(person, name, partners, now)
        self._core.friction.take_rest(rest, now)
        for person, age in rest.get("ages", ()):
            self._core.ages.enter(person, age, now)
        for person, left in rest.get("paused", ()):
            self._core.pauses.enter(person, left, now)
        for person, rows in rest.get("daily", ()):
            self._core.daily.enter(person, rows, now)
        for person, ahead in rest.get("finds", ()):
            self._search.finds.enter(person, ahead, now)
        for name, share in reports.items():
            for network, rows in rest.get(name, ()):
                recents.take_reports(share, network, [((who, whom), left) for (who, whom), left in rows], now)
