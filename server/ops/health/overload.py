"""Decide whether a process refuses new users because its own work delays its event loop.

Refusal begins after three overloaded seconds in a row; a share of new users, halved or doubled each second, is still admitted and never reaches
zero. Users who reconnect within moments are always admitted.
"""

# A second is overloaded if the loop was late and its thread used at least half of the core that it may use. A loop that is late because other
# processes use the cores is not overloaded: refusing users would not make it earlier. The share is a quarter at first, half as much after each
# overloaded second, and twice as much after each other one, until all are admitted again. Reconnecting users: `engine.chats.session_presence`.

from secrets import randbelow
from typing import Final

from engine.wire.protocol import FULL_AFTER_LEAST, FULL_AFTER_MOST
from server.ops import log
from server.ops.process.cpu_time import Sample

LATE: Final = 0.05  # seconds that a timer may be late
BUSY: Final = 0.5  # share of the core that the process may use
SECONDS: Final = 3
SHARE_FIRST: Final = 1 / 4
SHARE_LEAST: Final = 1 / 16
EXPECTED_MAX: Final = 64  # newcomers who were given a page and have not connected yet

logger = log.get()


def is_busy(before: Sample | None, after: Sample | None, core: float) -> bool:
    """Whether the thread used half of its core between two samples; True without samples. `core`: the share of a core that it may use."""
    if before is None or after is None:
        return True
    return after.ran - before.ran >= BUSY * core * (after.at - before.at)


class OverloadGate:
    """Overload state of one event loop, updated once a second.

    `late`: seconds that the loop may be late; infinite admits all newcomers. `core`: the share of a core that the process may use
    (`server.ops.process.cpu_time.core_share`).
    """

    def __init__(self, core: float = 1.0) -> None:
        self.late = LATE
        self.share = 1.0  # share of the newcomers that is admitted
        self.turned_away = 0
        self._core = core
        self._overloaded = 0  # overloaded seconds in a row
        self._sample: Sample | None = None
        self._credit = 0.0  # fraction of a newcomer that may be admitted
        self._expected = 0

    @property
    def on(self) -> bool:
        """Whether newcomers are refused."""
        return self.share < 1

    def look(self, late: float, sample: Sample | None) -> None:
        """Record one second. `late`: seconds that the loop was late; `sample`: of the loop's thread, None if the system does not provide it."""
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
        """Whether to admit one more newcomer. One who was admitted to a page (`admits_page`) is not drawn again."""
        if not self.on:
            return True
        if self._expected:
            self._expected -= 1
            return True
        return self._draws()

    def admits_page(self) -> bool:
        """Whether to admit a newcomer who requests a page; the connection that the page opens is then expected."""
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
        """Count one refused newcomer, and return after how many seconds to come back."""
        self.turned_away += 1
        return draw_retry_s()


def draw_retry_s() -> int:
    """Return after how many seconds a refused newcomer is to come back; drawn at random, so that they do not all come at once."""
    return FULL_AFTER_LEAST + randbelow(FULL_AFTER_MOST - FULL_AFTER_LEAST + 1)
