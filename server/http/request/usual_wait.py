"""How long people usually wait, from the engine's own histograms. Rule: it is read when somebody asks; the hot path counts as it does anyway.

What counts are those of the last quarter of an hour who were not met at once: only they read it. Half of them waited no longer.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

WINDOW: Final = 900.0  # seconds
APART: Final = 60.0  # seconds between two readings that are kept
LEAST: Final = 10  # waits, below which nothing is said
AT_ONCE: Final = 0.5  # seconds


class Counted(Protocol):
    """A histogram of the engine: upper bounds in seconds, and how many up to each; one count more is of those above all."""

    @property
    def bounds(self) -> tuple[float, ...]: ...
    @property
    def counts(self) -> Sequence[int]: ...


class Usual:
    """Readings of the histograms, the oldest as old as the window."""

    def __init__(self) -> None:
        self._readings: deque[tuple[float, dict[str, tuple[int, ...]]]] = deque()

    def waits(self, waits: Mapping[str, Counted], now: float) -> dict[str, int]:
        """Seconds by mode, at least 1; a mode of which too little is known is left out. `now` in seconds, rising."""
        counts = {mode: tuple(waits[mode].counts) for mode in waits}
        if not self._readings or now - self._readings[-1][0] >= APART:
            self._readings.append((now, counts))
        while len(self._readings) > 1 and self._readings[1][0] <= now - WINDOW:
            self._readings.popleft()  # the next one is old enough to measure from
        began, then = self._readings[0]
        if now - began > 2 * WINDOW:  # nobody asked for so long that it says nothing of now
            then = counts
        found = {
            mode: half(waits[mode].bounds, [c - b for c, b in zip(counts[mode], then[mode], strict=True)])
            for mode in waits
        }
        return {mode: seconds for mode, seconds in found.items() if seconds is not None}


def half(bounds: Sequence[float], counts: Sequence[int]) -> int | None:
    """Within how many seconds half of them were met, of those who had to wait; None: too few, or longer than is measured."""
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
