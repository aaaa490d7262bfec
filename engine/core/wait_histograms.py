"""What the engine measures for the metrics: histograms of waits and of what two share. Rule: plain additions, no labels from outside."""

from typing import Final

# Seconds. Up to a tenth: at once, in steps fine enough for the goal of 5 ms; then the steps of rule 6 (3 and 10), after which
# most are met soon, and of rule 7 (20 more); a minute: nobody is here.
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
)  # seconds of a challenge: a desktop's tenth, a slow phone's ten
MODES: Final = ("text", "video", "spy")


class Histogram:
    """Counts by bucket, the last above all bounds, and the sum of the values."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """One more."""
        place = 0
        for bound in self.bounds:  # few, and most values are among the first
            if value <= bound:
                break
            place += 1
        self.counts[place] += 1
        self.total += value


class Measures:
    """All histograms of one engine: by mode how long people waited, how much two share, how long chats lasted; how long a challenge took."""

    __slots__ = ("chats", "common", "solved", "waits")

    def __init__(self) -> None:
        self.waits = {mode: Histogram(WAIT_BOUNDS) for mode in MODES}
        self.common = Histogram(COMMON_BOUNDS)
        self.chats = Histogram(CHAT_BOUNDS)
        self.solved = Histogram(SOLVE_BOUNDS)

    def matched(self, video: bool, waited: tuple[float, float], common: int) -> None:
        """Two were paired; `waited`: seconds since the `find` of each."""
        waits = self.waits["video" if video else "text"]
        waits.add(waited[0])
        waits.add(waited[1])
        self.common.add(common)
