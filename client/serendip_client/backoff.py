"""Compute the delay before the next attempt to connect: random, with a mean that doubles per failure up to a bound.

The randomness keeps clients from reconnecting all at once after a restart of the server.
"""

import random
from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Delays of 0.5 to 20 seconds, each shortened by a random part of up to half."""

    first: float = 0.5
    most: float = 20.0
    tries: int = 0

    def next(self) -> float:
        """Return the seconds to wait now, and double the next delay."""
        whole = min(self.most, self.first * 2.0 ** min(self.tries, 16))
        self.tries += 1
        return whole * random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Start over after a successful connection."""
        self.tries = 0
