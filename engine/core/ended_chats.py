"""Chats that are over since some seconds: what is found in their last lines is still theirs. Rule: bounded; the one who was put first goes first."""

from collections import deque
from typing import Final

from engine.core.chat import Seat
from engine.core.session import Session

SECONDS: Final = 10.0
MOST: Final = 4_096  # seats


class Lately:
    """Seats whose chat is over, with who sat there."""

    __slots__ = ("_order", "_sides")

    def __init__(self) -> None:
        self._sides: tuple[dict[str, tuple[Session, Seat]], ...] = (
            {},
            {},
            {},
        )  # by side, then by chat; nobody who watches
        self._order: deque[Seat] = deque()

    def __len__(self) -> int:
        return len(self._order)

    def put(self, session: Session, seat: Seat) -> None:
        """A chat ended for who sat at side 0 or 1 of it, at `seat.ended`."""
        order = self._order
        if len(order) >= MOST:
            self._drop()
        sides = self._sides[seat.side]
        sides[seat.chat.id] = session, seat
        order.append(seat)

    def of(self, chat: str, side: int) -> tuple[Session, Seat] | None:
        """Who sat there, and the seat; None: that is long ago, or never was."""
        sides = self._sides[side]
        return sides.get(chat)

    def expire(self, now: float) -> None:
        """Those that are over for SECONDS are nobody's any more."""
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
