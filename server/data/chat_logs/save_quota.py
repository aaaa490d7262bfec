"""Limit how many chat logs, and how many bytes, a user and a network may save per hour and day, with token buckets in bounded memory.

A user can discard the cookie that identifies them, so the effective limit is that of the network (IPv4 /24, IPv6 /56), which all its users share.
"""

from __future__ import annotations

from server.data.records.chat_rows import Party
from server.ops.config.settings import Limits
from server.ops.security.token_buckets import Buckets, network

HOUR, DAY = 3600.0, 86_400.0


class SaveQuota:
    """The quota of one process."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits.enabled
        bounds = (
            (limits.saves_hour, int(limits.saved_hour), HOUR),
            (limits.saves_day, int(limits.saved_day), DAY),
        )
        self._people, self._networks = (
            [
                (Buckets(times * n, times * n / age), Buckets(times * size, times * size / age))
                for n, size, age in bounds
            ]
            for times in (1, limits.saves_network)
        )

    def wait(self, by: Party, size: int, now: float) -> float:
        """Return the seconds until `by` may save this number of bytes; 0: now. `now`: monotonic seconds."""
        if not self._limits:
            return 0.0
        return max(
            max(numbers.wait(name, now), sizes.wait(name, now, size))
            for name, buckets in self._of(by)
            for numbers, sizes in buckets
        )

    def take(self, by: Party, size: int, now: float) -> None:
        """Count a save."""
        for name, buckets in self._of(by):
            for numbers, sizes in buckets:
                numbers.take(name, now)
                sizes.take(name, now, size)

    def _of(self, by: Party) -> list[tuple[str, list[tuple[Buckets, Buckets]]]]:
        found = [(network(by.address), self._networks)]
        return [(f"{by.identity:x}", self._people), *found] if by.identity else found
