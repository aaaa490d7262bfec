"""Limit, per IP address and network, the open connections, the connections without a complete request yet (newcomers), and the rate of new ones.

**Invariant:** the number of entries is bounded. An IPv6 address counts as its /64. In a host of several processes each process checks its own
counts, then the host's sums (`ext.accept.address_table`): of two connections that compete for the last place both may be refused, never both
accepted.
"""

# A newcomer is a connection that has sent no complete request head yet, or that was refused and is still open: it costs a descriptor. An IPv6 address
# counts as its /64 (protocol.md, rule 10), because one subscriber line holds a whole one. It also counts towards its /48, which many lines and rented
# servers have, and an IPv4 address towards its /24; such a network has a multiple of one address's limits (`share_of`).
#
# A campus shares one address, too. A visitor known from an earlier day (`known`) therefore has a few connections of its own. These are counted under
# the same networks with a `+` behind the name: all of an address together have LASTING times its limits and take nothing from its newcomers. Further
# connections of such a visitor count as those of a newcomer.
#
# If a host has several processes, each checks its own counts first, as if it were alone, and then those of all processes (`host`). It counts first
# and reads the sum afterwards: two connections that compete for the last place may both be refused, but never both accepted. A connection that
# migrates is counted by neither process on its way, so another may have its place by then. If the host's table has no room for an address, its limits
# hold per process (`alone` counts this): no connection is refused because others filled the table.

from collections import deque
from math import ceil

from cython cimport final, no_gc_clear
from libc.stdint cimport uint8_t, uint32_t, uint64_t

from ext.accept.ip_address_codec cimport ADDRESS, is_mapped, network_around, read_address, spelled_address
from ext.base.protocol cimport NEWCOMERS
from ext.accept.address_table cimport NOWHERE, drop, give, lacking, look, post, seen_t, take

cdef enum:
    ENTRIES_MAX = 1_000_000  # addresses remembered at once; 100 MB at most
    CELL_MAX = 0xFFFF        # largest count of a process in the host's table; higher counts are written as this

cdef double NEVER = 1e18  # nanoseconds: thirty years
WIDE4 = 8  # addresses' worth of limits of a /24
WIDE6 = 4  # the same of a /48
LASTING = 8  # the same of an address's known visitors together


cdef class Entry:
    """Counts of an address or network: newcomers, open connections, tokens for new ones and their time; and the entry of the surrounding network."""


@final
@no_gc_clear  # a reactor that is collected in the same cycle removes its connections from the table
cdef class Addresses:
    """Checks new connections against the limits of their address. With `limits` False everything is counted and accepted.

    `host`: counts of all processes of a host, of which this one is `column`, empty so far. Raises ValueError if there is no such column.
    """

    def __init__(
        self, *, open_max: int, burst: float, rate: float, limits: bool, coming_max: int = NEWCOMERS, host: AddressTable | None = None,
        column: int = 0,
    ):
        if host is not None and not 0 <= column < host.columns:
            raise ValueError("a table has no such column")
        self.host = host
        self.column = column
        self.entries = {}
        self.idle = deque()
        self.limits = limits
        self.change(open_max, burst, rate, coming_max)

    def change(self, open_max: int, burst: float, rate: float, coming_max: int = NEWCOMERS):
        """Set new limits; open connections stay open. Raises ValueError if a limit is too low."""
        if open_max < 1 or coming_max < 1 or burst < 1 or rate <= 0:
            raise ValueError("limits of an address are at least one connection, a burst of one, and a rate above nothing")
        self.open_max = open_max
        self.coming_max = coming_max
        self.burst = burst
        self.rate = rate

    cdef Entry entry(self, str key, double now):
        """Return the entry of `key` with its tokens refilled; None if no further address can be remembered."""
        cdef Entry entry = self.entries.get(key)
        if entry is None:
            if len(self.entries) >= ENTRIES_MAX:
                return None
            entry = self.entry_of(key, now)
        self.refill(entry, now)
        if entry.wide is not None:
            self.refill(entry.wide, now)
        return entry

    cdef Entry entry_of(self, str key, double now):
        """Return the entry of an address or network; create it, and that of the surrounding network, if it does not exist."""
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
            if self.host is not None:
                entry.hashed = self.host.hashed(key)
            if around and around != key:
                entry.wide = self.entry_of(around, now)
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

    cdef int queue_idle(self, Entry entry, double now) except -1:
        """Queue an entry that has no connection for expiry."""
        if entry.open == 0 and entry.coming == 0 and not entry.idle:
            self.idle.append((entry.key, now))
            entry.idle = True
        return 0

    cdef void count(self, Entry entry, int open, int coming, double now) noexcept:
        """Add to the counts of an address and its network, here and in the host's table."""
        entry.open += open
        entry.coming += coming
        if entry.wide is not None:
            entry.wide.open += open
            entry.wide.coming += coming
        if self.host is not None:
            self.publish(entry, now)
            if entry.wide is not None:
                self.publish(entry.wide, now)

    cdef void publish(self, Entry entry, double now) noexcept:
        """Write the counts of this process into the host's table, if it has room."""
        cdef uint32_t cell = <uint32_t>min(entry.open, CELL_MAX) << 16 | <uint32_t>min(entry.coming, CELL_MAX)
        entry.slot = post(&self.host.table, self.column, entry.hashed, entry.slot, cell, nanoseconds(now))
        if cell and entry.slot == NOWHERE:
            self.alone += 1

    cdef bint host_accepts(self, Entry entry, bint coming, double now) noexcept:
        """Whether all processes together accept a newcomer or connection that was just counted: not too many, and not too fast."""
        if not self.limits:
            return True
        if not self.fits(entry, coming) or entry.wide is not None and not self.fits(entry.wide, coming):
            return False
        return coming or self.take_tokens(entry, now)

    cdef bint fits(self, Entry entry, bint coming) noexcept:
        cdef seen_t seen
        if entry.slot == NOWHERE:
            return True  # the counts of this process were checked before
        look(&self.host.table, entry.hashed, &seen)
        if coming:
            return seen.coming <= <uint64_t>self.coming_max * entry.share
        return seen.open <= <uint64_t>self.open_max * entry.share

    cdef bint take_tokens(self, Entry entry, double now) noexcept:
        """Take a token from the address and one from its network; take neither if one of them has none."""
        if not take(&self.host.table, entry.hashed, nanoseconds(now), self.pace(entry)):
            return False
        if entry.wide is None or take(&self.host.table, entry.wide.hashed, nanoseconds(now), self.pace(entry.wide)):
            return True
        give(&self.host.table, entry.hashed, self.pace(entry))
        return False

    cdef pace_t pace(self, Entry entry) noexcept:
        """Return the rate and burst of an entry's bucket."""
        cdef pace_t pace
        cdef double gap = min(NEVER, 1e9 / (self.rate * entry.share))
        pace.gap = <uint64_t>gap
        pace.window = <uint64_t>min(NEVER, pace.gap * self.burst * entry.share)
        return pace

    cdef int arrive(self, str key, double now) except -1:
        """Count a newcomer of `key`; False if the address or its network has too many."""
        cdef Entry entry = self.entry(key, now)
        if entry is None:
            return not self.limits
        if self.limits and (self.crowded(entry) or entry.wide is not None and self.crowded(entry.wide)):
            self.queue_idle(entry, now)
            return False
        self.count(entry, 0, 1, now)
        if self.host is not None and not self.host_accepts(entry, True, now):
            self.count(entry, 0, -1, now)
            self.queue_idle(entry, now)
            return False
        return True

    cdef int settle(self, str key, double now) except -1:
        """Count a newcomer of `key` as one no longer."""
        cdef Entry entry = self.entries.get(key)
        if entry is not None and entry.coming > 0:
            self.count(entry, 0, -1, now)
            self.queue_idle(entry, now)
        return 0

    cpdef bint enter(self, str key, double now):
        """Count a new connection of `key`; False if the address or its network has too many open, or opens them too fast."""
        cdef Entry entry = self.entry(key, now)
        if entry is None:
            return not self.limits
        if self.limits and (self.spent(entry) or entry.wide is not None and self.spent(entry.wide)):
            self.queue_idle(entry, now)
            return False
        self.count(entry, 1, 0, now)
        if self.host is not None and not self.host_accepts(entry, False, now):
            self.count(entry, -1, 0, now)
            self.queue_idle(entry, now)
            return False
        entry.tokens -= 1
        if entry.wide is not None:
            entry.wide.tokens -= 1
        return True

    cpdef str moved(self, str key, double now):
        """Count a connection that another process accepted, without a check and without a token.

        Returns the stored key that equals `key`; None if it cannot be counted.
        """
        cdef Entry entry = self.entry(key, now)
        if entry is None:
            return None
        self.count(entry, 1, 0, now)
        return entry.key

    cpdef int wait(self, str key, double now):
        """Return the seconds until `key` may open a connection if it opened them too fast; 0 if it has too many open."""
        cdef Entry entry = self.entries.get(key)
        if entry is None or entry.open >= self.open_max * entry.share:
            return 0
        if self.full(entry) or entry.wide is not None and (entry.wide.open >= self.open_max * entry.wide.share or self.full(entry.wide)):
            return 0
        if entry.wide is None:
            return self.token_wait(entry, now)
        return max(self.token_wait(entry, now), self.token_wait(entry.wide, now))

    cpdef int refusal(self, str address, bytes cookie, double now):
        """Return what a new connection of an address would be told now, without counting one: -1 if it is accepted, else as `wait`.

        `cookie`: the visitor's identity cookie, or None. Raises ValueError if `address` is none.
        """
        cdef str key = key_of(address), own = self.visitor_key(key, cookie, now)
        cdef int found
        if not self.limits:
            return -1
        found = self.refused(own, now)
        return found if own is key or found < 0 else self.refused(key, now)

    cdef int refused(self, str key, double now) except -2:
        cdef Entry entry = self.entry(key, now)
        cdef double lack
        if entry is None:
            return 0
        self.queue_idle(entry, now)
        if entry.open >= self.open_max * entry.share or self.full(entry):
            return 0
        if entry.wide is not None and (entry.wide.open >= self.open_max * entry.wide.share or self.full(entry.wide)):
            return 0
        lack = self.token_lack(entry, now)
        if entry.wide is not None:
            lack = max(lack, self.token_lack(entry.wide, now))
        return ceil(lack) if lack > 0 else -1

    cdef bint full(self, Entry entry) noexcept:
        """Whether all processes together have as many open connections as the entry allows."""
        cdef seen_t seen
        if self.host is None:
            return False
        look(&self.host.table, entry.hashed, &seen)
        return seen.open >= <uint64_t>self.open_max * entry.share

    cdef int token_wait(self, Entry entry, double now) except -1:
        """Return the seconds until the entry has a token, at least 1."""
        return max(1, ceil(self.token_lack(entry, now)))

    cdef double token_lack(self, Entry entry, double now) noexcept:
        """Return the seconds until the entry has a token; not above 0 if it has one."""
        cdef double rate = self.rate * entry.share, wait = (1 - entry.tokens - max(0.0, now - entry.stamp) * rate) / rate
        cdef seen_t seen
        if self.host is not None:
            look(&self.host.table, entry.hashed, &seen)
            wait = max(wait, lacking(seen.due, nanoseconds(now), self.pace(entry)) / 1e9)
        return wait

    cdef str visitor_key(self, str key, bytes cookie, double now):
        """Return the key under which a connection counts first: that of known visitors if its cookie is known and has a connection left."""
        return key + "+" if cookie is not None and self.limits and self.known is not None and self.known.lasting(cookie, now) else key

    cdef bint returns(self, bytes cookie, str address, double now) except -1:
        """Whether the cookie belongs to a session whose connection dropped a moment ago."""
        return self.known is not None and self.known.returns(cookie, address, now)

    cdef str stored_key(self, str key):
        """Return the stored key that equals `key`, so that connections of one address share one string."""
        cdef Entry entry = self.entries.get(key)
        return entry.key if entry is not None else key

    cpdef void leave(self, str key, double now):
        """Remove a closed connection of `key` from the counts."""
        cdef Entry entry = self.entries.get(key)
        if entry is not None and entry.open > 0:
            self.count(entry, -1, 0, now)
            self.queue_idle(entry, now)

    cpdef void forget(self, double now):
        """Delete the entries that have had no connection until their bucket filled up again."""
        cdef Entry entry
        cdef double age = self.burst / self.rate
        while self.idle and now - self.idle[0][1] >= age:
            key = self.idle.popleft()[0]
            entry = self.entries[key]
            entry.idle = False
            if entry.open == 0 and entry.coming == 0 and now - entry.stamp >= age:
                del self.entries[key]
                self.remove_from_host(entry, now)
                if entry.wide is not None:
                    self.delete_inside(entry.wide, now)
            else:
                self.queue_idle(entry, now)

    cdef void remove_from_host(self, Entry entry, double now) noexcept:
        """Remove the counts of this process from the host's table."""
        if self.host is not None:
            drop(&self.host.table, self.column, entry.hashed, nanoseconds(now))

    cdef int delete_inside(self, Entry wide, double now) except -1:
        """Delete one entry inside a network; the last one queues the network for expiry too, as of its last use."""
        wide.within -= 1
        if wide.within == 0:
            del self.entries[wide.key]
            self.remove_from_host(wide, now)
        return 0

    def __len__(self) -> int:
        return len(self.entries)


cdef inline uint64_t nanoseconds(double now) noexcept:
    return <uint64_t>(now * 1e9)


cpdef str key_of(str address):
    """Return the key under which an address is counted: itself without an IPv4 mapping, or the /64 of an IPv6 address.

    Raises ValueError if it is no address.
    """
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
    """Return the /48 around a /64 as `key_of` names it, or the /24 around an IPv4 address; "" for other text.

    A key with a `+` gives a network with one.
    """
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
    """Return by how much the limits of one address are multiplied for a network that `key_of` or `wide_of` named."""
    if network.endswith("+"):
        return LASTING * share_of(network.removesuffix("+"))
    if network.endswith("/24"):
        return WIDE4
    return WIDE6 if network.endswith("/48") else 1
