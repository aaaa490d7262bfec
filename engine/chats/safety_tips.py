"""Send safety tips to users about lines of their current chat, after the line was delivered.

Tips follow from detections of the screening process.
**Invariant:** at most one tip of each kind per chat and user, and none after the chat's end.
"""

from engine.conduct.detection_consequences import KINDS, WITH_NUMBERS, consequence_of
from engine.core.chat import Seat
from engine.core.engine_state import EngineState
from engine.core.session import Session
from engine.core.states import CHATTING
from engine.wire.server_frames import tip


class LineTips:
    """Tips of the engine."""

    __slots__ = ("_core",)

    def __init__(self, core: EngineState) -> None:
        self._core = core

    def found(self, chat: str, side: int, number: int, rule: str) -> None:
        """Send the tips of a rule that matched line `number` of a side of a chat; line 0 of the watcher is the question."""
        if not self._core.settings.tips:
            return
        follows = consequence_of(rule)
        if follows.writer:
            self._tell(follows.writer, self.at(chat, side), number)
        for told in (0, 1) if follows.receiver else ():
            if told != side:
                self._tell(follows.receiver, self.at(chat, told), number)

    def _tell(self, kind: str, session: Session | None, number: int) -> None:
        if session is None or session.seat is None or number > session.seat.chat.ring.last:
            return
        bit = 1 << KINDS.index(kind)
        if session.seat.tips & bit or not session.conn:
            return
        session.seat.tips |= bit
        self._core.count("tip " + kind)
        numbers = self._core.outside.help_lines(session) if kind in WITH_NUMBERS else None
        self._core.send(session.conn, tip(kind, number, numbers))

    def who(self, chat: str, side: int) -> tuple[Session, Seat] | None:
        """Return the session and seat at a side of a chat that runs, or ended a moment ago."""
        session = self.at(chat, side)
        if session is not None and session.seat is not None:
            return session, session.seat
        return self._core.lately.of(chat, side)

    def at(self, chat: str, side: int) -> Session | None:
        """Return the session at a side of a chat while the chat runs."""
        sessions = self._core.sessions
        session: Session | None = sessions.get(self._core.talking.get(chat, -1))  # at side 0
        if session is not None and session.seat is not None and side:
            others, session = session.seat.others, None
            for place, address in others:
                if place == side:
                    session = sessions.get(address)
        if session is None or session.state != CHATTING or session.seat is None or session.seat.chat.id != chat:
            return None
        return session
