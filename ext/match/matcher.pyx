"""Index waiting tickets and find the best partner for a new one, exactly or within a budget of comparisons: the Python interface of the C code in
`c/`.

**Invariant:** arguments are checked before anything changes, so after an exception of `ext.match.errors` the index is unchanged. A ticket's handle
is never reused. Not thread-safe.
"""

# A handle is slot | serial << 32.

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from ext.match.matcher_base cimport Index
from ext.match.interner cimport Ids, Interner, numbers_of
from ext.match.matcher_c cimport (
    MX_ANYONE, MX_AVOID, MX_FULL, MX_LIFTED, MX_LISTS_FULL, MX_MOST, MX_MOST_LISTS, MX_NOBODYS, MX_NOLIST, MX_NONE, MX_PLAIN, mx, mx_alive,
    mx_arrivals, mx_best, mx_best_variant, mx_buckets, mx_cold, mx_common_interests, mx_counts, mx_doors, mx_dump_bucket, mx_dump_list,
    mx_dump_ticket, mx_free, mx_handle, mx_hot, mx_list, mx_names, mx_new, mx_person, mx_pool_open, mx_query, mx_recall, mx_relax, mx_slot,
    mx_text, mx_variants
)

from ext.match.errors import BadArray, DuplicateInterest, MatcherError, MatcherFull, TooMany, UnknownInterest, UnknownPool, UnknownTicket

cdef enum:
    DUMP = 16384  # maximum size of a dump in bytes


FULL = MX_FULL  # results among the handles of `submit_batch`
LISTS_FULL = MX_LISTS_FULL


def alive() -> dict[str, int]:
    """Return the waiting tickets, over all matchers, for the leak ledger."""
    return {"tickets": mx_alive()}


def variants() -> tuple[str, ...]:
    """Return the builds that this machine can run, the best last."""
    return tuple(mx_names[i].decode() for i in range(mx_best_variant() + 1))


cdef class Matcher(Index):
    """Tickets of many pools in one index.

    capacity: tickets at a time, up to 16,000,000; memory is touched as it is used. lists: (pool, interest) pairs at a time. table_from:
    number of tickets from which searches within a budget use the table of pairs, in pools of at least a 32nd of that. log: tickets that may
    be in the table only before they are added to the lists. near: share of the weight that a partner of the same home may weigh less than
    the best one and is preferred all the same, from 0 to 0.5. most_postings, most_tickets: the budget of a search without the table. Without
    an interner every interest weighs 1, and any number is one.
    """

    cdef mx *m
    cdef const mx_doors *doors
    cdef mx_query q
    cdef Interner interner
    cdef uint32_t pools_open, lift
    cdef public uint32_t most_postings, most_tickets
    cdef readonly str variant

    def __cinit__(self, uint32_t capacity=1_000_000, *, lists=None, Interner interner=None, table_from=262_144, log=65_536,
                  most_postings=16_384, most_tickets=128, double near=0.0, seed=0, variant=None):
        names = variants()
        if variant is not None and variant not in names:
            raise ValueError(f"no such build here: {variant}")
        if capacity < 8 or capacity > 16_000_000:
            raise ValueError("capacity must be from 8 to 16,000,000")
        most_lists = lists if lists is not None else min(MX_MOST_LISTS, capacity * 8 + 100_000)
        if not 0.0 <= near <= 0.5:
            raise ValueError("near must be from 0 to 0.5")
        if not 8 <= most_lists <= MX_MOST_LISTS:
            raise ValueError(f"lists must be from 8 to {MX_MOST_LISTS:,}")
        self.m = mx_new(capacity, most_lists, min(table_from, 0xFFFFFFFF), log, seed)
        if self.m == NULL:
            raise MemoryError("the matcher's memory cannot be reserved")
        self.variant = variant or names[len(names) - 1]
        self.doors = &mx_variants[names.index(self.variant)]
        self.interner = interner
        self.lift = <uint32_t>(MX_PLAIN / (1.0 - near))
        self.most_postings = most_postings
        self.most_tickets = most_tickets

    def __dealloc__(self):
        if self.m != NULL:
            mx_free(self.m)

    def __len__(self) -> int:
        return self.m.live

    def pool(self) -> int:
        """Open another pool and return its number. Raises MatcherFull."""
        if self.pools_open >= self.m.most_pools - 1:
            raise MatcherFull("no room for another pool")
        if mx_pool_open(self.m, self.pools_open) == MX_NOLIST:
            raise MatcherFull("no room for another list")
        self.pools_open += 1
        return self.pools_open - 1

    def waiting(self, uint32_t pool) -> int:
        """Return the number of tickets that wait in a pool."""
        return self.m.pools[pool].waiting if pool < self.pools_open else 0

    cpdef submit(self, uint64_t client, int pool, ids, int level, double since, uint64_t person=0, tuple recent=(), tuple blocked=(),
                 bint quiet=False, tuple also=(), bint exact=False, bint look=True, int floor=0, uint16_t place=0, uint8_t home=0):
        """Match a new ticket with the best partner, or let it wait.

        Return the partner's (client, common ids rarest first, weight, since, rule), or a handle.

        level: 0 good, 1 any, 2 anyone, 3 anyone for long. quiet: any overlap is good. also: further pools to search. exact: no budget. look:
        False waits without a search. floor: the least weight of shared interests that is accepted, up to 65,534; 65,535: it accepts only a ticket
        of the same interests. A quiet pool has none. place: the place that the ticket cannot leave, so that it meets no ticket of another place;
        0: none. home: the process or host of the user; a ticket of the same home is preferred (`near`), but not in an exact search; 0: unknown.
        Raises subclasses of MatcherError, the pool unchanged.
        """
        cdef mx_query *q = &self.q
        cdef mx_best b
        cdef uint32_t slot
        if not 0 <= floor <= 65535:
            raise MatcherError("a floor is from 0 to 65,535")
        self.fill(client, pool, ids, level, since, person, recent, blocked, quiet)
        q.floor = 0 if quiet else floor
        q.place = place
        q.home = home
        q.lift = self.lift if home and not exact else MX_PLAIN
        if also:
            self.check(also)
        if look:
            self.doors.resolve(self.m, q, 1)
            self.look(&b, exact, also)
            if b.slot != MX_NONE:
                return self.found(&b)
        if self.m.live >= self.m.capacity:
            raise MatcherFull("no room for another ticket")
        if self.m.most_lists - self.m.entries < MX_MOST:
            raise MatcherFull("no room for another list")
        if also or not look:
            self.doors.resolve(self.m, q, 0)  # without these, the entries that were found before the search are current
        self.doors.ready(self.m, q)
        slot = self.doors.insert(self.m, q)
        return mx_handle(self.m, slot)

    cpdef retry(self, uint64_t handle, int level, bint quiet=False, tuple also=(), bint exact=False, int floor=0):
        """Search again for a waiting ticket with a lower level: return the partner as `submit` does (both are removed), or None.

        Raises UnknownTicket.
        """
        cdef uint32_t slot = self.slot(handle)
        cdef mx_query *q = &self.q
        cdef mx_best b
        if not 0 <= level <= MX_LIFTED:
            raise MatcherError("a level is from 0 to 3")
        if not 0 <= floor <= 65535:
            raise MatcherError("a floor is from 0 to 65,535")
        if also:
            self.check(also)
        mx_relax(self.m, slot, level, floor)
        mx_recall(self.m, slot, q)
        q.floor = 0 if quiet else floor
        q.quiet = quiet
        if q.home and not exact:
            q.lift = self.lift
        self.weigh()
        q.total = self.m.cold[slot].total
        self.doors.resolve(self.m, q, 0)
        self.look(&b, exact, also)
        if b.slot != MX_NONE:
            self.doors.remove(self.m, slot, 1)
            return self.found(&b)
        if level >= MX_ANYONE:
            self.doors.stand(self.m, slot)
        return None

    cpdef remove(self, uint64_t handle):
        """Remove a ticket; False if it does not wait (any more)."""
        cdef uint32_t slot = mx_slot(self.m, handle)
        if slot == MX_NONE:
            return False
        self.doors.remove(self.m, slot, 1)
        return True

    def tidy(self, uint32_t steps=1000) -> None:
        """Sweep `steps` tickets of the log, lists and buckets, without waiting for arrivals; for tests of what remains."""
        self.doors.flush(self.m, steps)
        self.doors.hand(self.m, steps)

    def counts(self) -> dict[str, int]:
        """Return totals since the start: postings and tickets visited, searches cut by their budget, and more."""
        cdef mx_counts *c = &self.m.counts
        return {"postings": c.postings, "tickets": c.tickets, "cut": c.cut, "fallbacks": c.fallbacks, "flushed": c.flushed, "swept": c.swept}

    def memory(self) -> dict[str, int]:
        """Return bytes in use: of tickets and of the index, with freed places; reserved: address space at most."""
        cdef mx *m = self.m
        cdef uint64_t tickets = m.live * <uint64_t>(sizeof(mx_hot) + sizeof(mx_cold) + 8) + m.live // 2
        cdef uint64_t lists = m.lists_live * <uint64_t>sizeof(mx_list) + mx_buckets(m) * <uint64_t>64, postings = m.arena_live * <uint64_t>64
        cdef uint64_t table = (<uint64_t>64 << m.table_bits) if m.counts.fallbacks or m.log_size or m.announced else 0
        return {"tickets": tickets, "lists": lists, "postings": postings, "table": table, "log": m.log_size * <uint64_t>52,
                "lists_open": m.entries, "reserved": m.reserved, "total": tickets + lists + postings + table}

    def __repr__(self) -> str:
        return f"<Matcher: {self.m.live:,} of {self.m.capacity:,} tickets, {self.pools_open} pools, {self.m.entries:,} interests, {self.variant}>"

    def dump(self, str what not None, uint64_t number) -> str:
        """Describe a "ticket" by its handle, or a "bucket" or "list" by the number that the ticket's lines name, for debugging.

        The lines contain users' interests: for a terminal, never for a log. Raises UnknownTicket, or MatcherError for another number or
        word.
        """
        cdef char text[DUMP]
        cdef mx_text out
        out.at = text
        out.room = DUMP
        if what == "ticket":
            mx_dump_ticket(self.m, self.slot(number), &out)
        elif what == "bucket" and 1 <= number <= mx_buckets(self.m):
            mx_dump_bucket(self.m, <uint32_t>number, &out)
        elif what == "list" and 1 <= number < self.m.lists_used:
            mx_dump_list(self.m, <uint32_t>number, &out)
        else:
            raise MatcherError(f"there is no {what} {number}")
        return text[:DUMP - out.room].decode()

    # arrays

    def submit_batch(self, pools, offsets, interests, partner, handle, score, *, clients=None, persons=None, recents=None, levels=None,
                     double now=0.0, bint hold=False, bint exact=False, bint quiet=False, bint only_insert=False, cycles=None) -> int:
        """Submit many tickets from arrays, with prefetching. Arrays made from the lobby's objects cost more than this saves.

        Ticket i has interests[offsets[i]:offsets[i + 1]]. partner[i]: the handle of its partner (removed), or -1. handle[i]: the handle
        under which i waits, -1 if it was matched, FULL or LISTS_FULL if there was no room. hold: a matched ticket waits all the same, so
        that the pool keeps its size. recents: 32-bit persons as from `person`, four per ticket, 0 for none. If the table is used, a ticket
        does not see the one just before it. Returns the number of matches. Raises BadArray and the errors of `submit`, before anything is
        done.
        """
        try:
            return self._batch(pools, offsets, interests, partner, handle, score, clients, persons, recents, levels, now, hold, exact,
                               quiet, only_insert, cycles)
        except MatcherError:
            raise
        except (ValueError, TypeError) as error:
            raise BadArray(str(error)) from error

    cdef int _batch(self, const uint16_t[::1] pools, const uint32_t[::1] offsets, const uint32_t[::1] interests, int64_t[::1] partner,
                    int64_t[::1] handle, uint32_t[::1] score, const uint64_t[::1] clients, const uint32_t[::1] persons,
                    const uint32_t[:, ::1] recents, const uint8_t[::1] levels, double now, bint hold, bint exact, bint quiet,
                    bint only_insert, uint32_t[::1] cycles) except -1:
        if pools is None or offsets is None or interests is None or partner is None or handle is None or score is None:
            raise BadArray("an array is missing")
        cdef Py_ssize_t n = pools.shape[0], i, met = 0
        cdef mx_arrivals a
        if offsets.shape[0] != n + 1 or partner.shape[0] != n or handle.shape[0] != n or score.shape[0] != n:
            raise BadArray("arrays of different lengths")
        if (clients is not None and clients.shape[0] != n) or (persons is not None and persons.shape[0] != n) or (
                recents is not None and (recents.shape[0] != n or recents.shape[1] != 4)) or (levels is not None and levels.shape[0] != n) or (
                cycles is not None and cycles.shape[0] != n):
            raise BadArray("arrays of different lengths")
        if n == 0:
            return 0
        if offsets[n] > interests.shape[0]:
            raise BadArray("offsets beyond the interests")
        if self.m.most_lists - self.m.entries < MX_MOST:
            raise MatcherFull("no room for another list")
        memset(&a, 0, sizeof(a))
        a.pools = &pools[0]
        a.offsets = &offsets[0]
        a.interests = &interests[0] if interests.shape[0] else self.q.interest  # never NULL, since it is read, if only for zero elements
        a.persons = &persons[0] if persons is not None else NULL
        a.recents = &recents[0, 0] if recents is not None else NULL
        a.clients = &clients[0] if clients is not None else NULL
        a.levels = &levels[0] if levels is not None else NULL
        a.partner = &partner[0]
        a.handle = &handle[0]
        a.score = &score[0]
        a.cycles = &cycles[0] if cycles is not None else NULL
        a.now = now
        a.hold = hold
        a.exact = exact
        a.quiet = quiet
        a.only_insert = only_insert
        a.most_postings = 0 if exact else self.most_postings
        a.most_tickets = 0 if exact else self.most_tickets
        if self.interner is not None or not self.doors.sound(&a, <uint32_t>n, <uint32_t>min(interests.shape[0], MX_NONE), self.pools_open):
            self._check_arrivals(&a, n)
        self.m.weights = self.interner.weights if self.interner is not None else NULL
        with nogil:
            self.doors.batch(self.m, &a, <uint32_t>n)
        for i in range(n):
            met += partner[i] >= 0
        return met

    cdef int _check_arrivals(self, const mx_arrivals *a, Py_ssize_t n) except -1:
        """Raise the error that the arrays have, if any. The last offset is within the interests."""
        cdef Py_ssize_t i, j, k
        for i in range(n):
            if a.pools[i] >= self.pools_open:
                raise UnknownPool(f"pool {a.pools[i]} is not open")
            if a.levels != NULL and a.levels[i] > MX_LIFTED:
                raise BadArray("a level is from 0 to 3")
            if a.offsets[i + 1] < a.offsets[i]:
                raise BadArray("offsets that fall")
            if a.offsets[i + 1] - a.offsets[i] > MX_MOST:
                raise TooMany("more than 32 interests")
            for j in range(a.offsets[i], a.offsets[i + 1]):
                if a.interests[j] >= MX_NOBODYS or (self.interner is not None and not self.interner.alive(a.interests[j])):
                    raise UnknownInterest(f"no interest {a.interests[j]}")
                for k in range(a.offsets[i], j):
                    if a.interests[k] == a.interests[j]:
                        raise DuplicateInterest(f"interest {a.interests[j]} twice")
        return 0

    def remove_batch(self, const int64_t[::1] handles not None) -> int:
        """Remove tickets; return how many of them waited. For callers of `submit_batch`."""
        cdef Py_ssize_t i
        cdef uint32_t slot
        cdef int count = 0
        for i in range(handles.shape[0]):
            slot = mx_slot(self.m, <uint64_t>handles[i])
            if slot != MX_NONE:
                self.doors.remove(self.m, slot, 1)
                count += 1
        return count

    # internal

    cdef uint32_t slot(self, uint64_t handle) except? 0xFFFFFFFF:
        cdef uint32_t slot = mx_slot(self.m, handle)
        if slot == MX_NONE:
            raise UnknownTicket("no such ticket waits")
        return slot

    cdef int check(self, tuple also) except -1:
        for pool in also:
            if not 0 <= pool < self.pools_open:
                raise UnknownPool(f"pool {pool} is not open")
        return 0

    cdef int fill(self, uint64_t client, int pool, ids, int level, double since, uint64_t person, tuple recent, tuple blocked,
                  bint quiet) except -1:
        cdef mx_query *q = &self.q
        cdef uint32_t i, j, n = <uint32_t>len(ids), id
        cdef uint32_t *numbers = numbers_of(<Ids>ids) if type(ids) is Ids else NULL
        if not 0 <= pool < self.pools_open:
            raise UnknownPool(f"pool {pool} is not open")
        if not 0 <= level <= MX_LIFTED:
            raise MatcherError("a level is from 0 to 3")
        if n > MX_MOST or len(recent) > MX_AVOID or len(blocked) > MX_AVOID:
            raise TooMany("too many interests or persons to avoid")
        for i in range(n):
            if numbers != NULL:
                id = numbers[i]
            else:
                found = ids[i]
                id = found if 0 <= found < 0xFFFFFFFF else 0xFFFFFFFF
            if id >= MX_NOBODYS or (self.interner is not None and not self.interner.alive(id)):
                raise UnknownInterest(f"no interest {ids[i]}")
            for j in range(i):
                if q.interest[j] == id:
                    raise DuplicateInterest(f"interest {id} twice")
            q.interest[i] = id
        q.n = n
        q.pool = pool
        q.self = MX_NONE
        q.level = level
        q.quiet = quiet
        q.client = client
        q.since = since
        q.person = mx_person(person)
        q.nrec = <uint8_t>len(recent)
        q.nblk = <uint8_t>len(blocked)
        for i in range(q.nrec):
            q.rec[i] = mx_person(<uint64_t>recent[i])
        for i in range(q.nblk):
            q.blk[i] = mx_person(<uint64_t>blocked[i])
        self.weigh()
        return 0

    cdef void weigh(self) noexcept:
        cdef mx_query *q = &self.q
        cdef uint32_t i
        q.weighted = self.interner is not None
        q.total = q.n
        if self.interner is not None:
            q.total = 0
            for i in range(q.n):
                q.w[i] = self.interner.weights[q.interest[i]] if self.interner.weights[q.interest[i]] else 1
                q.total += q.w[i]

    cdef void look(self, mx_best *b, bint exact, tuple also):
        """Find the best partner in the ticket's own pool and those in `also`; the query is for its own pool again afterwards."""
        cdef uint32_t own = self.q.pool
        memset(b, 0, sizeof(mx_best))
        b.slot = MX_NONE
        b.most_postings = 0 if exact else self.most_postings
        b.most_tickets = 0 if exact else self.most_tickets
        self.doors.search(self.m, &self.q, b, exact or self.m.pools[own].waiting < 4096)
        if also:
            for pool in also:
                self.q.pool = pool
                if self.m.pools[self.q.pool].waiting:
                    b.cut = 0
                    self.doors.resolve(self.m, &self.q, 0)
                    self.doors.search(self.m, &self.q, b, exact or self.m.pools[self.q.pool].waiting < 4096)
            self.q.pool = own
        self.m.counts.postings += b.postings
        self.m.counts.tickets += b.tickets

    cdef tuple found(self, mx_best *b):
        """Remove the partner and describe it: client, shared interests, and the rule that allowed the pair."""
        cdef mx_cold *c = &self.m.cold[b.slot]
        cdef mx_query *q = &self.q
        cdef uint32_t[MX_MOST] interests
        cdef uint32_t i, n = mx_common_interests(q, b.mask, interests), least = min(c.total, q.total)
        common = tuple([interests[i] for i in range(n)]) if n else ()
        rule = "anyone" if not n else "good" if q.quiet or 2 * b.score >= least else "any"
        result = (c.client, common, <double>b.score, c.since, rule)
        self.doors.remove(self.m, b.slot, 1)
        return result
