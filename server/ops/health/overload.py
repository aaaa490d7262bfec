"""Decides whether a process turns newcomers away because it has too much work of its own.

A second is overloaded if the loop was late in it and its thread was busy: it used half of the core that it may have at most. A loop that is
late because others have the cores is not overloaded: to turn people away would not make it earlier. Three overloaded seconds in a row begin it.
From then on a share of the newcomers is let in: a quarter at first, half as many after each overloaded second and twice as many after each other
one; with all of them it is over. So nobody is shut out for good, whatever makes the load.

Whoever was here a moment ago and comes back is let in all the same: `engine.chats.session_graces` knows them.
"""

from secrets import randbelow
from typing import Final

from engine.wire.protocol import FULL_AFTER_LEAST, FULL_AFTER_MOST
from server.ops import log
from server.ops.process.schedule import Sample

LATE: Final = 0.05  # seconds that a timer may be late
BUSY: Final = 0.5  # of the core that the process may have
SECONDS: Final = 3
SHARE_FIRST: Final = 1 / 4
SHARE_LEAST: Final = 1 / 16
EXPECTED_MAX: Final = 64  # newcomers who were shown a page and have not connected yet

logger = log.get()


def is_busy(before: Sample | None, after: Sample | None, core: float) -> bool:
    """Whether the thread used half of its core between two samples. `core`: how much of one it may have. Without samples it did."""
    if before is None or after is None:
        return True
    return after.ran - before.ran >= BUSY * core * (after.at - before.at)


class Crowding:
    """Of one loop; it is shown once a second how late that was. `late`: seconds that it may be; infinite: however late, all are taken in.

    `core`: how much of a core the process may have (`server.ops.process.schedule.core_share`).
    """

    def __init__(self, core: float = 1.0) -> None:
        self.late = LATE
        self.share = 1.0  # of the newcomers that is let in
        self.turned_away = 0
        self._core = core
        self._overloaded = 0  # seconds in a row
        self._sample: Sample | None = None
        self._credit = 0.0  # of a newcomer
        self._expected = 0

    @property
    def on(self) -> bool:
        """Whether newcomers are turned away."""
        return self.share < 1

    def look(self, late: float, sample: Sample | None) -> None:
        """A second is over. `late`: seconds; `sample`: of the loop's thread, None: the system does not say it."""
        before, self._sample = self._sample, sample
        overloaded = late > self.late and is_busy(before, sample, self._core)
        if not self.on:
            self._overloaded = self._overloaded + 1 if overloaded else 0
            if self._overloaded == SECONDS:
                self.share, self.turned_away, self._credit, self._expected = SHARE_FIRST, 0, 0.0, 0
                logger.error("server.crowded")
            return
        self.share = max(self.share / 2, SHARE_LEAST) if overloaded else self.share * 2
        if self.share >= 1:
            self._overloaded = 0
            logger.warning("server.crowded_over", count=self.turned_away)

    def admits(self) -> bool:
        """Whether one more newcomer is let in: all, or one in so many. Who is shown a page is expected, and not asked twice."""
        if not self.on:
            return True
        if self._expected:
            self._expected -= 1
            return True
        return self._draws()

    def admits_page(self) -> bool:
        """As `admits`, of a newcomer who asks for a page, and connects by it then."""
        if not self.on:
            return True
        admitted = self._draws()
        self._expected = min(self._expected + admitted, EXPECTED_MAX)
        return admitted

    def _draws(self) -> bool:
        self._credit += self.share
        if self._credit < 1:
            return False
        self._credit -= 1
        return True

    def turn_away(self) -> int:
        """One more is; in how many seconds to come back."""
        self.turned_away += 1
        return come_again()


def come_again() -> int:
    """Seconds after which a newcomer for whom there is no room is to come back: drawn, so that they do not all do at once."""
    return FULL_AFTER_LEAST + randbelow(FULL_AFTER_MOST - FULL_AFTER_LEAST + 1)
