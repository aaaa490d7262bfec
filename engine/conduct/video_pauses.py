"""Remember which users may not use video for a while; text chats are not affected.

The user is notified, with the remaining seconds. A user's pause migrates with the session, and is broadcast to all processes if the user has an
identity cookie.
**Invariant:** in memory only, at most MOST users: the oldest pause is dropped first.
"""

from typing import Final

from ext.base.ageing_map import AgeingMap

MOST: Final = 20_000  # people
LONGEST: Final = 3_600.0  # seconds


class VideoPauses:
    """Video pauses by person."""

    def __init__(self, most: int = MOST) -> None:
        self._until: AgeingMap[int, float] = AgeingMap(most)  # by person

    def __len__(self) -> int:
        return len(self._until)

    def left(self, person: int, now: float) -> float:
        """Return the seconds left of a person's pause; 0.0: none."""
        until = self._until.get(person, now)
        return 0.0 if until is None else until - now

    def put(self, person: int, seconds: float, now: float) -> None:
        """Pause the video of a person for `seconds`, LONGEST at most, unless it is already paused for longer."""
        until = max(self._until.get(person, now) or 0.0, now + min(seconds, LONGEST))
        self._until.put(person, until, until, now)

    def forget(self, person: int) -> None:
        """Delete the entry of a session without identity that ended."""
        self._until.pop(person)

    # migration

    def leave(self, person: int, now: float, keep: bool) -> float:
        """Export the seconds left of a migrating person's pause, 0.0: none. The entry is deleted here unless `keep`."""
        left = self.left(person, now)
        if not keep:
            self._until.pop(person)
        return left

    def enter(self, person: int, seconds: float, now: float) -> None:
        """Import a pause that `leave` exported; the longer one wins."""
        if seconds > 0:
            self.put(person, seconds, now)

    def rest(self, now: float) -> list[tuple[int, float]]:
        """Export all entries as (person, seconds left), oldest first."""
        return [(person, until - now) for person, until in self._until.items(now)]
