"""Number the messages of a chat and keep the last ones in a ring buffer, for resumed connections, reports and saved logs.

**Invariant:** a chat holds at most 1,000 messages or 256 KiB, and all chats share one memory budget; the oldest messages are dropped first, those
of ended chats before those of live ones. Memory that held messages is cleared before it is freed.
"""

# An entry is twelve bytes (size, Unix time, side) and the text as it was sent. If emptying ended chats is not enough, a live ring stops growing and
# drops its own oldest messages. A ring lives while its `Ring` or a connection refers to it. The privacy statement promises the clearing.

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy

from ext.net.byte_buffers cimport aligned
from ext.base.check cimport CHECK
from ext.base.protocol cimport REFUSED_KEPT, SIDES, UNSENT_BYTES, UNSENT_MESSAGES, WATCHER
from ext.net.chat_ring_snapshot cimport ENTRY, ordinals, read_snapshot, snapshot_of, ring_snapshot_t
from ext.base.system cimport explicit_bzero

cdef enum:
    MESSAGES_MAX = 1000      # more than a user scrolls back to, and enough for a log or a report
    BYTES_MAX = 256 * 1024   # four times 1,000 lines of usual length
    SIZE_MIN = 512           # the few lines of a short chat; most rings never grow

cdef long live = 0


def alive() -> dict[str, int]:
    """Return the rings in use, for the leak ledger."""
    return {"rings": live}


cdef void put(ring_t *ring, uint32_t offset, const uint8_t *data, uint32_t size) noexcept nogil:
    cdef uint32_t head = ring.size - offset
    if size <= head:
        memcpy(ring.data + offset, data, size)
    else:
        memcpy(ring.data + offset, data, head)
        memcpy(ring.data, data + head, size - head)


cdef void ring_read(ring_t *ring, uint32_t offset, uint8_t *out, uint32_t size) noexcept nogil:
    """Copy `size` bytes from `offset` (modulo the ring's size) to `out`."""
    cdef uint32_t head
    offset &= ring.size - 1
    head = ring.size - offset
    if size <= head:
        memcpy(out, ring.data + offset, size)
    else:
        memcpy(out, ring.data + offset, head)
        memcpy(out + head, ring.data, size - head)


cdef uint32_t ring_entry(ring_t *ring, uint32_t offset, entry_t *entry) noexcept nogil:
    """Read the entry at `offset`; return the offset of its text. The next entry is `entry.size` behind that."""
    ring_read(ring, offset, <uint8_t *>entry, ENTRY)
    return (offset + ENTRY) & (ring.size - 1)


cdef void drop_oldest(ring_t *ring) noexcept nogil:
    cdef entry_t entry
    ring_entry(ring, ring.start, &entry)
    ring.start = (ring.start + ENTRY + entry.size) & (ring.size - 1)
    ring.used -= ENTRY + entry.size
    ring.count -= 1


cdef void give_back(ring_t *ring) noexcept nogil:
    """Clear the ring's memory and free it."""
    if ring.data != NULL:
        explicit_bzero(ring.data, ring.size)
        free(ring.data)


cdef void empty(ring_t *ring) noexcept nogil:
    give_back(ring)
    if ring.data != NULL:
        ring.budget.used -= ring.size
    ring.data = NULL
    ring.size = ring.start = ring.used = ring.count = 0


cdef void unlist(ring_t *ring) noexcept nogil:
    cdef budget_t *budget = ring.budget
    if ring.older != NULL:
        ring.older.newer = ring.newer
    elif budget.oldest == ring:
        budget.oldest = ring.newer
    if ring.newer != NULL:
        ring.newer.older = ring.older
    elif budget.newest == ring:
        budget.newest = ring.older
    ring.older = ring.newer = NULL


cdef bint afford(budget_t *budget, uint64_t more) noexcept nogil:
    """Whether `more` bytes fit the budget, after emptying as many ended rings as necessary."""
    cdef ring_t *victim
    while budget.used + more > budget.limit and budget.oldest != NULL:
        victim = budget.oldest
        unlist(victim)
        if victim.data != NULL:
            budget.evicted += 1
            empty(victim)
    return budget.used + more <= budget.limit


cdef bint grow(ring_t *ring, uint32_t need) noexcept nogil:
    """Double the ring until `need` more bytes fit. False if the ring's bound, the budget or memory does not allow it."""
    cdef uint32_t size = ring.size if ring.size else SIZE_MIN
    cdef uint8_t *data
    while size < ring.used + need:
        size *= 2
    if size > BYTES_MAX or not afford(ring.budget, size - ring.size):
        return False
    data = <uint8_t *>malloc(size)  # not realloc: the old memory must be cleared
    if data == NULL:
        return False
    if ring.used:
        ring_read(ring, ring.start, data, ring.used)
    give_back(ring)
    ring.start = 0
    ring.budget.used += size - ring.size
    ring.data = data
    ring.size = size
    return True


cdef uint32_t ring_append(ring_t *ring, int side, const uint8_t *text, Py_ssize_t size, uint32_t time) noexcept nogil:
    """Number a message of `side`, count it as taken, and keep it. Always returns the number.

    A message that is dropped because of the budget is counted as dropped; one beyond the ring's own bounds is not.
    """
    cdef entry_t entry
    cdef uint32_t need = ENTRY + <uint32_t>size
    CHECK(0 <= side < WATCHER and ring.used <= ring.size)
    ring.last += 1
    ring.taken[side] += 1
    ring.recent = <uint32_t>size
    if ring.count >= MESSAGES_MAX:
        drop_oldest(ring)
    if ring.used + need > ring.size and not grow(ring, need):
        while ring.count and ring.used + need > ring.size:
            ring.budget.dropped += ring.size < BYTES_MAX
            drop_oldest(ring)
        if ring.used + need > ring.size:
            # an empty ring, so that missed messages are recognised as lost
            ring.budget.dropped += 1
            return ring.last
    entry.size = <uint32_t>size
    entry.time = time
    entry.side = <uint32_t>side
    put(ring, (ring.start + ring.used) & (ring.size - 1), <const uint8_t *>&entry, ENTRY)
    put(ring, (ring.start + ring.used + ENTRY) & (ring.size - 1), text, entry.size)
    ring.used += need
    ring.count += 1
    return ring.last


cdef void ring_refuse(ring_t *ring, int side) noexcept nogil:
    """Count a refused `message` frame of `side`, and keep its ordinal."""
    ring.taken[side] += 1
    if ring.refused[side] == NULL:
        ring.refused[side] = <uint32_t *>calloc(REFUSED_KEPT, sizeof(uint32_t))
        if ring.refused[side] == NULL:
            return
    ring.refused[side][ring.refusals[side] % REFUSED_KEPT] = ring.taken[side]
    ring.refusals[side] += 1


cdef uint32_t ring_first(ring_t *ring) noexcept nogil:
    """Return the number of the oldest message held; `last + 1` if the ring is empty."""
    return ring.last + 1 - ring.count


cdef long ring_missed(ring_t *ring, int side, uint32_t after) noexcept nogil:
    """Return how many messages for `side` follow number `after`; -1 if one of them is no longer held, or if it is said to have one that waits for
    it here: that one had its number in an older copy of the chat. Side 2 receives both others'.
    """
    cdef entry_t entry
    cdef uint32_t number = ring_first(ring), offset = ring.start
    cdef long missed = 0
    if after + 1 < number:
        return -1
    while number <= ring.last:
        offset = ring_entry(ring, offset, &entry)
        if number > after and <int>entry.side != side:
            missed += 1
        offset = (offset + entry.size) & (ring.size - 1)
        number += 1
    return -1 if side < WATCHER and missed < <long>ring.unsent[side] else missed


cdef bint ring_unsent(ring_t *ring, int side, Py_ssize_t size) noexcept nogil:
    """Count a message of `size` bytes for `side`, which is away; False if the limit of waiting messages is reached (protocol.md, rule 8)."""
    if ring.unsent[side] >= UNSENT_MESSAGES or ring.unsent_bytes[side] + size > UNSENT_BYTES:
        return False
    ring.unsent[side] += 1
    ring.unsent_bytes[side] += <uint32_t>size
    return True


cdef void ring_attach(ring_t *ring, int side, conn_t *conn) noexcept nogil:
    """Link a connection to one of the sides and unlink it from its previous ring; the side's count of waiting messages starts at 0."""
    CHECK(0 <= side < SIDES)
    ring.references += 1  # first: the connection may be linked to this very ring
    ring_detach(conn)
    conn.ring = ring
    conn.side = side
    ring.party[side] = conn
    ring_tell(ring, side)


cdef void ring_detach(conn_t *conn) noexcept nogil:
    """Unlink a connection from its ring, if it has one; the ring is freed with its last reference."""
    cdef ring_t *ring = conn.ring
    if ring == NULL:
        return
    if ring.party[conn.side] == conn:
        ring.party[conn.side] = NULL
        ring_tell(ring, conn.side)
    conn.ring = NULL
    release(ring)


cdef void ring_tell(ring_t *ring, int side) noexcept nogil:
    """Reset the waiting messages of a side: one that returns is sent what it missed, one that leaves has missed nothing yet."""
    if side < WATCHER:
        ring.unsent[side] = ring.unsent_bytes[side] = 0


cdef void release(ring_t *ring) noexcept nogil:
    """Drop one reference."""
    global live
    cdef budget_t *budget = ring.budget
    CHECK(ring.references > 0)
    ring.references -= 1
    if ring.references:
        return
    unlist(ring)
    empty(ring)
    free(ring.refused[0])
    free(ring.refused[1])
    free(ring)
    live -= 1
    budget.rings -= 1
    budget.references -= 1
    if budget.references == 0:
        free(budget)


cdef bint restore(ring_t *ring, ring_snapshot_t *found, const uint8_t *data, Py_ssize_t size) noexcept nogil:
    """Fill an empty ring from a snapshot. Entries beyond bounds or budget are dropped, oldest first. False if there is no memory."""
    cdef entry_t entry
    cdef int side
    cdef uint32_t i
    ring.last = found.last
    for side in range(WATCHER):
        ring.taken[side] = found.taken[side]
        ring.unsent[side] = found.unsent[side]
        ring.unsent_bytes[side] = found.unsent_bytes[side]
        ring.refusals[side] = found.refusals[side]
        if found.kept[side]:
            ring.refused[side] = <uint32_t *>calloc(REFUSED_KEPT, sizeof(uint32_t))
            if ring.refused[side] == NULL:
                return False
        for i in range(found.kept[side]):  # as if they were the newest
            ring.refused[side][(found.refusals[side] - found.kept[side] + i) % REFUSED_KEPT] = found.refused[side][i]
    while found.count and (found.count > MESSAGES_MAX or size > BYTES_MAX or not grow(ring, <uint32_t>size)):
        ring.budget.dropped += found.count <= MESSAGES_MAX and size <= BYTES_MAX
        memcpy(&entry, data, ENTRY)
        data += ENTRY + entry.size
        size -= ENTRY + entry.size
        found.count -= 1
    if found.count:
        put(ring, 0, data, <uint32_t>size)
        ring.used = <uint32_t>size
        ring.count = found.count
    return True


cdef class Rings:
    """Creates rings that share one budget of `limit` bytes."""

    def __cinit__(self, limit: int):
        if limit < 0:
            raise ValueError("the budget of the rings is a number of bytes, 0 or more")
        self.budget = <budget_t *>calloc(1, sizeof(budget_t))
        if self.budget == NULL:
            raise MemoryError
        self.budget.limit = limit
        self.budget.references = 1

    def __dealloc__(self):
        if self.budget != NULL:
            self.budget.references -= 1
            if self.budget.references == 0:
                free(self.budget)

    def new(self, tag: int = 0) -> Ring:
        """Return an empty ring, which allocates memory with its first message. `tag`: the number of its lines at the tap, at most 63 bits."""
        global live
        cdef Ring ring = Ring.__new__(Ring)
        ring.ring = <ring_t *>aligned(sizeof(ring_t))
        if ring.ring == NULL:
            raise MemoryError
        ring.ring.budget = self.budget
        ring.ring.tag = tag
        ring.ring.references = 1
        self.budget.references += 1
        self.budget.rings += 1
        live += 1
        return ring

    def fill(self, state: dict, data: bytes, tag: int = 0) -> Ring:
        """Return a ring made from a snapshot (`Ring.dump`), linked to no connection. Raises ValueError for an inconsistent one."""
        cdef ring_snapshot_t found
        cdef Ring ring
        read_snapshot(state, data, len(data), &found)
        ring = self.new(tag)
        if not restore(ring.ring, &found, data, len(data)):
            raise MemoryError
        if found.ended:
            ring.end()
        return ring

    def counters(self) -> dict[str, int]:
        """Return bytes used and allowed, rings alive, ended rings evicted, messages dropped."""
        return {
            "used": self.budget.used, "limit": self.budget.limit, "rings": self.budget.rings,
            "evicted": self.budget.evicted, "dropped": self.budget.dropped,
        }


cdef class Ring:
    """One chat's ring. Sides: 0 and 1 are the partners, 2 is the spy."""

    def __init__(self):
        raise TypeError("rings are made by Rings.new()")

    def __dealloc__(self):
        if self.ring != NULL:
            release(self.ring)

    def __repr__(self) -> str:
        cdef ring_t *ring = self.ring
        here = "".join(str(side) for side in range(SIDES) if ring.party[side] != NULL)
        return (
            f"<Ring at {ring.last}{' ended' if ring.ended else ''}: {ring.count} held, {ring.used} of {ring.size} bytes, "
            f"taken {ring.taken[0]}/{ring.taken[1]}, refused {ring.refusals[0]}/{ring.refusals[1]}, "
            f"unsent {ring.unsent[0]}/{ring.unsent[1]}, here {here or 'nobody'}>"
        )

    @property
    def last(self) -> int:
        """The number of the newest message, 0 before the first."""
        return self.ring.last

    def taken(self, side: int) -> int:
        """Return how many `message` frames of `side` (0 or 1) were handled, refused ones included; 0 for the spy."""
        return self.ring.taken[side] if 0 <= side < 2 else 0

    def refused(self, side: int) -> list[int]:
        """Return the ordinals (from 1, ascending) of the refused among the last 200 `message` frames of `side`."""
        return ordinals(self.ring, side) if 0 <= side < 2 else []

    def refuse(self, side: int) -> None:
        """Count a refused `message` frame of `side` (0 or 1), whose connection is not linked."""
        if 0 <= side < 2:
            ring_refuse(self.ring, side)

    def missed(self, side: int, after: int) -> int:
        """Return how many messages for `side` follow number `after`; -1 if one of them is no longer held, or `side` cannot have that of `after`."""
        if not 0 <= after <= self.ring.last or not 0 <= side < SIDES:
            return -1
        return ring_missed(self.ring, side, after)

    def dump(self) -> tuple:
        """Return (numbers, entries), from which `Rings.fill` makes the ring in another process; the format is in chat_ring_snapshot.pyx."""
        cdef bytes data = PyBytes_FromStringAndSize(NULL, self.ring.used)
        if self.ring.used:
            ring_read(self.ring, self.ring.start, <uint8_t *><char *>data, self.ring.used)
        return snapshot_of(self.ring), data

    def end(self) -> None:
        """Mark the chat as over: the ring may be emptied when the budget needs room."""
        cdef budget_t *budget = self.ring.budget
        if self.ring.ended:
            return
        self.ring.ended = True
        self.ring.older = budget.newest
        if budget.newest != NULL:
            budget.newest.newer = self.ring
        else:
            budget.oldest = self.ring
        budget.newest = self.ring

    def lines(self) -> list[tuple[int, int, int, bytes]]:
        """Return (number, side, Unix time, text as a JSON string without quotes) of each message held, oldest first."""
        cdef entry_t entry
        cdef uint32_t number = ring_first(self.ring), offset = self.ring.start
        cdef bytes text
        found = []
        while number <= self.ring.last:
            offset = ring_entry(self.ring, offset, &entry)
            text = bytes(entry.size)
            if entry.size:
                ring_read(self.ring, offset, <uint8_t *>text, entry.size)
            found.append((number, entry.side, entry.time, text))
            offset = (offset + entry.size) & (self.ring.size - 1)
            number += 1
        return found
