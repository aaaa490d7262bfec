"""Who connects from where: open connections and new ones an address. Rule: bounded, and forgotten as soon as it says nothing.

An IPv6 address counts by its /64 (protocol.md, rule 10): one subscriber line holds a whole one.
"""
from collections import deque
from ipaddress import ip_address, ip_network

cdef enum:
    ENTRIES_MAX = 1_000_000  # addresses remembered at once; 100 MB at the worst


cdef class Entry:
    """Connections open, tokens left in the bucket of new ones, and when they were counted."""


cdef class Addresses:
    """Judges new connections. `limits`: False lifts the verdicts, the count goes on."""

    def __init__(self, *, open_max: int, burst: float, rate: float, limits: bool):
        self.entries = {}
        self.idle = deque()
        self.limits = limits
        self.change(open_max, burst, rate)

    def change(self, open_max: int, burst: float, rate: float):
        """Other limits from now on; what an address has open stays open. Raises ValueError."""
        if open_max < 1 or burst < 1 or rate <= 0:
            raise ValueError("limits of an address are at least one connection, a burst of one, and a rate above nothing")
        self.open_max = open_max
        self.burst = burst
        self.rate = rate

    cpdef bint enter(self, str key, double now):
        """Counts a new connection of `key`; False where the address has too many, or makes them too fast."""
        cdef Entry entry = self.entries.get(key)
        if entry is None:
            if len(self.entries) >= ENTRIES_MAX:
                return not self.limits
            entry = Entry.__new__(Entry)
            entry.tokens = self.burst
            entry.stamp = now
            entry.key = key
            self.entries[key] = entry
        entry.tokens = min(self.burst, entry.tokens + max(0.0, now - entry.stamp) * self.rate)
        entry.stamp = now
        if self.limits and (entry.open >= self.open_max or entry.tokens < 1):
            if entry.open == 0:
                self.idle.append((key, now))
            return False
        entry.tokens -= 1
        entry.open += 1
        return True

    cdef str shared(self, str key):
        """The remembered key equal to `key`, so that connections from one address hold one string."""
        cdef Entry entry = self.entries.get(key)
        return entry.key if entry is not None else key

    cpdef void leave(self, str key, double now):
        """A connection of `key` that had entered is gone."""
        cdef Entry entry = self.entries.get(key)
        if entry is not None and entry.open > 0:
            entry.open -= 1
            if entry.open == 0:
                self.idle.append((key, now))

    cpdef void forget(self, double now):
        """Drops the addresses that had nothing open for so long that their burst is whole again."""
        cdef Entry entry
        cdef double age = self.burst / self.rate
        while self.idle and now - self.idle[0][1] >= age:
            key = self.idle.popleft()[0]
            entry = self.entries.get(key)
            if entry is not None and entry.open == 0 and now - entry.stamp >= age:
                del self.entries[key]

    def __len__(self) -> int:
        return len(self.entries)


cpdef str key_of(str address):
    """What an address is counted by: itself, without an IPv4 mapping, or the /64 of an IPv6 address. ValueError: no address."""
    if ":" not in address:
        return address
    parsed = ip_address(address.partition("%")[0])
    mapped = parsed.ipv4_mapped
    return str(mapped) if mapped is not None else str(ip_network((int(parsed) >> 64 << 64, 64)))
