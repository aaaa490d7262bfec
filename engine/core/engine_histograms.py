"""Count waiting times, shared interests and chat lengths in histograms, for the metrics. Labels are constants, never user input."""

from typing import Final

# Seconds. Up to 0.1: matched at once, in steps fine enough for the goal of 5 ms. Then the steps of rule 6 (3 and 10), soon after which most are
# matched, and of rule 7 (20 more). A minute: nearly no user is online.
WAIT_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 3.0, 5.0, 10.0, 11.0, 13.0, 20.0, 30.0, 60.0)
COMMON_BOUNDS: Final = (0.0, 1.0, 2.0, 3.0, 5.0, 8.0)  # shared interests; people name three to ten
CHAT_BOUNDS: Final = (5.0, 30.0, 120.0, 600.0, 1800.0, 7200.0)  # seconds of a chat; under five: a skip
SOLVE_BOUNDS: Final = (
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    120.0,
)  # seconds to solve a challenge: 0.1 on a desktop, 10 on a slow phone
MODES: Final = ("text", "video", "spy")


class Histogram:
    """Counts by bucket, the last one above all bounds, and the sum of the values."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        place = 0
        for bound in self.bounds:  # few bounds, and most values are small
            if value <= bound:
                break
            place += 1
        self.counts[place] += 1
        self.total += value


class EngineHistograms:
    """All histograms of one engine: waits by mode, shared interests, lengths of chats, times to solve a challenge."""

    __slots__ = ("chats", "common", "solved", "waits")

    def __init__(self) -> None:
        self.waits = {mode: Histogram(WAIT_BOUNDS) for mode in MODES}
        self.common = Histogram(COMMON_BOUNDS)
        self.chats = Histogram(CHAT_BOUNDS)
        self.solved = Histogram(SOLVE_BOUNDS)

    def matched(self, video: bool, waited_a: float, waited_b: float, common: int) -> None:
        """Count a match; `waited_a`, `waited_b`: seconds since the `find` of each side."""
        waits = self.waits["video" if video else "text"]
        waits.add(waited_a)
        waits.add(waited_b)
        self.common.add(common)
