"""Keep the seats of chats that ended within the last ten seconds, so that a late detection in their last lines can be assigned to its writer.

A chat with a request to a child or a statement of age is kept for a minute: the answer to the age question may come after the chat's end.
**Invariant:** at most MOST seats of each kind; the oldest is dropped first.
"""

from collections import deque
from itertools import islice
from typing import Final

from engine.conduct.detection_classes import RULES
from engine.conduct.detection_consequences import AGE_CLAIM, GROOM
from engine.core.chat import Chat, Seat
from engine.core.session import Session

SECONDS: Final = 10.0
LONGER: Final = 60.0  # seconds, of a chat whose age question may be answered yet
_LASTING: Final = frozenset([rule for rule, kind in RULES.items() if kind.name in (GROOM, AGE_CLAIM)])
MOST: Final = 4_096  # seats


class EndedChats:
    """Sessions and seats of chats that just ended."""

    __slots__ = ("_fresh", "_lasting", "_most", "_order", "_sides")

    def __init__(self) -> None:
        self._sides: tuple[dict[str, tuple[Session, Seat]], ...] = (
            {},
            {},
            {},
        )  # by side, then by chat id; a spy's seat is not kept
        self._most = MOST
        self._order: deque[Seat] = deque()
        self._lasting: deque[Seat] = deque()
        self._fresh = 0  # seats put since the last call of `ended`: the last ones of the order

    def __len__(self) -> int:
        return len(self._order) + len(self._lasting)

    def put(self, session: Session, seat: Seat) -> None:
        """Keep the seat of side 0 or 1 of a chat that ended at `seat.ended`."""
        order = self._order
        if len(order) >= self._most:
            self._drop(order)
        sides = self._sides[seat.side]
        sides[seat.chat.id] = session, seat
        order.append(seat)
        self._fresh += 1

    def ended(self) -> list[Chat]:
        """Return the chats that ended since the last call, the latest first; a chat of two seats comes twice. To be called before `expire`."""
        found = [seat.chat for seat in islice(reversed(self._order), self._fresh)]
        self._fresh = 0
        return found

    def of(self, chat: str, side: int) -> tuple[Session, Seat] | None:
        """Return the session and seat of a side of an ended chat; None if it ended too long ago, or never ran here."""
        sides = self._sides[side]
        return sides.get(chat)

    def expire(self, now: float) -> None:
        """Drop the seats of chats that ended SECONDS ago or earlier, or LONGER if the age question may be answered yet."""
        order = self._order
        before = now - SECONDS
        while order:
            oldest = order[0]
            if oldest.ended > before:
                break
            if oldest.ended > now - LONGER and is_lasting(oldest.chat):
                order.popleft()
                if len(self._lasting) >= self._most:
                    self._drop(self._lasting)
                self._lasting.append(oldest)
            else:
                self._drop(order)
        while self._lasting and self._lasting[0].ended <= now - LONGER:
            self._drop(self._lasting)

    def _drop(self, order: deque[Seat]) -> None:
        seat = order.popleft()
        sides = self._sides[seat.side]
        sides.pop(seat.chat.id, None)


def is_lasting(chat: Chat) -> bool:
    """Whether a request to a child or a statement of age was detected in a chat."""
    return bool(chat.found) and not _LASTING.isdisjoint([rule for _, rule in chat.found])
