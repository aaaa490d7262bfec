"""Who connects from where: newcomers, open connections and new ones an address. Rule: bounded, and forgotten as soon as it says nothing.

A newcomer is a connection of which no whole request came yet, or that was refused and is not gone: it costs a descriptor, and nobody
has asked for anything. An IPv6 address counts by its /64 (protocol.md, rule 10): one subscriber line holds a whole one. It counts by
its /48 too, for many a line or rented server has that, and an IPv4 address by its /24, which is what is rented: each may some times what
one address may (`share_of`).

A campus is behind one address too. So who was here a day ago already has a few connections of their own first (`known`), and these are counted
apart, by the same networks with a `+` behind their names: all of an address together may have LASTING times what it may, and take nothing of what
its newcomers have. Beyond their own they are newcomers like all.

Where a host has several processes, each judges by what it has itself, as if it were the only one, and then by what all have together
(`census`): it counts first and looks at the sum after, so that of two who come to the last place at once both may be refused, but never both
get in. What moves from one to another is counted at neither on the way: somebody else may have its place by then. Where the host's table has no
room for an address, its limits hold in each process by themselves (`alone` says how often): nobody is refused for what others fill.
"""
from collections import deque
from math import ceil

from cython cimport final, no_gc_clear
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from ext.accept.address cimport ADDRESS, is_mapped, network_around, read_address, spelled_address
from ext.accept.census cimport NOWHERE, drop, give, lacking, look, post, seen_t, take

cdef enum:
    ENTRIES_MAX = 1_000_000  # addresses remembered at once; 100 MB at the worst
    CELL_MAX = 0xFFFF        # what a process may have of an address in the host's table; more of it is counted as that
    COMING_MAX = 250         # as many as programs may have open that make a connection for each request

cdef double NEVER = 1e18  # nanoseconds, thirty years
WIDE4 = 8  # addresses for which a /24 counts
WIDE6 = 4  # and a /48
LASTING = 8  # and those of one who were here a day ago, all together


cdef class Entry:
    """Newcomers, open connections, tokens left in the bucket of new ones, and when they were counted; the entry of the network around."""


@final
@no_gc_clear  # a reactor that ends in the same circle takes its connections out of the table
cdef class Addresses:
    """Judges new connections. `limits`: False lifts the verdicts, the count goes on.

    `census`: what all processes of a host have, of which this one is `column`, with nothing to its name yet. ValueError: there is no such column.
    """

    def __init__(
        self, *, open_max: int, burst: float, rate: float, limits: bool, coming_max: int = COMING_MAX, census: Census | None = None,
        column: int = 0,
    ):
        if census is not None and not 0 <= column < census.columns:
            raise ValueError("a table has no such column")
        self.census = census
        self.column = column
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
            entry = self.made(key, now)
        self.refill(entry, now)
        if entry.wide is not None:
            self.refill(entry.wide, now)
        return entry

    cdef Entry made(self, str key, double now):
        """The entry of an address or a network, made where there is none, with that of the network around it."""
        cdef Entry entry = self.entries.get(key)
        cdef str around
        if entry is None:
            around = wide_of(key)
            entry = Entry.__new__(Entry)
            entry.share = share_of(key)
            entry.tokens = self.burst * entry.share
            entry.stamp = now
            entry.key = key
            entry.slot = NOWHERE
            if self.census is not None:
                entry.hashed = self.census.hashed(key)
            if around and around != key:
                entry.wide = self.made(around, now)
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

    cdef void count(self, Entry entry, int open, int coming, double now) noexcept:
        """So many more of an address, and of the network around it; the host's table is told."""
        entry.open += open
        entry.coming += coming
        if entry.wide is not None:
            entry.wide.open += open
            entry.wide.coming += coming
        if self.census is not None:
            self.tell(entry, now)
            if entry.wide is not None:
                self.tell(entry.wide, now)

    cdef void tell(self, Entry entry, double now) noexcept:
        """What this process has of it stands in the host's table, where that has room."""
        cdef uint32_t cell = <uint32_t>min(entry.open, CELL_MAX) << 16 | <uint32_t>min(entry.coming, CELL_MAX)
        entry.slot = post(&self.census.table, self.column, entry.hashed, entry.slot, cell, nanoseconds(now))
        if cell and entry.slot == NOWHERE:
            self.alone += 1

    cdef bint agreed(self, Entry entry, bint coming, double now) noexcept:
        """Whether one that was just counted, a newcomer or an open connection, is not too many of those in all processes, nor too fast."""
        if not self.limits:
            return True
        if not self.fits(entry, coming) or entry.wide is not None and not self.fits(entry.wide, coming):
            return False
        return coming or self.paid(entry, now)

    cdef bint fits(self, Entry entry, bint coming) noexcept:
        cdef seen_t seen
        if entry.slot == NOWHERE:
            return True  # by itself it was judged before
        look(&self.census.table, entry.hashed, &seen)
        if coming:
            return seen.coming <= <uint64_t>self.coming_max * entry.share
        return seen.open <= <uint64_t>self.open_max * entry.share

    cdef bint paid(self, Entry entry, double now) noexcept:
        """Takes a token from the address and one from the network around it, or none."""
        if not take(&self.census.table, entry.hashed, nanoseconds(now), self.pace(entry)):
            return False
        if entry.wide is None or take(&self.census.table, entry.wide.hashed, nanoseconds(now), self.pace(entry.wide)):
            return True
        give(&self.census.table, entry.hashed, self.pace(entry))
        return False

    cdef pace_t pace(self, Entry entry) noexcept:
        """The limits of its bucket."""
        cdef pace_t pace
        cdef double gap = min(NEVER, 1e9 / (self.rate * entry.share))
        pace.gap = <uint64_t>gap
        pace.window = <uint64_t>min(NEVER, pace.gap * self.burst * entry.share)
        return pace

    cdef int arrive(self, str key, double now) except -1:
        """Counts a newcomer of `key`; False where the address, or the network around it, has too many."""
        cdef Entry entry = self.entry(key, now)
        if entry is None:
            return not self.limits
        if self.limits and (self.crowded(entry) or entry.wide is not None and self.crowded(entry.wide)):
            self.rest(entry, now)
            return False
        self.count(entry, 0, 1, now)
        if self.census is not None and not self.agreed(entry, True, now):
            self.count(entry, 0, -1, now)
            self.rest(entry, now)
            return False
        return True

    cdef int settle(self, str key, double now) except -1:
        """A connection of `key` that had arrived is no newcomer any more."""
        cdef Entry entry = self.entries.get(key)
        if entry is not None and entry.coming > 0:
            self.count(entry, 0, -1, now)
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
        self.count(entry, 1, 0, now)
        if self.census is not None and not self.agreed(entry, False, now):
            self.count(entry, -1, 0, now)
            self.rest(entry, now)
            return False
        entry.tokens -= 1
        if entry.wide is not None:
            entry.wide.tokens -= 1
        return True

    cpdef str moved(self, str key, double now):
        """Counts a connection that was judged in another process, without a verdict or a token.

        Gives the remembered key equal to `key`, None where it cannot be counted.
        """
        cdef Entry entry = self.entry(key, now)
        if entry is None:
            return None
        self.count(entry, 1, 0, now)
        return entry.key

    cpdef int wait(self, str key, double now):
        """Seconds until `key` may make a connection where it made them too fast; 0 where it has too many, which no time mends."""
        cdef Entry entry = self.entries.get(key)
        if entry is None or entry.open >= self.open_max * entry.share:
            return 0
        if self.full(entry) or entry.wide is not None and (entry.wide.open >= self.open_max * entry.wide.share or self.full(entry.wide)):
            return 0
        if entry.wide is None:
            return self.lacks(entry, now)
        return max(self.lacks(entry, now), self.lacks(entry.wide, now))

    cdef bint full(self, Entry entry) noexcept:
        """Whether all processes together have as many open as it may."""
        cdef seen_t seen
        if self.census is None:
            return False
        look(&self.census.table, entry.hashed, &seen)
        return seen.open >= <uint64_t>self.open_max * entry.share

    cdef int lacks(self, Entry entry, double now) except -1:
        """Seconds until it has a token, at least one."""
        cdef double rate = self.rate * entry.share, wait = (1 - entry.tokens - max(0.0, now - entry.stamp) * rate) / rate
        cdef seen_t seen
        if self.census is not None:
            look(&self.census.table, entry.hashed, &seen)
            wait = max(wait, lacking(seen.due, nanoseconds(now), self.pace(entry)) / 1e9)
        return max(1, ceil(wait))

    cdef str own(self, str key, bytes cookie, double now):
        """By what a connection of `key` counts first: apart, where its cookie was here a day ago and has one left of its own."""
        return key + "+" if cookie is not None and self.limits and self.known is not None and self.known.lasting(cookie, now) else key

    cdef bint returns(self, bytes cookie, str address, double now) except -1:
        """Whether somebody who dropped out a moment ago comes back."""
        return self.known is not None and self.known.returns(cookie, address, now)

    cdef str shared(self, str key):
        """The remembered key equal to `key`, so that connections from one address hold one string."""
        cdef Entry entry = self.entries.get(key)
        return entry.key if entry is not None else key

    cpdef void leave(self, str key, double now):
        """A connection of `key` that had entered is gone."""
        cdef Entry entry = self.entries.get(key)
        if entry is not None and entry.open > 0:
            self.count(entry, -1, 0, now)
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
                self.forgotten(entry, now)
                if entry.wide is not None:
                    self.let_go(entry.wide, now)
            else:
                self.rest(entry, now)

    cdef void forgotten(self, Entry entry, double now) noexcept:
        """Nor does the host's table know it, unless another process does."""
        if self.census is not None:
            drop(&self.census.table, self.column, entry.hashed, nanoseconds(now))

    cdef int let_go(self, Entry wide, double now) except -1:
        """An address within it is forgotten; with the last one the network is, whose bucket was last taken from when one of theirs was."""
        wide.within -= 1
        if wide.within == 0:
            del self.entries[wide.key]
            self.forgotten(wide, now)
        return 0

    def __len__(self) -> int:
        return len(self.entries)


cdef inline uint64_t nanoseconds(double now) noexcept:
    return <uint64_t>(now * 1e9)


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
    """The /48 around a /64 as `key_of` names it, the /24 around an IPv4 address; "" for what is no address. That of those with a `+` has one."""
    cdef str first
    cdef uint8_t[ADDRESS] parsed
    if key.endswith("+"):
        first = wide_of(key.removesuffix("+"))
        return first + "+" if first else ""
    if ":" in key:
        read(key.partition("/")[0], parsed)
        return network_around(parsed, 48)
    first = key.rpartition(".")[0]
    return first + ".0/24" if first else ""


cpdef int share_of(str network):
    """How many times what one address may a network may, as `key_of` or `wide_of` names it."""
    if network.endswith("+"):
        return LASTING * share_of(network.removesuffix("+"))
    if network.endswith("/24"):
        return WIDE4
    return WIDE6 if network.endswith("/48") else 1
