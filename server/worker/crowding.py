"""Whether a process is late with everything, so that nobody new is taken in. Rule: three bad seconds in a row begin it, three good ones end it.

Who was here a moment ago and comes back is let in all the same: `engine.presence` knows them.
"""

from secrets import randbelow
from typing import Final

from engine.protocol import FULL_AFTER_LEAST, FULL_AFTER_MOST
from server import log

LATE: Final = 0.05  # seconds that a timer may be late
SECONDS: Final = 3

logger = log.get()


class Crowding:
    """Of one loop; it is shown once a second how late that was. `late`: seconds that it may be; infinite: however late, all are taken in."""

    def __init__(self) -> None:
        self.late = LATE
        self.on = False
        self.turned_away = 0
        self._run = 0  # seconds in a row that speak against what holds

    def look(self, late: float) -> None:
        """`late`: seconds."""
        self._run = self._run + 1 if (late > self.late) != self.on else 0
        if self._run < SECONDS:
            return
        self.on, self._run = not self.on, 0
        if self.on:
            self.turned_away = 0
            logger.error("server.crowded")
        else:
            logger.warning("server.crowded_over", count=self.turned_away)

    def turn_away(self) -> int:
        """One more is; in how many seconds to come back."""
        self.turned_away += 1
        return come_again()


def come_again() -> int:
    """Seconds after which a newcomer for whom there is no room is to come back: drawn, so that they do not all do at once."""
    return FULL_AFTER_LEAST + randbelow(FULL_AFTER_MOST - FULL_AFTER_LEAST + 1)
