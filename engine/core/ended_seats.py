"""Keep the seats of chats that ended within the last ten seconds, so that a late detection in their last lines can be assigned to its writer.

**Invariant:** at most MOST seats; the oldest is dropped first.
"""

from collections import deque
from typing import Final

from engine.core.chat import Seat
from engine.core.session import Session

SECONDS: Final = 10.0
MOST: Final = 4_096  # seats


class EndedChats:
    """Sessions and seats of chats that just ended."""

    __slots__ = ("_order", "_sides")

    def __init__(self) -> None:
        self._sides: tuple[dict[str, tuple[Session, Seat]], ...] = (
            {},
            {},
            {},
        )  # by side, then by chat id; a spy's seat is not kept
        self._order: deque[Seat] = deque()

    def __len__(self) -> int:
        return len(self._order)

    def put(self, session: Session, seat: Seat) -> None:
        """Keep the seat of side 0 or 1 of a chat that ended at `seat.ended`."""
        order = self._order
        if len(order) >= MOST:
            self._drop()
        sides = self._sides[seat.side]
        sides[seat.chat.id] = session, seat
        order.append(seat)

    def of(self, chat: str, side: int) -> tuple[Session, Seat] | None:
        """Return the session and seat of a side of an ended chat; None if it ended too long ago, or never ran here."""
        sides = self._sides[side]
        return sides.get(chat)

    def expire(self, now: float) -> None:
        """Drop the seats of chats that ended SECONDS ago or earlier."""
        order = self._order
        before = now - SECONDS
        while order:
            oldest = order[0]
            if oldest.ended > before:
                return
            self._drop()

    def _drop(self) -> None:
        seat = self._order.popleft()
        sides = self._sides[seat.side]
        sides.pop(seat.chat.id, None)
