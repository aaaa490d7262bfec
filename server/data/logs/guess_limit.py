"""A limit on guessing addresses of logs. Rule: only misses count, by network (`NetworkBuckets`), in bounded memory.

128 bits cannot be guessed; the limit keeps a guesser from costing the database anything.
"""

from __future__ import annotations

from server.ops.security.token_buckets import NAMES, NetworkBuckets

BURST = 20.0  # misses at once: a person pastes a wrong link twice, not twenty times
RATE = 0.2  # misses a second after that


class Guesses:
    """One bucket a network."""

    def __init__(self, *, burst: float = BURST, rate: float = RATE, networks: int = NAMES) -> None:
        self.buckets = NetworkBuckets(burst, rate, networks)

    def wait(self, address: str, now: float) -> float:
        """Seconds until the network of this address may miss again; 0: now."""
        return self.buckets.wait(address, now)

    def missed(self, address: str, now: float) -> None:
        """Count a miss."""
        self.buckets.take(address, now)

    def __len__(self) -> int:
        """Networks that are remembered."""
        return len(self.buckets)
