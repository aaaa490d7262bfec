"""Model users for load generators: arrivals, interests, typing speed, patience. Seeded, no I/O."""

import bisect
import random
from collections.abc import Sequence
from itertools import accumulate

INTERESTS = 2_000  # distinct ones
LANGUAGES = (("en", 60), ("es", 15), ("pt", 10), ("de", 5), ("fr", 4), ("it", 3), ("ja", 2), ("ar", 1))  # percent
WORDS = [
    "hi",
    "hello",
    "how",
    "are",
    "you",
    "where",
    "from",
    "what",
    "do",
    "like",
    "music",
    "film",
    "book",
    "tea",
    "cat",
    "dog",
    "rain",
    "sun",
    "yes",
    "no",
    "maybe",
    "why",
    "really",
    "cool",
    "bye",
]


class Taste:
    """Interests by Zipf's law with exponent 1: a few are common, most are rare."""

    def __init__(self, seed: int, count: int = INTERESTS) -> None:
        self._random = random.Random(seed)
        self._names = [f"interest {number}" for number in range(count)]
        self._heights = list(accumulate(1 / rank for rank in range(1, count + 1)))

    def interests(self) -> list[str]:
        """Draw one to ten different ones."""
        wanted = self._random.randint(1, 10)
        found: set[str] = set()
        while len(found) < wanted:
            found.add(self._names[bisect.bisect(self._heights, self._random.random() * self._heights[-1])])
        return sorted(found)

    def language(self) -> str:
        """Draw one by the shares of LANGUAGES."""
        names, weights = zip(*LANGUAGES, strict=True)
        return str(self._random.choices(names, weights)[0])

    def line(self) -> str:
        """Draw a line of two to fifteen words."""
        return " ".join(self._random.choices(WORDS, k=self._random.randint(2, 15)))

    def pause(self) -> float:
        """Draw seconds of reading and typing: lognormal, median two."""
        return min(30.0, self._random.lognormvariate(0.7, 0.6))

    def patience(self) -> float:
        """Draw seconds of waiting before giving up: half a minute on average."""
        return 5.0 + self._random.expovariate(1 / 25.0)

    def lines(self) -> int:
        """Draw the number of lines of a chat: many end after one or two."""
        return int(self._random.paretovariate(1.1)) if self._random.random() < 0.9 else 0

    def chance(self, share: float) -> bool:
        """Return True with this probability."""
        return self._random.random() < share


# Until which share of a run, what share of the users is there, and how many times faster than told they come.
SHAPES: dict[str, Sequence[tuple[float, float, float]]] = {
    "steady": ((1.0, 1.0, 1.0),),
    "rush": ((0.2, 0.2, 1.0), (0.4, 1.0, 1.0), (0.6, 2.0, 1.0), (0.8, 1.0, 1.0), (1.0, 0.3, 1.0)),
    "storm": ((0.4, 1.0, 1.0), (0.42, 0.0, 100.0), (1.0, 1.0, 20.0)),
}


def shape(name: str, part: float, users: int, spawn: float) -> tuple[int, float] | None:
    """Return (users, arrivals a second) at a fraction of the run, 0 to 1; None: the run is over. Names: those of SHAPES."""
    for until, share, hurry in SHAPES[name]:
        if part < until:
            return int(users * share), spawn * hurry
    return None
