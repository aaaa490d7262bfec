"""Limit how fast a network can guess secret URLs (of chat logs, receipts, notices), so that guesses cost the database nothing.

**Invariant:** only wrong guesses count, and memory is bounded.
"""

from __future__ import annotations

from server.ops.security.token_buckets import NAMES, NetworkBuckets

BURST = 20.0  # misses at once: a user pastes a wrong link twice, not twenty times
RATE = 0.2  # misses a second after that


class GuessLimit:
    """One token bucket per network."""

    def __init__(self, *, burst: float = BURST, rate: float = RATE, networks: int = NAMES) -> None:
        self.buckets = NetworkBuckets(burst, rate, networks)

    def wait(self, address: str, now: float) -> float:
        """Return the seconds until the network of this address may miss again; 0: now."""
        return self.buckets.wait(address, now)

    def missed(self, address: str, now: float) -> None:
        """Count a miss."""
        self.buckets.take(address, now)

    def __len__(self) -> int:
        """Return the number of networks in memory."""
        return len(self.buckets)
