"""What a person must read before the next search. Rule: nobody is kept from a search but by what they were told.

Which notices are whose, and which were read, is the server's to know (`Outside.unseen`, `Outside.seen`); the oldest that was not
read is told, and the next one after it.
"""

from engine.core.session import Session
from engine.core.shared_state import Core
from engine.wire.errors import BadField, Refusal
from engine.wire.requests import Seen


class Notices:
    """The part of the engine that tells them."""

    __slots__ = ("_core",)

    def __init__(self, core: Core) -> None:
        self._core = core

    def tell(self, session: Session) -> None:
        """Send the one that is to be read, where this connection was not sent it yet."""
        unseen = self._core.outside.unseen(session)
        if unseen is not None and session.conn and session.told != unseen[0]:
            session.told, frame = unseen
            self._core.out.send(session.conn, frame)

    def hold(self, session: Session) -> None:
        """Raises Refusal while something is unread."""
        if self._core.outside.unseen(session) is not None:
            self.tell(session)
            raise Refusal("notice", "find")

    def seen(self, session: Session, request: Seen, now: float) -> None:
        """One was read; saying so again is no fault. Raises Refusal for one that was never theirs."""
        if not self._core.outside.seen(session, request.id):
            raise BadField("seen", "id")
        self.tell(session)
