"""Hold a chat until a user who wrote that they are under 18 answers the age question: no line passes between the two meanwhile.

The writer gets `challenge`, the others `partner` with state `asked`. A chat without an answer in time ends by moderation.
**Invariant:** the connections of a held chat are not linked to its ring, also after a resume or a migration (`Seat.held`, `Seat.is_linked`).
"""

from typing import Final

from engine.chats.chat_lifecycle import Chats
from engine.conduct.age_answers import ASKED
from engine.core.bus_messages import Held
from engine.core.chat import Seat
from engine.core.engine_state import EngineState
from engine.core.session import Session
from engine.core.states import CHATTING
from engine.wire.protocol import ADULT, AGE, MODERATION, WATCHER
from engine.wire.server_frames import challenge, partner

ANSWER_WITHIN: Final = 120.0  # seconds


def send_question(core: EngineState, session: Session, within: float, now: float) -> None:
    """Send the age question to a user who has to answer it, and has a connection."""
    said = core.ages.of(session.person, now)
    if said is not None and said.state == ASKED and session.conn:
        parameters = {"age": said.age} if said.age else {}
        core.send(session.conn, challenge(AGE, parameters, round(within)))


class ChatHolds:
    """Held chats of the engine."""

    __slots__ = ("_asked", "_chats", "_core")

    def __init__(self, core: EngineState, chats: Chats) -> None:
        self._core = core
        self._chats = chats
        self._asked: dict[int, float] = {}  # session that has to answer, to its deadline

    def __len__(self) -> int:
        return len(self._asked)

    def hold(self, session: Session, now: float) -> None:
        """Hold the chat of a session that has to answer, and ask."""
        seat = session.seat
        if seat is None or (seat.held is not None and seat.side in seat.held):
            return
        until = self._asked[session.id] = now + ANSWER_WITHIN
        send_question(self._core, session, ANSWER_WITHIN, now)
        self._change(session, seat, Held(seat.chat.id, seat.side, until))

    def release(self, session: Session) -> None:
        """Let the chat of a session that answered "18 or over" continue, unless its partner has to answer too."""
        self._asked.pop(session.id, None)
        seat = session.seat
        if seat is not None and seat.held is not None and seat.side in seat.held:
            self._change(session, seat, Held(seat.chat.id, seat.side, 0.0))

    def _change(self, session: Session, seat: Seat, message: Held) -> None:
        self._apply(session, seat, message)
        for _, address in seat.others:
            self._core.post(address, message)

    def _apply(self, session: Session, seat: Seat, message: Held) -> None:
        """Change this side's seat, and link or unlink its connection."""
        was_linked = seat.is_linked
        held = {side: until for side, until in (seat.held or {}).items() if side != message.side}
        if message.until:
            held[message.side] = message.until
        seat.held = held or None
        if session.conn and was_linked != seat.is_linked:
            if was_linked:
                self._core.out.unlink(session.conn)
            else:
                self._core.out.link(session.conn, seat.chat.ring, seat.side)

    def changed(self, session: Session, message: Held, now: float) -> None:
        """Handle that another side has to answer, or answered."""
        seat = session.seat
        if seat is None or seat.chat.id != message.chat or session.state != CHATTING:
            return
        self._apply(session, seat, message)
        if session.conn:
            shown = message.side if seat.side == WATCHER else None
            if message.until:
                self._core.send(session.conn, partner("asked", message.until - now, shown))
            else:
                self._core.send(session.conn, partner("back", None, shown))

    def back(self, session: Session, seat: Seat, now: float) -> None:
        """Send a user who is back the question, or that it was sent to their partner."""
        for side, until in (seat.held or {}).items():
            if side == seat.side:
                send_question(self._core, session, max(until - now, 0.0), now)
            else:
                shown = side if seat.side == WATCHER else None
                self._core.send(session.conn, partner("asked", until - now, shown))

    def enter(self, session: Session, seat: Seat) -> None:
        """Continue a hold of a session that migrated here."""
        until = (seat.held or {}).get(seat.side)
        if until is not None:
            self._asked[session.id] = until

    def sweep(self, now: float) -> None:
        """End the chats whose question was not answered in time; release those of users who answered in another connection."""
        for id, until in list(self._asked.items()) if self._asked else ():
            session = self._core.sessions.get(id)
            seat = None if session is None else session.seat
            if session is None or seat is None or seat.side not in (seat.held or {}):
                del self._asked[id]
                continue
            said = self._core.ages.of(session.person, now)
            if said is not None and said.state == ADULT:
                self.release(session)
            elif until <= now:
                del self._asked[id]
                self._core.count("age unanswered")
                self._chats.close(session, MODERATION, now)
