"""Whose video is off for a while. Rule: in memory, of a bounded number of people; who is it is told so, and for how long.

What is known of one goes along to another process; of who has an identity all processes are told. Text chats are not touched by it.
"""

from collections import OrderedDict
from typing import Final

MOST: Final = 20_000  # people; then those whose video was put off the longest ago have it back
LONGEST: Final = 3_600.0  # seconds


class Pauses:
    """All of them."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._until: OrderedDict[int, float] = OrderedDict()  # by person, those of the longest ago first

    def __len__(self) -> int:
        return len(self._until)

    def left(self, person: int, now: float) -> float:
        """Seconds for which it is off still; 0.0: it is not."""
        return max(0.0, self._until.get(person, 0.0) - now) if self._until else 0.0

    def put(self, person: int, seconds: float, now: float) -> None:
        """Off for so long, LONGEST at most, unless it is for longer already."""
        table = self._until
        table[person] = max(table.pop(person, 0.0), now + min(seconds, LONGEST))
        for _ in range(2):  # an idle table shrinks: those whose time is over go, two at a time
            first = next(iter(table), None)
            if first is None or (table[first] > now and len(table) <= self._most):
                return
            del table[first]

    def forget(self, person: int) -> None:
        """A session without identity is over."""
        if self._until:
            self._until.pop(person, None)

    # from and to another process

    def leave(self, person: int, now: float, keep: bool) -> float:
        """Seconds left that go with a person, 0.0: none; forgotten here unless `keep`."""
        left = self.left(person, now)
        if not keep:
            self._until.pop(person, None)
        return left

    def enter(self, person: int, seconds: float, now: float) -> None:
        """What `leave` gave elsewhere, or what is known here: the longer holds."""
        if seconds > 0:
            self.put(person, seconds, now)

    def rest(self, now: float) -> list[tuple[int, float]]:
        """Of everybody: person, and seconds left; the longest ago first."""
        return [(person, until - now) for person, until in self._until.items() if until > now]
