"""Compute the delay before the next attempt to connect: random, with a mean that doubles per failure up to a bound.

The randomness keeps clients from reconnecting all at once after a restart of the server.
"""

import random
from dataclasses import dataclass
from typing import Final

SOON: Final = 1.5  # seconds: the longest delay during a chat, which waits for 15 s


@dataclass(slots=True)
class Backoff:
    """Delays of 0.5 to 20 seconds (1.5 during a chat), each shortened by a random part of up to half."""

    first: float = 0.5
    most: float = 20.0
    tries: int = 0

    def next(self, soon: bool = False) -> float:
        """Return the seconds to wait now, and double the next delay. `soon`: a partner is waiting."""
        whole = min(self.most, self.first * 2.0 ** min(self.tries, 16), SOON if soon else self.most)
        self.tries += 1
        return whole * random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Start over after a successful connection."""
        self.tries = 0
