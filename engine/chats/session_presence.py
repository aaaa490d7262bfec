"""Track whether each session has a connection: connect, disconnect, resume, and the end of the grace period (docs/protocol.md, rules 4 and 5).

**Invariant:** a session has at most one connection, one without a connection ends at a deadline, and none keeps its last chat longer than PAST_FOR.
"""

# All deadlines are in one heap (`EngineState.deadlines`): the grace period depends on how the connection was lost, and a migrated session brings
# the rest of its own. An entry ends a session while it equals the session's deadline, and forgets a last chat whose time is over.

from engine.chats.age_question_pause import ChatHolds
from engine.chats.chat_lifecycle import Chats
from engine.chats.reactions import faces_of
from engine.chats.search import Search
from engine.chats.sent_pictures import album_of
from engine.chats.unread_notices import UnreadNotices
from engine.core.chat import Seat
from engine.core.engine_state import EngineState
from engine.core.session import Session
from engine.core.states import CHATTING, END, GONE, IDLE, PARTED, TOLD, WAITING
from engine.matching.lobby import MatcherFull
from engine.wire.client_requests import Resume
from engine.wire.engine_errors import Refusal
from engine.wire.protocol import (
    BROKEN,
    CLOSED,
    CLOSED_GRACE,
    DROPPED,
    FLOOD_RETRY_AFTER,
    FLOODED,
    LEFT,
    STRANGER,
    WATCHER,
)
from engine.wire.rule_constants import BUSY_RETRY_AFTER, EXPIRIES_A_TICK, RESUMES_MAX
from engine.wire.server_frames import RESUMED_IDLE, left, resumed
from ext.base.ageing_map import AgeingMap

_WAITS_AGAIN = 1.0  # seconds by which a session lives on whose client waits to resume it


class Presence:
    """Presence of sessions: connected, away, or ended."""

    __slots__ = ("_awaited", "_chats", "_core", "_expected", "_held", "_holds", "_notices", "_search")

    def __init__(
        self, core: EngineState, chats: Chats, holds: ChatHolds, search: Search, notices: UnreadNotices
    ) -> None:
        self._core = core
        self._chats = chats
        self._holds = holds
        self._search = search
        self._notices = notices
        self._awaited: dict[int, list[tuple[Session, Resume]]] = {}  # resumes that wait for a migrating session, by key
        self._held = 0  # number of them
        # identity, else address, of sessions that are away, to the end of their grace
        self._expected: AgeingMap[int | str, float] = AgeingMap()

    def lost(self, session: Session, conn: int, how: int, now: float) -> None:
        """Handle a lost connection: the session ends or is away."""
        if session.state == GONE:
            # the connection was adopted in the same batch of events, so its session is the older one
            heir = self._core.by_key(session.key)
            if heir is None:
                return
            session = heir
        if session.conn != conn:
            return
        session.conn = 0
        self._core.disconnected(session)
        if how == LEFT:
            self.end(session, "stranger", now)
        elif how == FLOODED:
            self._away(session, FLOOD_RETRY_AFTER, now)
        elif how == BROKEN or not self._core.settings.grace:
            self.end(session, "lost", now)
        elif how == CLOSED:
            self._away(session, min(CLOSED_GRACE, self._core.settings.grace), now)
        else:
            self._away(session, self._core.settings.grace, now)

    def _away(self, session: Session, grace: float, now: float) -> None:
        session.deadline = now + grace
        self._expected.put(session.identity or session.address, session.deadline, session.deadline, now)
        self._core.deadlines.push(session.deadline, session.id)
        if session.state == CHATTING:
            self._chats.tell_away(session)
        elif session.state == WAITING:
            self._search.set_aside(session, now)

    def returns(self, identity: int, address: str, now: float) -> bool:
        """Whether a user of this identity or, without one (0), of this address dropped out a moment ago and may come back."""
        return self._expected.get(identity or address, now) is not None

    def end(self, session: Session, by: str, now: float) -> None:
        """End a session; its partner gets `left` by `by`."""
        core = self._core
        before = session.state
        session.move(END)
        if before == WAITING:
            self._search.stop(session, now, "lost" if by == "lost" else "cancelled")
        elif before in (CHATTING, PARTED):
            self._chats.leave(session, by, now)
        session.past, session.saves = None, ()
        core.sessions.pop(session.id, None)
        core.aliases.pop(session.key, None)
        core.aliases.pop(session.used, None)
        if not session.identity:
            core.recents.forget(session.id)
            core.friction.forget(session.id)
            core.ages.forget(session.id)
            core.pauses.forget(session.id)
            core.daily.forget(session.id)

    def send_away(self, session: Session, now: float) -> None:
        """End a session and close its connection with `busy`: the waiting room has no place for its search."""
        core = self._core
        if session.conn:  # the client of a session that is away may be told by another process
            core.close(session.conn, "busy", BUSY_RETRY_AFTER)
            session.conn = 0
            core.disconnected(session)
        self.end(session, "lost", now)

    def resume(self, fresh: Session, request: Resume, now: float) -> None:
        """Resume an older session on a new connection."""
        core = self._core
        key = core.outside.open_token(request.token, fresh)
        session = None if key is None else core.by_key(key)
        is_certain = session is not None and not core.outside.is_doubted(session.id)
        if key is not None and not is_certain and self._held < RESUMES_MAX and core.outside.may_be_migrating(key):
            self._awaited.setdefault(key, []).append((fresh, request))
            self._held += 1
            return
        if key is None or session is None or session is fresh:
            raise Refusal("no_session", "resume")
        self._go_on(session, fresh, key, request, now)

    def _go_on(self, session: Session, fresh: Session, key: int, request: Resume, now: float) -> None:
        core = self._core
        conn = fresh.conn
        self._take_over(session, fresh, key)
        core.count("resumed")
        core.out.adopt(conn, session)
        if session.state in (CHATTING, PARTED):
            self._back_in_chat(session, request, now)
        elif session.state == IDLE and self._missed_the_end(session, request):
            self._end_again(session, request)
        else:
            core.send(conn, RESUMED_IDLE)
            if session.state == WAITING:
                try:
                    self._search.restore(session, now)
                except MatcherFull:
                    self.send_away(session, now)
                    return
        self._chats.tell_saved(session)
        self._notices.tell(session)

    def _take_over(self, session: Session, fresh: Session, key: int) -> None:
        """Move the new connection and its key to the older session; close the connection it had before."""
        core = self._core
        if session.conn:
            core.close(session.conn, "replaced")
            core.disconnected(session)
        for old in (session.key, session.used):
            if old != key:
                core.aliases.pop(old, None)
        core.sessions.pop(fresh.id, None)
        core.disconnected(fresh)
        core.connected(session)
        fresh.move(END)
        session.used = key
        session.key = fresh.key
        core.aliases[fresh.key] = session
        session.conn = fresh.conn
        session.address, session.port = fresh.address, fresh.port
        session.networks = fresh.networks
        session.way = fresh.way
        session.fresh = False
        session.told = fresh.told
        session.deadline, session.moved_on = 0.0, 0
        fresh.conn = 0

    def _back_in_chat(self, session: Session, request: Resume, now: float) -> None:
        core = self._core
        conn, seat = session.conn, session.seat
        if seat is None:
            return
        ring, side = seat.chat.ring, seat.side
        after = self._last_heard(request, seat)
        missed = ring.missed(side, after)
        self._tell_resumed(session, seat, missed)
        if missed < 0:
            # a part of what was missed is gone, or this is an older copy of the chat: it cannot continue
            if session.state == CHATTING:
                has_left = request.chat is None and not request.last  # or its `matched` was lost
                self._chats.lose(session, STRANGER if has_left else "lost", now)
                return
            seat.over = "lost", side
        elif missed:
            core.out.replay(conn, ring, side, after)
        if session.state == PARTED:
            session.move(TOLD)
            self._chats.told(session, now)
            return
        if seat.is_linked:
            core.out.link(conn, ring, side)
        self._chats.snaps.back(session, seat)
        self._chats.tell_back(session)
        for other in seat.away or ():
            self._chats.tell_moved(session, other, now)
        self._holds.back(session, seat, now)
        self._chats.openers.back(session, seat, now)

    def _last_heard(self, request: Resume, seat: Seat) -> int:
        """Return the number of the last line that the client has of this chat; it is beyond the ring's if the client names the chat, and heard
        more of it than is known here.
        """
        if request.chat is None:  # the number may be of an earlier chat
            return min(request.last, seat.chat.ring.last)
        return request.last if request.chat == seat.chat.id else 0

    def _missed_the_end(self, session: Session, request: Resume) -> bool:
        """Whether the client believes to be in the last chat: its `left` was sent into a connection that was dead already."""
        past = session.past
        return (
            past is not None
            and past.over is not None
            and bool(past.inside)  # else its lines stayed at a host that died
            and request.chat == past.chat.id
        )

    def _end_again(self, session: Session, request: Resume) -> None:
        """Send what a client missed of a chat that has ended for the server: the rest of the lines, and `left`."""
        seat = session.past
        if seat is not None and seat.over is not None:
            by, side = seat.over
            ring = seat.chat.ring
            after = min(request.last, ring.last)
            missed = ring.missed(seat.side, after)
            self._tell_resumed(session, seat, missed)
            if missed > 0:
                self._core.out.replay(session.conn, ring, seat.side, after)
            self._core.send(session.conn, left(by if missed >= 0 else "lost", side if seat.side == WATCHER else None))

    def _tell_resumed(self, session: Session, seat: Seat, missed: int) -> None:
        """Send `resumed` of a chat; `missed`: messages that follow, below 0 if a part of them is gone."""
        ring, side = seat.chat.ring, seat.side
        counts = ring.last, ring.taken(side), ring.refused(side), max(missed, 0)
        self._core.send(session.conn, resumed(seat.inside, *counts, faces_of(seat), album_of(seat)))

    def confirmed(self, session: Session) -> None:
        """Invalidate the token that the resume used: a text frame came after `resumed`."""
        used = session.used
        if used >= 0:
            session.used = -1
            self._core.aliases.pop(used, None)

    # migration

    def awaited(self, key: int) -> list[tuple[Session, Resume]]:
        """Remove and return the resumes that wait for the session of a key, in order of arrival."""
        found = self._awaited.pop(key, [])
        self._held -= len(found)
        return [(fresh, request) for fresh, request in found if fresh.conn]

    def awaiting(self, key: int) -> list[int]:
        """Return the ids of the sessions whose resumes wait for the session of a key; they continue to wait."""
        return [fresh.id for fresh, _ in self._awaited.get(key, ()) if fresh.conn]

    def awaits(self, fresh: Session) -> Resume | None:
        """Remove and return the resume with which this connection's session waits; None if it does not."""
        for key, found in self._awaited.items() if self._held else ():
            for place, (other, request) in enumerate(found):
                if other is fresh:
                    del found[place]
                    self._held -= 1
                    if not found:
                        del self._awaited[key]
                    return request
        return None

    def again(self, fresh: Session, key: int, request: Resume, now: float) -> None:
        """Repeat a resume that waited: its session arrived, or will not. Raises Refusal, as `resume` does."""
        session = self._core.by_key(key)
        if session is None or session is fresh or fresh.state != IDLE:
            raise Refusal("no_session", "resume")
        self._go_on(session, fresh, key, request, now)

    def release(self, session: Session) -> None:
        """Delete a session that migrated; no connection, partner or record is notified."""
        core = self._core
        del core.sessions[session.id]
        core.aliases.pop(session.key, None)
        core.aliases.pop(session.used, None)
        if session.conn:
            session.conn = 0
            core.disconnected(session)
        session.move(END)
        if session.seat is not None and session.seat.side == 0:
            core.talking.pop(session.seat.chat.id, None)
            if session.seat.chat.looks is not None:
                self._chats.snaps.release(session.seat.chat)
        session.query = session.seat = session.past = None
        session.saves = ()

    def arrive(self, session: Session) -> None:
        """Add a session that migrated here. One without a connection has its deadline, or `lost` is called for it next."""
        core = self._core
        core.sessions[session.id] = session
        if session.seat is not None:
            self._holds.enter(session, session.seat)
        if session.seat is not None and session.seat.side == 0:
            core.talking[session.seat.chat.id] = session.id
            if session.seat.chat.looks is not None:
                self._chats.snaps.enter(session.seat.chat)
        for key in (session.key, session.used):
            if key >= 0 and key != session.id:
                core.aliases[key] = session
        if session.past is not None:
            core.remember(session, session.past)
        if session.deadline:
            core.deadlines.push(session.deadline, session.id)
        else:
            core.connected(session)

    def cut(self, session: Session, now: float) -> None:
        """Treat a session that arrived without its connection as away from now on."""
        self.lost(session, 0, DROPPED, now)

    def due(self) -> float | None:
        """Return when `expire` has work next; None: never. May be early."""
        first = self._core.deadlines.first()
        return None if first is None else first[0]

    def expire(self, now: float) -> None:
        """End the sessions whose grace period is over and forget the last chats of others, at most EXPIRIES_A_TICK."""
        deadlines, sessions = self._core.deadlines, self._core.sessions
        for _ in range(EXPIRIES_A_TICK):
            first = deadlines.first()
            if first is None or first[0] > now:
                break
            deadlines.drop()
            session = sessions.get(first[1])
            if session is None:
                continue
            self._core.forget_past(session, now)
            if not session.conn and session.deadline == first[0]:
                # its client is here, and waits until no other process can have the session
                if self._held and (self.awaiting(session.key) or self.awaiting(session.used)):
                    session.deadline = now + _WAITS_AGAIN
                    deadlines.push(session.deadline, session.id)
                    continue
                if session.moved_on:
                    self._chats.hand_back(session)
                self.end(session, "stranger" if session.moved_on else "lost", now)
