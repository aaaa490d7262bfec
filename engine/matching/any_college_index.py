"""Find, for a search within one college, the waiting users of that college who accept partners of any college: an index of their tickets.

Such a ticket waits in the pool of all colleges, which a search for one college does not look into. An entry of the index (a hint) may be outdated:
the caller checks it.
"""

from collections.abc import Iterator
from typing import Final

from engine.matching.tickets import Pool

POOLS_MOST: Final = 4_096
WAITING_MOST: Final = 64  # of one college: if there were more, they would match each other


class CollegeHints:
    """Session ids by the pool of their own college."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[Pool, dict[int, None]] = {}

    def wait(self, own: Pool, client: int) -> None:
        """Add a client whose ticket accepts any college; `own`: pool of its own college."""
        if own not in self._waiting and len(self._waiting) >= POOLS_MOST:
            self._waiting.clear()
        there = self._waiting.setdefault(own, {})
        there.pop(client, None)
        there[client] = None
        if len(there) > WAITING_MOST:
            del there[next(iter(there))]

    def of(self, own: Pool) -> Iterator[int]:
        """Yield and remove the clients of a college, longest wait first."""
        there = self._waiting.get(own, {})
        while there:
            client = next(iter(there))
            del there[client]
            yield client
        self._waiting.pop(own, None)
