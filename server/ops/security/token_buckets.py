"""Limit the rate of rare actions with token buckets by name.

**Invariant:** memory is bounded. An unknown name starts with a full bucket; if the table is full, all new names share one bucket, so invented names
cannot evade a limit.
"""

# Names with spent tokens are never evicted for others.

import ipaddress
from collections import OrderedDict
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from ext.accept.address_limits import share_of

PIECE: Final = 500  # names per message to another process
NAMES = 20_000  # names remembered (about 200 bytes each)
WIDE4: Final = 16  # IPv4 networks that the surrounding /16 counts for; for IPv6 the reactor's rule gives the number
OTHERS = ""  # the shared name of all that do not fit into the table


@lru_cache(maxsize=4096)
def network(address: str) -> str:
    """Return the network that shares a limit, an IPv4 /24 or an IPv6 /56; all invalid addresses share one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "?"
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    width = 24 if mapped.version == 4 else 56
    return str(ipaddress.ip_network((mapped, width), strict=False))


@lru_cache(maxsize=4096)
def wide_network(address: str) -> str:
    """Return the wider network: an IPv4 /16, or an IPv6 /48 as in the reactor; "" for an invalid address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    width = 16 if mapped.version == 4 else 48
    return str(ipaddress.ip_network((mapped, width), strict=False))


class Buckets:
    """One bucket per name: `burst` tokens at once, then `rate` a second."""

    def __init__(self, burst: float, rate: float, names: int = NAMES) -> None:
        self._burst = burst
        self._rate = rate
        self._names = names
        self._found: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, name: str, now: float, cost: float = 1.0) -> float:
        """Return the seconds until the bucket holds `cost`, or its capacity if that is less; 0 if it does now."""
        self._forget(now)
        name = self._remembered(name)
        left, times = self._left(name, now), self.times(name)
        cost = min(cost, self._burst * times)
        return 0.0 if left >= cost else (cost - left) / (self._rate * times)

    def times(self, _name: str) -> float:
        """Return the factor of a name's burst and rate."""
        return 1.0

    def take(self, name: str, now: float, cost: float = 1.0) -> None:
        """Take tokens, as far as the bucket has them."""
        self._forget(now)
        name = self._remembered(name)
        left = self._left(name, now)
        self._found[name] = (max(0.0, left - cost), now)
        self._found.move_to_end(name)

    def _remembered(self, name: str) -> str:
        """Return the name that the bucket is counted under."""
        return name if name in self._found or len(self._found) < self._names else OTHERS

    def _forget(self, now: float) -> None:
        """Drop names whose bucket is full again in any case."""
        full = now - self._burst / self._rate
        while self._found and next(iter(self._found.values()))[1] <= full:
            self._found.popitem(last=False)

    def _left(self, name: str, now: float) -> float:
        found, times = self._found.get(name), self.times(name)
        burst = self._burst * times
        return burst if found is None else min(burst, found[0] + (now - found[1]) * self._rate * times)

    def pack(self, now: float) -> Iterator[list[tuple[str, float, float]]]:
        """Remove the remembered buckets and yield them in pieces for another process, the latest first: name, tokens left, seconds since."""
        while self._found:
            names = (self._found.popitem() for _ in range(min(PIECE, len(self._found))))
            yield [(name, left, now - at) for name, (left, at) in names]

    def unpack(self, piece: list[tuple[str, float, float]], now: float) -> None:
        """Merge a piece of another process's buckets, which are older than those here. Raises TypeError, ValueError."""
        for name, left, age in piece:
            known = self._found.get(name)
            if known is not None:  # tokens were taken here since, as if the bucket had been full
                times = self.times(name)
                burst = self._burst * times
                filled = min(burst, float(left) + (known[1] - now + float(age)) * self._rate * times)
                self._found[name] = (max(0.0, known[0] + filled - burst), known[1])
            elif len(self._found) < self._names:
                self._found[str(name)] = (float(left), now - float(age))
                self._found.move_to_end(str(name), last=False)

    def __len__(self) -> int:
        """Return the number of remembered names."""
        return len(self._found)


class NetworkBuckets(Buckets):
    """Buckets by address: of its network, and of the wider network, which has a multiple of the tokens.

    Without the second one, 256 networks cost no more than one: an IPv6 /48 costs nothing, and many hosts of a provider are in one IPv4 /16.
    """

    def wait(self, address: str, now: float, cost: float = 1.0) -> float:
        """Return the longer wait of both networks, in seconds."""
        return max(super(NetworkBuckets, self).wait(name, now, cost) for name in _levels(address))

    def take(self, address: str, now: float, cost: float = 1.0) -> None:
        """Take tokens from the buckets of both networks."""
        for name in _levels(address):
            super().take(name, now, cost)

    def times(self, name: str) -> float:
        """Return how many networks a wider network counts for; 1 for others."""
        return float(WIDE4 if name.endswith("/16") else share_of(name) if name.endswith("/48") else 1)


def _levels(address: str) -> tuple[str, ...]:
    wide = wide_network(address)
    return (network(address), wide) if wide else (network(address),)


class BucketRegistry:
    """The buckets of all parts by their names; they are passed on to the next process in an upgrade."""

    def __init__(self) -> None:
        self._tables: dict[str, Buckets] = {}

    def add(self, name: str, buckets: Buckets) -> Buckets:
        """Register buckets under a name, and return them."""
        self._tables[name] = buckets
        return buckets

    def pack(self, now: float) -> Iterator[dict[str, Any]]:
        """Remove all buckets and yield them in pieces for another process."""
        for name, buckets in self._tables.items():
            for piece in buckets.pack(now):
                yield {"limit": name, "spent": piece}

    def unpack(self, piece: dict[str, Any], now: float) -> None:
        """Merge a piece; one of an unknown limit is ignored. Raises KeyError, TypeError, ValueError."""
        buckets = self._tables.get(piece["limit"])
        if buckets is not None:
            buckets.unpack(piece["spent"], now)
