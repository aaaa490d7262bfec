"""Who connects from where: newcomers, open connections and new ones an address. Rule: bounded, and forgotten as soon as it says nothing.

A newcomer is a connection of which no whole request came yet, or that was refused and is not gone: it costs a descriptor, and nobody
has asked for anything. An IPv6 address counts by its /64 (protocol.md, rule 10): one subscriber line holds a whole one. It counts by
its /48 too, for many a line or rented server has that, and an IPv4 address by its /24, which is what is rented: each may some times what
one address may (`share_of`).
"""
from collections import deque
from math import ceil

from cython cimport no_gc_clear
from libc.stdint cimport uint8_t

from ext.net.address cimport ADDRESS, is_mapped, network_around, read_address, spelled_address

cdef enum:
    ENTRIES_MAX = 1_000_000  # addresses remembered at once; 100 MB at the worst
    COMING_MAX = 250         # as many as programs may have open that make a connection for each request

WIDE4 = 8  # addresses for which a /24 counts
WIDE6 = 4  # and a /48


cdef class Entry:
    """Newcomers, open connections, tokens left in the bucket of new ones, and when they were counted; the entry of the network around."""


@no_gc_clear  # a reactor that ends in the same circle takes its connections out of the table
cdef class Addresses:
    """Judges new connections. `limits`: False lifts the verdicts, the count goes on."""

    def __init__(self, *, open_max: int, burst: float, rate: float, limits: bool, coming_max: int = COMING_MAX):
        self.entries = {}
        self.idle = deque()
        self.limits = limits
        self.change(open_max, burst, rate, coming_max)

    def change(self, open_max: int, burst: float, rate: float, coming_max: int = COMING_MAX):
        """Other limits from now on; what an address has open stays open. Raises ValueError."""
        if open_max < 1 or coming_max < 1 or burst < 1 or rate <= 0:
            raise ValueError("limits of an address are at least one connection, a burst of one, and a rate above nothing")
        self.open_max = open_max
        self.coming_max = coming_max
        self.burst = burst
        self.rate = rate

    cdef Entry entry(self, str key, double now):
        """What is counted of `key`, with the tokens of `now`; None where no further address can be remembered."""
        cdef Entry entry = self.entries.get(key)
        if entry is None:
            if len(self.entries) >= ENTRIES_MAX:
                return None
            entry = self.known(key, 1, now)
        self.refill(entry, now)
        if entry.wide is not None:
            self.refill(entry.wide, now)
        return entry

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
                entry.wide = self.known(around, share_of(around), now)
                entry.wide.within += 1
            self.entries[key] = entry
        return entry

    cdef int refill(self, Entry entry, double now) except -1:
        entry.tokens = min(self.burst * entry.share, entry.tokens + max(0.0, now - entry.stamp) * self.rate * entry.share)
        entry.stamp = now
        return 0

    cdef bint spent(self, Entry entry) except -1:
        return entry.open >= self.open_max * entry.share or entry.tokens < 1

    cdef bint crowded(self, Entry entry) except -1:
        return entry.coming >= self.coming_max * entry.share

    cdef int rest(self, Entry entry, double now) except -1:
        """Where nothing of it is open or coming, it is forgotten in time."""
        if entry.open == 0 and entry.coming == 0 and not entry.idle:
            self.idle.append((entry.key, now))
            entry.idle = True
        return 0

    cdef int arrive(self, str key, double now) except -1:
        """Counts a newcomer of `key`; False where the address, or the network around it, has too many."""
        cdef Entry entry = self.entry(key, now)
        if entry is None:
            return not self.limits
        if self.limits and (self.crowded(entry) or entry.wide is not None and self.crowded(entry.wide)):
            self.rest(entry, now)
            return False
        entry.coming += 1
        if entry.wide is not None:
            entry.wide.coming += 1
        return True

    cdef int settle(self, str key, double now) except -1:
        """A connection of `key` that had arrived is no newcomer any more."""
        cdef Entry entry = self.entries.get(key)
        if entry is not None and entry.coming > 0:
            entry.coming -= 1
            if entry.wide is not None:
                entry.wide.coming -= 1
            self.rest(entry, now)
        return 0

    cpdef bint enter(self, str key, double now):
        """Counts a new connection of `key`; False where the address, or the network around it, has too many, or makes them too fast."""
        cdef Entry entry = self.entry(key, now)
        if entry is None:
            return not self.limits
        if self.limits and (self.spent(entry) or entry.wide is not None and self.spent(entry.wide)):
            self.rest(entry, now)
            return False
        entry.tokens -= 1
        entry.open += 1
        if entry.wide is not None:
            entry.wide.tokens -= 1
            entry.wide.open += 1
        return True

    cpdef str moved(self, str key, double now):
        """Counts a connection that was judged in another process, without a verdict or a token.

        Gives the remembered key equal to `key`, None where it cannot be counted.
        """
        cdef Entry entry = self.entry(key, now)
        if entry is None:
            return None
        entry.open += 1
        if entry.wide is not None:
            entry.wide.open += 1
        return entry.key

    cpdef int wait(self, str key, double now):
        """Seconds until `key` may make a connection where it made them too fast; 0 where it has too many, which no time mends."""
        cdef Entry entry = self.entries.get(key)
        if entry is None or entry.open >= self.open_max:
            return 0
        if entry.wide is None:
            return self.lacks(entry, now)
        if entry.wide.open >= self.open_max * entry.wide.share:
            return 0
        return max(self.lacks(entry, now), self.lacks(entry.wide, now))

    cdef int lacks(self, Entry entry, double now) except -1:
        """Seconds until it has a token, at least one."""
        cdef double rate = self.rate * entry.share
        return max(1, ceil((1 - entry.tokens - max(0.0, now - entry.stamp) * rate) / rate))

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
            self.rest(entry, now)

    cpdef void forget(self, double now):
        """Drops the addresses that had nothing open for so long that their burst is whole again."""
        cdef Entry entry
        cdef double age = self.burst / self.rate
        while self.idle and now - self.idle[0][1] >= age:
            key = self.idle.popleft()[0]
            entry = self.entries[key]
            entry.idle = False
            if entry.open == 0 and entry.coming == 0 and now - entry.stamp >= age:
                del self.entries[key]
                if entry.wide is not None:
                    self.let_go(entry.wide)
            else:
                self.rest(entry, now)

    cdef int let_go(self, Entry wide) except -1:
        """An address within it is forgotten; with the last one the network is, whose bucket was last taken from when one of theirs was."""
        wide.within -= 1
        if wide.within == 0:
            del self.entries[wide.key]
        return 0

    def __len__(self) -> int:
        return len(self.entries)


cpdef str key_of(str address):
    """What an address is counted by: itself, without an IPv4 mapping, or the /64 of an IPv6 address. ValueError: no address."""
    cdef uint8_t[ADDRESS] parsed
    if ":" not in address:
        return address
    read(address.partition("%")[0], parsed)
    return spelled_address(parsed) if is_mapped(parsed) else network_around(parsed, 64)


cdef int read(str address, uint8_t *parsed) except -1:
    if not read_address(address, parsed):
        raise ValueError(f"{address!r} is no address")
    return 0


cpdef str wide_of(str key):
    """The /48 around a /64 as `key_of` names it, the /24 around an IPv4 address; "" for what is no address."""
    cdef str first
    cdef uint8_t[ADDRESS] parsed
    if ":" in key:
        read(key.partition("/")[0], parsed)
        return network_around(parsed, 48)
    first = key.rpartition(".")[0]
    return first + ".0/24" if first else ""


cpdef int share_of(str network):
    """How many times what one address may a network may, as `key_of` or `wide_of` names it."""
    if network.endswith("/24"):
        return WIDE4
    return WIDE6 if network.endswith("/48") else 1
