"""A limit on guessing addresses of logs. Rule: only misses count, by network (IPv4 /24, IPv6 /56), in bounded memory.

128 bits cannot be guessed; the limit keeps a guesser from costing the database anything.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from functools import lru_cache

BURST = 20.0  # misses at once: a person pastes a wrong link twice, not twenty times
RATE = 0.2  # misses a second after that
NETWORKS = 20_000  # networks that are remembered, the latest ones (about 200 bytes each)


@lru_cache(maxsize=4096)
def network(address: str) -> str:
    """The network that shares a limit; an address that is none shares one with all of its kind."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "?"
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    width = 24 if mapped.version == 4 else 56
    return str(ipaddress.ip_network((mapped, width), strict=False))


class Guesses:
    """One bucket a network; absent means full."""

    def __init__(self, *, burst: float = BURST, rate: float = RATE, networks: int = NETWORKS) -> None:
        self._burst = burst
        self._rate = rate
        self._networks = networks
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, address: str, now: float) -> float:
        """Seconds until the network of this address may miss again; 0: now."""
        left = self._left(network(address), now)
        return 0.0 if left >= 1.0 else (1.0 - left) / self._rate

    def missed(self, address: str, now: float) -> None:
        """Count a miss."""
        key = network(address)
        left = self._left(key, now)
        self._buckets[key] = (max(0.0, left - 1.0), now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > self._networks:
            self._buckets.popitem(last=False)

    def _left(self, key: str, now: float) -> float:
        found = self._buckets.get(key)
        return self._burst if found is None else min(self._burst, found[0] + (now - found[1]) * self._rate)

    def __len__(self) -> int:
        """Networks that are remembered."""
        return len(self._buckets)
