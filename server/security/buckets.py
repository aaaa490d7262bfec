"""Token buckets by name, for what is too rare for the engine to count. Rule: bounded memory; a name that is not remembered has a full bucket."""

import ipaddress
from collections import OrderedDict
from functools import lru_cache

NAMES = 20_000  # that are remembered, the latest ones (about 200 bytes each)


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
        left = self._left(name, now)
        cost = min(cost, self._burst)
        return 0.0 if left >= cost else (cost - left) / self._rate

    def take(self, name: str, now: float, cost: float = 1.0) -> None:
        """Take so much out, as far as it is there."""
        left = self._left(name, now)
        self._found[name] = (max(0.0, left - cost), now)
        self._found.move_to_end(name)
        self._forget(now)
        if len(self._found) > self._names:
            self._found.popitem(last=False)

    def _forget(self, now: float) -> None:
        """Drops the names whose bucket is full again, whatever was taken: they say nothing any more."""
        full = now - self._burst / self._rate
        while self._found and next(iter(self._found.values()))[1] <= full:
            self._found.popitem(last=False)

    def _left(self, name: str, now: float) -> float:
        found = self._found.get(name)
        return self._burst if found is None else min(self._burst, found[0] + (now - found[1]) * self._rate)

    def __len__(self) -> int:
        """Names that are remembered."""
        return len(self._found)
