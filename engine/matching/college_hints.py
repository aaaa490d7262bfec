"""Who waits for a student of any college, by their own. Rule: a hint that may be stale; whoever uses it looks again.

Such a ticket waits in the pool of all colleges. Who wants the same college only does not look there, so the newcomer
must make those of the college look once more.
"""

from collections.abc import Iterator
from typing import Final

from engine.matching.tickets import Pool

POOLS_MOST: Final = 4_096
WAITING_MOST: Final = 64  # of one college: more would meet each other


class CollegeHints:
    """Sessions by the pool of their own college."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[Pool, dict[int, None]] = {}

    def wait(self, own: Pool, client: int) -> None:
        """A ticket of any college waits whose own college's pool is `own`."""
        if own not in self._waiting and len(self._waiting) >= POOLS_MOST:
            self._waiting.clear()
        there = self._waiting.setdefault(own, {})
        there.pop(client, None)
        there[client] = None
        if len(there) > WAITING_MOST:
            del there[next(iter(there))]

    def of(self, own: Pool) -> Iterator[int]:
        """Those of a college, the longest waiting first; each is forgotten as it is given."""
        there = self._waiting.get(own, {})
        while there:
            client = next(iter(there))
            del there[client]
            yield client
        self._waiting.pop(own, None)
