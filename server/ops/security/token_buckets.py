"""Token buckets by name, for what is too rare for the engine to count. Rule: bounded memory; a name that is not remembered has a full bucket.

Where as many names as are remembered have taken something, none of them is forgotten for another: all further names share one bucket until there is
room. So nobody gets a full one by making names up.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

from ext.accept.admission import share_of

PIECE: Final = 500  # names that go to another process at once
NAMES = 20_000  # that are remembered (about 200 bytes each)
WIDE4: Final = 16  # networks of IPv4 for which the /16 around them counts; of IPv6 the reactor's rule says it
OTHERS = ""  # the name of all for whom there is no room


@lru_cache(maxsize=4096)
def network(address: str) -> str:
    """The network that shares a limit, an IPv4 /24 or an IPv6 /56; an address that is none shares one with all of its kind."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "?"
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    width = 24 if mapped.version == 4 else 56
    return str(ipaddress.ip_network((mapped, width), strict=False))


@lru_cache(maxsize=4096)
def wide_network(address: str) -> str:
    """The network around `network`: an IPv4 /16, or an IPv6 /48 as the reactor has it; "" for what is no address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    width = 16 if mapped.version == 4 else 48
    return str(ipaddress.ip_network((mapped, width), strict=False))


class Buckets:
    """One bucket a name: `burst` at once, then `rate` a second."""

    def __init__(self, burst: float, rate: float, names: int = NAMES) -> None:
        self._burst = burst
        self._rate = rate
        self._names = names
        self._found: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, name: str, now: float, cost: float = 1.0) -> float:
        """Seconds until the bucket holds `cost`, or all that it can hold where that is less; 0: now."""
        self._forget(now)
        name = self._remembered(name)
        left, times = self._left(name, now), self.times(name)
        cost = min(cost, self._burst * times)
        return 0.0 if left >= cost else (cost - left) / (self._rate * times)

    def times(self, _name: str) -> float:
        """How many times as much as others a name has."""
        return 1.0

    def take(self, name: str, now: float, cost: float = 1.0) -> None:
        """Take so much out, as far as it is there."""
        self._forget(now)
        name = self._remembered(name)
        left = self._left(name, now)
        self._found[name] = (max(0.0, left - cost), now)
        self._found.move_to_end(name)

    def _remembered(self, name: str) -> str:
        """Under which name it is counted."""
        return name if name in self._found or len(self._found) < self._names else OTHERS

    def _forget(self, now: float) -> None:
        """Drops the names whose bucket is full again, whatever was taken: they say nothing any more."""
        full = now - self._burst / self._rate
        while self._found and next(iter(self._found.values()))[1] <= full:
            self._found.popitem(last=False)

    def _left(self, name: str, now: float) -> float:
        found, times = self._found.get(name), self.times(name)
        burst = self._burst * times
        return burst if found is None else min(burst, found[0] + (now - found[1]) * self._rate * times)

    def pack(self, now: float) -> Iterator[list[tuple[str, float, float]]]:
        """Take out what is remembered, for another process, the latest first and some at a time: name, what was left, seconds since."""
        while self._found:
            names = (self._found.popitem() for _ in range(min(PIECE, len(self._found))))
            yield [(name, left, now - at) for name, (left, at) in names]

    def unpack(self, piece: list[tuple[str, float, float]], now: float) -> None:
        """Take it in, older than what is here. Raises TypeError, ValueError."""
        for name, left, age in piece:
            known = self._found.get(name)
            if known is not None:  # taken from since, as if it had been full
                times = self.times(name)
                burst = self._burst * times
                filled = min(burst, float(left) + (known[1] - now + float(age)) * self._rate * times)
                self._found[name] = (max(0.0, known[0] + filled - burst), known[1])
            elif len(self._found) < self._names:
                self._found[str(name)] = (float(left), now - float(age))
                self._found.move_to_end(str(name), last=False)

    def __len__(self) -> int:
        """Names that are remembered."""
        return len(self._found)


class NetworkBuckets(Buckets):
    """Buckets by address: of its network, and of the network around that, which has a few times as much.

    Without the second one a network of 256 is 256 networks: a /48 of IPv6 costs nothing, and many hosts of a provider are in one /16 of IPv4.
    """

    def wait(self, address: str, now: float, cost: float = 1.0) -> float:
        """As its base, for both networks."""
        return max(super(NetworkBuckets, self).wait(name, now, cost) for name in _levels(address))

    def take(self, address: str, now: float, cost: float = 1.0) -> None:
        """As its base, from both networks."""
        for name in _levels(address):
            super().take(name, now, cost)

    def times(self, name: str) -> float:
        """For a network around others, how many of them it counts for."""
        return float(WIDE4 if name.endswith("/16") else share_of(name) if name.endswith("/48") else 1)


def _levels(address: str) -> tuple[str, ...]:
    wide = wide_network(address)
    return (network(address), wide) if wide else (network(address),)


class Tables:
    """The buckets of all parts, by what they limit: they go on in the process that this one hands over to."""

    def __init__(self) -> None:
        self._tables: dict[str, Buckets] = {}

    def add(self, name: str, buckets: Buckets) -> Buckets:
        """One of them; it is given back."""
        self._tables[name] = buckets
        return buckets

    def pack(self, now: float) -> Iterator[dict[str, Any]]:
        """Take out all, in pieces."""
        for name, buckets in self._tables.items():
            for piece in buckets.pack(now):
                yield {"limit": name, "spent": piece}

    def unpack(self, piece: dict[str, Any], now: float) -> None:
        """Take a piece in; one of a limit that is not known here is passed over. Raises KeyError, TypeError, ValueError."""
        buckets = self._tables.get(piece["limit"])
        if buckets is not None:
            buckets.unpack(piece["spent"], now)
