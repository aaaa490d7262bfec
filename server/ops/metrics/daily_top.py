"""Remember the highest value of the last 24 hours, as it was seen at scrapes, by the hour.

**Invariant:** a value is forgotten between 24 and 25 hours after it was seen.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

HOURS: Final = 24
HOUR_S: Final = 3600


class DailyTop:
    """The highest value of each of the last hours. `clock`: monotonic seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tops: dict[int, float] = {}

    def note(self, value: float) -> float:
        """Record a value, and return the highest one of the last day."""
        hour = int(self._clock() // HOUR_S)
        self._tops[hour] = max(value, self._tops.get(hour, 0.0))
        for old in [one for one in self._tops if one < hour - HOURS]:
            del self._tops[old]
        return max(self._tops.values())
