"""Hold the first lines of a user who began many chats alike: they are delivered after the partner's first line, or after PAUSE seconds.

The user gets `partner` with state `paused`, and `back` when lines are accepted; a `message` before that is refused with `too_fast`, and the client
sends it again. The partner gets nothing of it, and writes as in any chat. Video chats are not paused: their signals need the link. Without
limits (`limits.enabled`) there is no pause.
**Invariant:** the connections of a paused chat are not linked to its ring (`Seat.paused`, `Seat.is_linked`), so no line is written to it but the one
that ends the pause. A chat that migrates is not paused any more.
"""

import math
from typing import Final

from engine.core.bus_messages import OpenerPaused
from engine.core.chat import Seat
from engine.core.engine_state import EngineState
from engine.core.session import Session
from engine.core.states import CHATTING
from engine.wire.engine_errors import Refusal
from engine.wire.server_frames import partner
from ext.accept.address_limits import key_of

PAUSE: Final = 10.0  # seconds: a user waits so long for an answer, an advertiser loses most of a minute's chats


class OpenerPause:
    """Paused chats of the engine."""

    __slots__ = ("_core", "_until")

    def __init__(self, core: EngineState) -> None:
        self._core = core
        self._until: dict[int, float] = {}  # session whose lines wait, to the end of its pause

    def __len__(self) -> int:
        return len(self._until)

    def begin(self, session: Session, seat: Seat, now: float) -> None:
        """Pause a chat that begins, if its user began many alike."""
        core = self._core
        if not core.settings.limits or seat.chat.video or len(seat.others) != 1 or seat.side > 1:
            return
        # others of a shared network must not wait for its advertiser: only a user's own chats count if their cookie is a day old
        is_known = core.friction.lasting(session.identity, now)
        if not core.openers.is_many(session.person, "" if is_known else key_of(session.address), now):
            return
        until = self._until[session.id] = now + PAUSE
        core.count("tip paused")
        self._change(session, seat, OpenerPaused(seat.chat.id, seat.side, until))
        self.back(session, seat, now)

    def check(self, session: Session, seat: Seat, id: str | None, now: float) -> None:
        """Handle a message in a paused chat: the partner's first one ends the pause. Raises Refusal for a line that has to wait."""
        paused = seat.paused or {}
        if seat.side in paused:
            raise Refusal("too_fast", "message", id, max(math.ceil(paused[seat.side] - now), 1))
        for side in list(paused):
            self._change(session, seat, OpenerPaused(seat.chat.id, side, 0.0))

    def changed(self, session: Session, message: OpenerPaused) -> None:
        """Handle that a pause of the other side began, or that the own or the other one ended."""
        seat = session.seat
        if seat is None or seat.chat.id != message.chat or session.state != CHATTING:
            return
        self._apply(session, seat, message)
        if not message.until and message.side == seat.side:
            self._end(session)

    def back(self, session: Session, seat: Seat, now: float) -> None:
        """Send a user whose lines wait for how long, at the beginning and after a resume."""
        until = (seat.paused or {}).get(seat.side)
        if until is not None and session.conn:
            self._core.send(session.conn, partner("paused", until - now, None))

    def sweep(self, now: float) -> None:
        """End the pauses that are over."""
        for id, until in list(self._until.items()) if self._until else ():
            session = self._core.sessions.get(id)
            seat = None if session is None else session.seat
            if session is None or seat is None or seat.side not in (seat.paused or {}):
                del self._until[id]
            elif until <= now:
                self._change(session, seat, OpenerPaused(seat.chat.id, seat.side, 0.0))
                self._end(session)
                self._tell_away(session, seat, now)

    def _tell_away(self, session: Session, seat: Seat, now: float) -> None:
        """Send again that the partner is away, if they are: `back` alone would say that they are not."""
        for until in (seat.away or {}).values() if session.conn else ():
            self._core.send(session.conn, partner("away", until - now, None))

    def _end(self, session: Session) -> None:
        self._until.pop(session.id, None)
        if session.conn:
            self._core.send(session.conn, partner("back", None, None))

    def _change(self, session: Session, seat: Seat, message: OpenerPaused) -> None:
        self._apply(session, seat, message)
        for _, address in seat.others:
            self._core.post(address, message)

    def _apply(self, session: Session, seat: Seat, message: OpenerPaused) -> None:
        """Change this side's seat, and link or unlink its connection; the line that ended the pause is replayed."""
        was_linked = seat.is_linked
        paused = {side: until for side, until in (seat.paused or {}).items() if side != message.side}
        if message.until:
            paused[message.side] = message.until
        seat.paused = paused or None
        if not session.conn or was_linked == seat.is_linked:
            return
        ring = seat.chat.ring
        if was_linked:
            self._core.out.unlink(session.conn)
            return
        if ring.missed(seat.side, 0) > 0:
            self._core.out.replay(session.conn, ring, seat.side, 0)
        self._core.out.link(session.conn, ring, seat.side)
