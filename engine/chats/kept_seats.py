"""Keep the seat of a user who moves on to the next partner, for a moment in which they may come back.

A substitute session takes the seat and is away, as if the connection had dropped, so that resuming, migration and the end of its time work as for
any session. The user gets its token with `kept`, and comes back by `resume` on a new connection.
**Invariant:** the user's own session has no seat and remembers the chat as ended; the others of the chat know the substitute alone while it is there,
and the user's own session once its time is over.
"""

from engine.chats.chat_lifecycle import Chats
from engine.core.bus_messages import Replaced
from engine.core.chat import Seat
from engine.core.engine_state import EngineState
from engine.core.session import Session
from engine.core.states import CHATTING
from engine.wire.protocol import KEPT_FOR, WATCHER
from engine.wire.server_frames import kept


class KeptSeats:
    """Seats of users who moved on."""

    __slots__ = ("_chats", "_core")

    def __init__(self, core: EngineState, chats: Chats) -> None:
        self._core = core
        self._chats = chats

    def keep(self, session: Session, now: float) -> bool:
        """Give the seat of a session that moves on to a substitute, for KEPT_FOR seconds. False: this seat cannot be kept.

        The caller has moved the session.
        """
        core, seat = self._core, session.seat
        if seat is None or seat.side == WATCHER or seat.held or seat.paused or seat.over or not core.settings.grace:
            return False
        substitute = self._substitute(session, seat, now)
        core.sessions[substitute.id] = substitute
        core.deadlines.push(substitute.deadline, substitute.id)
        if seat.side == 0:
            core.talking[seat.chat.id] = substitute.id
        core.out.keep_limits(session.conn, substitute)  # who comes back gets no new burst
        core.out.unlink(session.conn)
        session.seat = None
        core.remember(session, _remembered(seat, now))
        for _, address in seat.others:
            core.post(address, Replaced(seat.chat.id, seat.side, substitute.id))
        self._chats.tell_away(substitute)
        core.count("kept")
        core.send(session.conn, kept(core.outside.make_token(substitute.key, session.identity), KEPT_FOR))
        return True

    def _substitute(self, session: Session, seat: Seat, now: float) -> Session:
        id, alias = self._core.outside.new_id(), 0 if session.identity else session.person
        substitute = Session(id, 0, session.identity, session.address, CHATTING, alias)
        substitute.port, substitute.way, substitute.networks = session.port, session.way, session.networks
        substitute.snaps, substitute.told = session.snaps, session.told
        if session.past is not None:
            self._core.remember(substitute, session.past)
        substitute.fresh = False
        substitute.seat = seat
        substitute.moved_on = session.id
        substitute.deadline = now + KEPT_FOR
        return substitute

    def replaced(self, session: Session, message: Replaced) -> None:
        """Handle that another side of this chat, or of the last one, has another session."""
        if session.moved_on:
            self._core.post(session.moved_on, message)  # it remembers the chat too
        for seat in (session.seat, session.past):
            if seat is not None and seat.chat.id == message.chat:
                seat.others = tuple(
                    [(side, message.address if side == message.side else address) for side, address in seat.others]
                )


def _remembered(seat: Seat, now: float) -> Seat:
    """Return the seat as the user's last one: what they report or save from now on."""
    past = Seat(seat.chat, seat.side, seat.others, seat.persons, seat.lasting)
    past.inside, past.tips, past.reported, past.ended = seat.inside, seat.tips, seat.reported, now
    return past
