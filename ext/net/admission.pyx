"""Who connects from where: open connections and new ones an address. Rule: bounded, and forgotten as soon as it says nothing.

An IPv6 address counts by its /64 (protocol.md, rule 10): one subscriber line holds a whole one. It counts by its /48 too, for many
a line or rented server has that: a /48 may what WIDE addresses may.
"""
cimport cython

from collections import deque
from ipaddress import ip_address, ip_network

cdef enum:
    ENTRIES_MAX = 1_000_000  # addresses remembered at once; 100 MB at the worst

WIDE = 4  # addresses for which a /48 counts


cdef class Entry:
    """Connections open, tokens left in the bucket of new ones, and when they were counted; the entry of the /48 around a /64."""


@cython.no_gc_clear  # a reactor that is collected with it takes its connections out of it
cdef class Addresses:
    """Judges new connections. `limits`: False lifts the verdicts, the count goes on."""

    def __init__(self, *, open_max: int, burst: float, rate: float, limits: bool):
        if open_max < 1 or burst < 1 or rate <= 0:
            raise ValueError("limits of an address are at least one connection, a burst of one, and a rate above nothing")
        self.entries = {}
        self.idle = deque()
        self.open_max = open_max
        self.burst = burst
        self.rate = rate
        self.limits = limits

    cpdef bint enter(self, str key, double now):
        """Counts a new connection of `key`; False where the address, or the /48 around it, has too many, or makes them too fast."""
        cdef Entry entry = self.entries.get(key), wide
        if entry is None:
            if len(self.entries) >= ENTRIES_MAX:
                return not self.limits
            entry = self.known(key, 1, now)
        wide = entry.wide
        self.refill(entry, now)
        if wide is not None:
            self.refill(wide, now)
        if self.limits and (self.spent(entry) or wide is not None and self.spent(wide)):
            if entry.open == 0:
                self.idle.append((key, now))
            return False
        entry.tokens -= 1
        entry.open += 1
        if wide is not None:
            wide.tokens -= 1
            wide.open += 1
        return True

    cdef Entry known(self, str key, int share, double now):
        """The entry of a network that may `share` times what an address may, made where there is none."""
        cdef Entry entry = self.entries.get(key)
        cdef str around
        if entry is None:
            around = wide_of(key) if share == 1 else ""
            entry = Entry.__new__(Entry)
            entry.share = share
            entry.tokens = self.burst * share
            entry.stamp = now
            entry.key = key
            if around:
                entry.wide = self.known(around, WIDE, now)
                entry.wide.within += 1
            self.entries[key] = entry
        return entry

    cdef int refill(self, Entry entry, double now) except -1:
        entry.tokens = min(self.burst * entry.share, entry.tokens + max(0.0, now - entry.stamp) * self.rate * entry.share)
        entry.stamp = now
        return 0

    cdef bint spent(self, Entry entry) except -1:
        return entry.open >= self.open_max * entry.share or entry.tokens < 1

    cdef str shared(self, str key):
        """The remembered key equal to `key`, so that connections from one address hold one string."""
        cdef Entry entry = self.entries.get(key)
        return entry.key if entry is not None else key

    cpdef void leave(self, str key, double now):
        """A connection of `key` that had entered is gone."""
        cdef Entry entry = self.entries.get(key)
        if entry is not None and entry.open > 0:
            entry.open -= 1
            if entry.wide is not None:
                entry.wide.open -= 1
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
                if entry.wide is not None:
                    self.let_go(entry.wide)

    cdef int let_go(self, Entry wide) except -1:
        """An address within it is forgotten; with the last one the /48 is, whose bucket was last taken from when one of theirs was."""
        wide.within -= 1
        if wide.within == 0:
            del self.entries[wide.key]
        return 0

    def __len__(self) -> int:
        return len(self.entries)


cpdef str key_of(str address):
    """What an address is counted by: itself, without an IPv4 mapping, or the /64 of an IPv6 address. ValueError: no address."""
    if ":" not in address:
        return address
    parsed = ip_address(address.partition("%")[0])
    mapped = parsed.ipv4_mapped
    return str(mapped) if mapped is not None else str(ip_network((int(parsed) >> 64 << 64, 64)))


cpdef str wide_of(str key):
    """The /48 around a /64 as `key_of` names it; "" for an IPv4 address."""
    if ":" not in key:
        return ""
    return str(ip_network(key).supernet(new_prefix=48))
