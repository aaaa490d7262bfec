"""Connections come, drop and come back; sessions stay for a while (rules 4 and 5).

Rule: one connection a session at most.

All deadlines stand in one heap: graces differ by how a connection was lost, and who came from another process has what is
left of one. An entry counts while it is what the session's deadline says.
"""

from collections import OrderedDict

from engine.chats.chat_life import Chats
from engine.chats.search import Search
from engine.chats.unread_notices import Notices
from engine.core.session import Session
from engine.core.shared_state import Core
from engine.core.states import CHATTING, END, GONE, IDLE, PARTED, TOLD, WAITING
from engine.matching.lobby import MatcherFull
from engine.wire.errors import Refusal
from engine.wire.frames import RESUMED_IDLE, resumed
from engine.wire.protocol import BROKEN, CLOSED, CLOSED_GRACE, DROPPED, FLOOD_RETRY_AFTER, FLOODED, LEFT
from engine.wire.requests import Resume
from engine.wire.rule_numbers import BUSY_RETRY_AFTER, EXPIRIES_A_TICK, RESUMES_MAX
from ext.match.heap import DueHeap


class Presence:
    """The part of the engine that owns who is there."""

    __slots__ = ("_awaited", "_chats", "_core", "_deadlines", "_expected", "_held", "_notices", "_search")

    def __init__(self, core: Core, chats: Chats, search: Search, notices: Notices) -> None:
        self._core = core
        self._chats = chats
        self._search = search
        self._notices = notices
        self._deadlines = DueHeap()
        self._awaited: dict[int, list[tuple[Session, Resume]]] = {}  # resumes of a session that is on its way, by key
        self._held = 0  # of them
        # until when somebody who is away may come back, by identity or else address; those who left first come first
        self._expected: OrderedDict[int | str, float] = OrderedDict()

    def lost(self, session: Session, conn: int, how: int, now: float) -> None:
        """The connection is gone: the person left, or is away, or is out."""
        if session.state == GONE:
            # the connection was adopted in the same batch of events: its session is the older one
            heir = self._core.by_key(session.key)
            if heir is None:
                return
            session = heir
        if session.conn != conn:
            return
        session.conn = 0
        self._core.here -= 1
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
        self._note(session, now)
        self._deadlines.push(session.deadline, session.id)
        if session.state == CHATTING:
            self._chats.tell_away(session)
        elif session.state == WAITING:
            self._search.set_aside(session, now)

    def _note(self, session: Session, now: float) -> None:
        """Who is away may come back; those whose time is over are forgotten, two at a time."""
        expected = self._expected
        key = session.identity or session.address
        expected.pop(key, None)
        expected[key] = session.deadline
        for _ in range(2):
            first = next(iter(expected))
            if expected[first] > now:
                break
            del expected[first]

    def returns(self, identity: int, address: str, now: float) -> bool:
        """Whether somebody of this identity or, without one (0), of this address dropped out a moment ago and may come back."""
        until = self._expected.get(identity or address)
        return until is not None and until > now

    def end(self, session: Session, by: str, now: float) -> None:
        """The session is over; who talks with it gets `left` by `by`."""
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

    def send_away(self, session: Session, now: float) -> None:
        """There is no room for the session's search: its connection ends with `busy`, and so does the session."""
        core = self._core
        if session.conn:  # who is away may be told it by another process
            core.close(session.conn, "busy", BUSY_RETRY_AFTER)
            session.conn = 0
            core.here -= 1
        self.end(session, "lost", now)

    def resume(self, fresh: Session, request: Resume, now: float) -> None:
        """The first frame of a new connection asks for an older session."""
        core = self._core
        key = core.outside.open_token(request.token, fresh)
        session = None if key is None else core.by_key(key)
        if key is not None and session is None and self._held < RESUMES_MAX and core.outside.elsewhere(key):
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
        else:
            core.out.send(conn, RESUMED_IDLE)
            if session.state == WAITING:
                try:
                    self._search.restore(session, now)
                except MatcherFull:
                    self.send_away(session, now)
                    return
        self._chats.tell_saved(session)
        self._notices.tell(session)

    def _take_over(self, session: Session, fresh: Session, key: int) -> None:
        """The new connection and its key become the older session's; what carried it before is replaced."""
        core = self._core
        if session.conn:
            core.close(session.conn, "replaced")
            core.here -= 1
        for old in (session.key, session.used):
            if old != key:
                core.aliases.pop(old, None)
        core.sessions.pop(fresh.id, None)
        fresh.move(END)
        session.used = key
        session.key = fresh.key
        core.aliases[fresh.key] = session
        session.conn = fresh.conn
        session.address = fresh.address
        session.networks = fresh.networks
        session.way = fresh.way
        session.fresh = False
        session.told = fresh.told
        session.deadline = 0.0
        fresh.conn = 0

    def _back_in_chat(self, session: Session, request: Resume, now: float) -> None:
        core = self._core
        conn, seat = session.conn, session.seat
        if seat is None:
            return
        ring, side = seat.chat.ring, seat.side
        after = min(request.last, ring.last) if request.chat is None or request.chat == seat.chat.id else 0
        missed = ring.missed(side, after)
        core.out.send(conn, resumed(seat.inside, ring.last, ring.taken(side), ring.refused(side), max(missed, 0)))
        if missed < 0:
            # the ring has not all that was missed: the chat cannot go on as if nothing had happened
            if session.state == CHATTING:
                self._chats.lose(session, now)
                return
            seat.over = "lost", side
        elif missed:
            core.out.replay(conn, ring, side, after)
        if session.state == PARTED:
            session.move(TOLD)
            self._chats.told(session, now)
            return
        core.out.link(conn, ring, side)
        self._chats.snaps.back(session, seat)
        self._chats.tell_back(session)
        for other in seat.away or ():
            self._chats.tell_moved(session, other, now)

    def confirmed(self, session: Session) -> None:
        """A text frame came after `resumed`: the token that the resume used is used up."""
        used = session.used
        if used >= 0:
            session.used = -1
            self._core.aliases.pop(used, None)

    # from and to another process

    def awaited(self, key: int) -> list[tuple[Session, Resume]]:
        """Give back the resumes that wait for the session of a key, in the order of their coming."""
        found = self._awaited.pop(key, [])
        self._held -= len(found)
        return [(fresh, request) for fresh, request in found if fresh.conn]

    def awaiting(self, key: int) -> list[int]:
        """Whose resumes wait for the session of a key; they wait on."""
        return [fresh.id for fresh, _ in self._awaited.get(key, ()) if fresh.conn]

    def awaits(self, fresh: Session) -> Resume | None:
        """Take out the resume that this connection's session waits with, where it does."""
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
        """The session of a resume that waited has come, or will not. Raises Refusal, as where the client did not wait."""
        session = self._core.by_key(key)
        if session is None or session is fresh or fresh.state != IDLE:
            raise Refusal("no_session", "resume")
        self._go_on(session, fresh, key, request, now)

    def release(self, session: Session) -> None:
        """The session goes on elsewhere: what is left of it here is of nobody, and nobody is told."""
        core = self._core
        del core.sessions[session.id]
        core.aliases.pop(session.key, None)
        core.aliases.pop(session.used, None)
        if session.conn:
            session.conn = 0
            core.here -= 1
        session.move(END)
        if session.seat is not None and session.seat.side == 0:
            core.talking.pop(session.seat.chat.id, None)
            if session.seat.chat.looks is not None:
                self._chats.snaps.release(session.seat.chat)
        session.query = session.seat = session.past = None
        session.saves = ()

    def arrive(self, session: Session) -> None:
        """A session came from elsewhere; one without a connection has its deadline, or is told `lost` next."""
        core = self._core
        core.sessions[session.id] = session
        if session.seat is not None and session.seat.side == 0:
            core.talking[session.seat.chat.id] = session.id
            if session.seat.chat.looks is not None:
                self._chats.snaps.enter(session.seat.chat)
        for key in (session.key, session.used):
            if key >= 0 and key != session.id:
                core.aliases[key] = session
        if session.deadline:
            self._deadlines.push(session.deadline, session.id)
        else:
            core.here += 1

    def cut(self, session: Session, now: float) -> None:
        """A session came whose connection did not come with it: away, as if it had dropped now."""
        self.lost(session, 0, DROPPED, now)

    def due(self) -> float | None:
        """When `expire` has something to do; None: never. May be early."""
        first = self._deadlines.first()
        return None if first is None else first[0]

    def expire(self, now: float) -> None:
        """End the sessions whose grace is past; a bounded number at once."""
        deadlines, sessions = self._deadlines, self._core.sessions
        for _ in range(EXPIRIES_A_TICK):
            first = deadlines.first()
            if first is None or first[0] > now:
                break
            deadlines.drop()
            session = sessions.get(first[1])
            if session is not None and not session.conn and session.deadline == first[0]:
                self.end(session, "lost", now)
