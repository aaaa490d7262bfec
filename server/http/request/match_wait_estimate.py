"""Estimate the usual waiting time for a match: the median of the last 15 minutes, from the engine's histograms.

Users who were matched at once do not count, because they never see the estimate. The histograms are read on request, so counting costs nothing
more.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

WINDOW: Final = 900.0  # seconds
APART: Final = 60.0  # seconds between two stored readings
LEAST: Final = 10  # waits, below which there is no estimate
AT_ONCE: Final = 0.5  # seconds


class WaitHistogram(Protocol):
    """A histogram of the engine: upper bounds in seconds, and a count for each; one more count for values above all bounds."""

    @property
    def bounds(self) -> tuple[float, ...]: ...
    @property
    def counts(self) -> Sequence[int]: ...


class UsualWait:
    """Stored readings of the histograms; the oldest is as old as the window."""

    def __init__(self) -> None:
        self._readings: deque[tuple[float, dict[str, tuple[int, ...]]]] = deque()

    def waits(self, waits: Mapping[str, WaitHistogram], now: float) -> dict[str, int]:
        """Return the estimate in seconds by mode, at least 1; a mode with too few waits is left out. `now` in seconds, rising."""
        counts = {mode: tuple(waits[mode].counts) for mode in waits}
        if not self._readings or now - self._readings[-1][0] >= APART:
            self._readings.append((now, counts))
        while len(self._readings) > 1 and self._readings[1][0] <= now - WINDOW:
            self._readings.popleft()  # the next one is old enough to measure from
        began, then = self._readings[0]
        if now - began > 2 * WINDOW:  # no request came for so long that the reading says nothing about the present
            then = counts
        found = {
            mode: median_wait(waits[mode].bounds, [c - b for c, b in zip(counts[mode], then[mode], strict=True)])
            for mode in waits
        }
        return {mode: seconds for mode, seconds in found.items() if seconds is not None}


def median_wait(bounds: Sequence[float], counts: Sequence[int]) -> int | None:
    """Return the median wait in seconds of those who had to wait; None: too few waits, or longer than the histogram measures."""
    late = [(bound, count) for bound, count in zip(bounds, counts, strict=False) if bound > AT_ONCE]
    everybody = sum(count for _, count in late) + counts[-1]
    if everybody < LEAST:
        return None
    reached = 0
    for bound, count in late:
        reached += count
        if 2 * reached >= everybody:
            return max(1, round(bound))
    return None
