"""Count in how many chats of the last day a user was detected, by class of the detection.

A row is (class, chat, time): equal rows of several processes are one, so rows are merged in any order and however often they arrive.
**Invariant:** in memory only, for DAY seconds: no line and no rule, at most CHATS rows per class and person, and at most MOST persons; the person
detected the longest ago is dropped first.
"""

# A chat is a number of 31 bits, which tells the chats of one person apart and names none of them.

from collections.abc import Sequence
from typing import Any, Final

from engine.conduct.detection_consequences import LIMITS
from ext.base.ageing_map import AgeingMap

DAY: Final = 86_400.0  # seconds
CHATS: Final = 8  # of a class and person that are remembered; a limit beyond it would never be reached
MOST: Final = 100_000  # persons
CHAT_BITS: Final = 31
_RESTRICTING: Final = [(name, limit.friction) for name, limit in LIMITS.items() if limit.friction]

Row = tuple[str, int, float]  # class, chat, monotonic time


def mark_of(chat: str) -> int:
    """Return the number of a chat in a row."""
    return int(chat, 16) & ((1 << CHAT_BITS) - 1)


class DailyDetections:
    """Rows by person."""

    def __init__(self, most: int = MOST) -> None:
        self._rows: AgeingMap[int, list[Row]] = AgeingMap(most)

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, person: int, name: str, chat: int, at: float, now: float) -> int:
        """Add a row of class `name`. Return the number of chats of that class in the last day; 0: nothing was added.

        Nothing is added if the row is known, too old, or one of more than CHATS.
        """
        rows = self._of(person, now)
        same = [row[1] for row in rows if row[0] == name]
        if at <= now - DAY or chat in same or len(same) >= CHATS:
            return 0
        rows.append((name, chat, at))
        self._rows.put(person, rows, max([row[2] for row in rows]) + DAY, now)
        return len(same) + 1

    def chats(self, person: int, name: str, now: float) -> int:
        """Return the number of chats of the last day in which the class was detected."""
        return len([row for row in self._of(person, now) if row[0] == name]) if self._rows else 0

    def earlier(self, person: int, name: str, but: int, now: float) -> tuple[float, ...]:
        """Return when the class was detected in the last day, in chats other than `but`; ascending."""
        return tuple(sorted([at for kind, chat, at in self._of(person, now) if kind == name and chat != but]))

    def restricts(self, person: int, now: float) -> bool:
        """Whether a challenge is required before a search, by a limit of LIMITS."""
        if not self._rows or self._rows.get(person, now) is None:
            return False
        kinds = [name for name, limit in _RESTRICTING if self.chats(person, name, now) >= limit]
        return bool(kinds)

    def _of(self, person: int, now: float) -> list[Row]:
        """Return a copy of the rows of a person that count at `now`."""
        return [row for row in self._rows.get(person, now) or () if row[2] > now - DAY]

    def forget(self, person: int) -> None:
        """Delete the rows of a session without identity that ended."""
        self._rows.pop(person)

    # migration

    def leave(self, person: int, now: float, keep: bool) -> list[Any] | None:
        """Export the rows of a migrating person: class, chat, age in seconds. They are deleted here unless `keep`. None if there is no row."""
        rows = [(name, chat, now - at) for name, chat, at in self._of(person, now)]
        if not keep:
            self._rows.pop(person)
        return rows or None

    def enter(self, person: int, record: Sequence[Sequence[Any]], now: float) -> list[Sequence[Any]]:
        """Import rows that `leave` exported. Return those that were unknown here; classes of a later release are skipped."""
        return [
            row for row in record if row[0] in LIMITS and self.add(person, row[0], row[1], now - max(row[2], 0.0), now)
        ]

    def rest(self, now: float) -> list[tuple[int, list[Any]]]:
        """Export all rows as (person, exported rows), oldest person first."""
        found = [(person, self.leave(person, now, keep=True)) for person in list(self._rows)]
        return [(person, rows) for person, rows in found if rows is not None]
