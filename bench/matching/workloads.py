"""Generate the seeded workload of the matcher's figures: users and their interests, in blocks, untimed.

50,000 interests with Zipf exponent 1.0; 1 to 10 per ticket, doubles counted once; 8 languages at 60/15/10/5/4/3/2/1 %; 4 recent partners per
ticket, checked on both sides.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

INTERESTS: Final = 50_000
MOST: Final = 10
LANGUAGES: Final = (60, 15, 10, 5, 4, 3, 2, 1)  # per cent
RECENT: Final = 4
_BITS: Final = 22  # of the table that turns a uniform number into a rank: the rarest rank still owns seven entries


@dataclass(frozen=True, slots=True)
class Arrivals:
    """n tickets as arrays: ticket i has interests[offsets[i]:offsets[i + 1]]."""

    pools: NDArray[np.uint16]
    offsets: NDArray[np.uint32]
    interests: NDArray[np.uint32]
    persons: NDArray[np.uint32]
    recents: NDArray[np.uint32]
    clients: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.pools)

    def part(self, start: int, stop: int) -> "Arrivals":
        """Return tickets start..stop as their own workload."""
        first, last = self.offsets[start], self.offsets[stop]
        return Arrivals(
            self.pools[start:stop],
            self.offsets[start : stop + 1] - first,
            self.interests[first:last],
            self.persons[start:stop],
            self.recents[start:stop],
            self.clients[start:stop],
        )

    def ids(self, i: int) -> tuple[int, ...]:
        """Return the interests of one ticket."""
        return tuple(self.interests[self.offsets[i] : self.offsets[i + 1]].tolist())


class Stream:
    """Endless stream of tickets; the same seed gives the same stream."""

    def __init__(self, seed: int, *, interests: int = INTERESTS, most: int = MOST) -> None:
        self._dice = np.random.default_rng(seed)
        self._most = most
        self._count = 0
        shares = np.cumsum(1.0 / np.arange(1, interests + 1))
        steps = (np.arange(1 << _BITS) + 0.5) / (1 << _BITS) * shares[-1]
        self._ranks = np.searchsorted(shares, steps).astype(np.uint32)
        self._pools = np.repeat(np.arange(len(LANGUAGES), dtype=np.uint16), LANGUAGES)

    def take(self, n: int) -> Arrivals:
        """Return the next n tickets."""
        dice = self._dice
        ids = self._ranks[dice.integers(0, 1 << _BITS, (n, self._most), dtype=np.uint32)]
        ids.sort(axis=1)
        wanted = dice.integers(1, self._most + 1, n)
        # which of the sorted draws a ticket takes: `wanted` of them at random, doubles out
        take = dice.random((n, self._most), dtype=np.float32).argsort(axis=1) < wanted[:, None]
        doubled = np.zeros_like(take)
        last = np.full(n, 0xFFFFFFFF, dtype=np.uint32)
        for column in range(self._most):
            doubled[:, column] = take[:, column] & (ids[:, column] == last)
            last = np.where(take[:, column], ids[:, column], last)
        take &= ~doubled
        offsets = np.zeros(n + 1, dtype=np.uint32)
        np.cumsum(take.sum(axis=1), out=offsets[1:])
        start = self._count + 1
        self._count += n
        persons = np.arange(start, start + n, dtype=np.uint32)
        recents = dice.integers(1, max(2, self._count), (n, RECENT), dtype=np.uint32)
        pools = self._pools[dice.integers(0, 100, n)]
        return Arrivals(pools, offsets, ids[take], persons, recents, persons.astype(np.uint64))
