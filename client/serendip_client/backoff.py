"""How long to wait before the next attempt to connect.

Rule: doubling, bounded, and never two clients at the same moment.
"""

import random
from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """0.5 to 20 seconds, each with a random part of half of it, so that a crowd that was cut comes back spread."""

    first: float = 0.5
    most: float = 20.0
    tries: int = 0

    def next(self) -> float:
        """Seconds to wait now; longer the next time."""
        whole = min(self.most, self.first * 2.0 ** min(self.tries, 16))
        self.tries += 1
        return whole * random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """A connection stands."""
        self.tries = 0
