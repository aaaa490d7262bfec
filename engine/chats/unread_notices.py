"""Send users the moderators' notices (warnings, decisions) that they must confirm before the next search, oldest first.

The server knows the notices of each user and which ones were read.
**Invariant:** a notice that could not be sent to the user never blocks a search.
"""

from engine.core.engine_state import EngineState
from engine.core.session import Session
from engine.wire.client_requests import Seen
from engine.wire.engine_errors import BadField, Refusal


class UnreadNotices:
    """Unread notices of the engine."""

    __slots__ = ("_core", "_find")

    def __init__(self, core: EngineState) -> None:
        self._core = core
        self._find = core.outside.oldest_notice

    def tell(self, session: Session) -> None:
        """Send the oldest unread notice, unless this connection already received it."""
        unseen = self._find(session.identity, session.id)
        if unseen is not None and session.conn and session.told != unseen[0]:
            session.told, frame = unseen
            self._core.send(session.conn, frame)

    def hold(self, session: Session) -> None:
        """Refuse a search while a notice is unread. Raises Refusal."""
        if self._find(session.identity, session.id) is not None:
            self.tell(session)
            raise Refusal("notice", "find")

    def seen(self, session: Session, request: Seen, now: float) -> None:
        """Acknowledge a notice; doing so twice is no fault. Raises Refusal for a foreign notice."""
        if not self._core.outside.acknowledge_notice(session.identity, session.id, request.id):
            raise BadField("seen", "id")
        self.tell(session)
