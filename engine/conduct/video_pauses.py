"""Keep the persons whose video is off for a while.

The entry of a person migrates with their session; one of a person with an identity is broadcast to all processes. Text chats are not affected. The
person is notified, with the seconds left.
**Invariant:** in memory only; at most MOST people, the oldest pause is dropped first.
"""

from collections import OrderedDict
from typing import Final

MOST: Final = 20_000  # people
LONGEST: Final = 3_600.0  # seconds


class VideoPauses:
    """Video pauses by person."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._until: OrderedDict[int, float] = OrderedDict()  # by person, oldest pause first

    def __len__(self) -> int:
        return len(self._until)

    def left(self, person: int, now: float) -> float:
        """Return the seconds left of a person's pause; 0.0: none."""
        return max(0.0, self._until.get(person, 0.0) - now) if self._until else 0.0

    def put(self, person: int, seconds: float, now: float) -> None:
        """Pause the video of a person for `seconds`, LONGEST at most, unless it is already paused for longer."""
        table = self._until
        table[person] = max(table.pop(person, 0.0), now + min(seconds, LONGEST))
        for _ in range(2):  # an idle table shrinks: expired entries are removed, two at a time
            first = next(iter(table), None)
            if first is None or (table[first] > now and len(table) <= self._most):
                return
            del table[first]

    def forget(self, person: int) -> None:
        """Delete the entry of a session without identity that ended."""
        if self._until:
            self._until.pop(person, None)

    # migration

    def leave(self, person: int, now: float, keep: bool) -> float:
        """Export the seconds left of a migrating person's pause, 0.0: none. The entry is deleted here unless `keep`."""
        left = self.left(person, now)
        if not keep:
            self._until.pop(person, None)
        return left

    def enter(self, person: int, seconds: float, now: float) -> None:
        """Import a pause that `leave` exported; the longer one wins."""
        if seconds > 0:
            self.put(person, seconds, now)

    def rest(self, now: float) -> list[tuple[int, float]]:
        """Export all entries as (person, seconds left), oldest first."""
        return [(person, until - now) for person, until in self._until.items() if until > now]
