"""Count values into the buckets of a histogram, by plain additions, without the Prometheus library."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple


class Buckets(NamedTuple):
    """Reading of a histogram: the count of each bucket (the last: above all bounds), and the sum of the values."""

    counts: Sequence[int]
    total: float


class Histogram:
    """Counts by bucket and the sum of the values; `bounds` are upper bounds, inclusive, without infinity."""

    __slots__ = ("_bounds", "_counts", "_total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total += value

    def reading(self) -> Buckets:
        """Return the numbers so far."""
        return Buckets(tuple(self._counts), self._total)
