"""Count the chats that a user, or a user's network, began with a line that begins many other chats too.

**Invariant:** in memory only, for WINDOW seconds, and at most BEGINNERS entries: the one that began a chat the longest ago is dropped first.
"""

from typing import Final

from ext.base.ageing_map import AgeingMap

MANY: Final = 4  # chats of one person or network, to tell one advertiser from a crowd that begins alike
WINDOW: Final = 600.0  # seconds
BEGINNERS: Final = 20_000  # persons and networks


class OpenerCounts:
    """Times of such chats, by person and by network."""

    def __init__(self, most: int = BEGINNERS) -> None:
        self._times: AgeingMap[int | str, list[float]] = AgeingMap(most)

    def __len__(self) -> int:
        return len(self._times)

    def add(self, person: int, network: str, now: float) -> None:
        """Count a chat."""
        for key in (person, network):
            times = self._times.get(key) or []
            self._times.put(key, [*times[1 - MANY :], now], now + WINDOW, now)

    def is_many(self, person: int, network: str, now: float) -> bool:
        """Whether the person or the network (empty: not counted) began MANY chats so within WINDOW."""
        if not self._times:
            return False
        for key in (person, network):
            times = self._times.get(key, now) or ()
            if len(times) >= MANY and times[0] > now - WINDOW:
                return True
        return False

    def expire(self, now: float) -> None:
        """Drop entries older than WINDOW."""
        self._times.expire(now)
