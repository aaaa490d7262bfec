"""Keep connection counts per IP address in memory shared by all processes of a host: open connections, those that are not yet
admitted, and a token bucket for new ones.

**Invariant:** lock-free: no process waits for another, and a process that dies loses only its own counts. The memory holds keyed hashes, no
address.
"""

# There is no lock: counts are in one column per process, written by that process alone and set to 0 by `clear` after its death; everything else is
# one word, changed by compare-and-swap.
#
# A slot is one address or network, stored as the upper 56 bits of its hash under the table's key; the memory holds no address. It is in one of the 16
# places of its set, so a look-up is bounded, and a slot that is reused keeps nothing of its former address.
#
#     word 0                   the slot is free
#     state SETTLED            counts may be written. A process writes its cell first and reads the word afterwards: only if it is still settled,
#                              the count is valid
#     state CLAIMED + column   that process reassigns the slot: it read the cells, claims, reads them again, and sets the word back if a count
#                              was written in between. One of both sides sees the other, whichever is first. If it dies, `clear` sets it back
#
# A slot is reassigned only if no process has a count in it and its bucket is full. Two processes that meet a new address at the same moment might
# give it two slots: the open connections are then the sum over both, and the bucket is the first one's.
#
# A bucket is the time at which it will be full (GCRA): spent tokens are a debt in time. New limits change how many tokens this debt is: at a higher
# rate it is paid off sooner, with a larger burst more may be spent beside it. It never exceeds the whole burst by more than a second.

import fcntl
import mmap
import os

from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from ext.base.check cimport CHECK
from ext.accept.siphash cimport siphash
from ext.base.system cimport SEQ_CST, load32, load64, store32, swap64

cdef enum:
    HEAD = 4096           # bytes before the slots
    MARK = 0x73554331     # first word of the memory; a different layout has a different one
    WAYS = 16             # slots per set
    TRIES = 8             # attempts to write a count while others reassign slots
    APART = 1_000_000_000  # nanoseconds by which the clocks of two processes may differ
    STATE = 0xFF
    SETTLED = 1
    CLAIMED = 2

SLOTS = 65_536
COLUMNS_MAX = 253  # states of a word, less the two others and the free one


def make(columns: int, slots: int = SLOTS) -> int:
    """Return the descriptor of an empty table for `columns` processes, for `AddressTable` to map. The caller owns it; it is not inherited.

    `slots`: a power of two, at least 16. Raises ValueError for other sizes, OSError if there is no memory.
    """
    if not 1 <= columns <= COLUMNS_MAX or slots < WAYS or slots & (slots - 1) or slots > 1 << 26:
        raise ValueError(f"a table has 1 to {COLUMNS_MAX} columns, and a power of two of slots, {WAYS} at least")
    fd = os.memfd_create("addresses", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(fd, size_of(columns, slots))
        os.pwrite(fd, b"".join(number.to_bytes(4, "little") for number in (MARK, columns, slots)), 0)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)  # memory that shrinks would raise SIGBUS
    except BaseException:
        os.close(fd)
        raise
    return fd


cdef uint32_t width_of(uint32_t columns) noexcept:
    """Return the cells per slot: a power of two, so that they lie in one cache line if they fit one."""
    cdef uint32_t width = 1
    while width < columns:
        width *= 2
    return width


cdef object size_of(uint32_t columns, uint32_t slots):
    return HEAD + <uint64_t>slots * (16 + 4 * width_of(columns))


cdef class AddressTable:
    """One process's mapping of the table that `make` made; it must live as long as the process, whose counts are in it.

    `fd` stays the caller's and may be closed afterwards. `key`: 16 random bytes, equal in all processes. Raises ValueError if `fd` is no
    such table.
    """

    def __init__(self, fd: int, key: bytes):
        cdef uint8_t[::1] view
        cdef uint8_t *base
        cdef uint32_t columns, slots
        size = os.fstat(fd).st_size
        head = os.pread(fd, 12, 0)
        mark, columns, slots = (int.from_bytes(head[at:at + 4], "little") for at in (0, 4, 8))
        if mark != MARK or size != size_of(columns, slots):
            raise ValueError("this memory is no table of addresses, or one of another release")
        if len(key) != 16:
            raise ValueError("the key of a table of addresses has 16 bytes")
        memcpy(self.key, <const char *>key, 16)
        self.memory = memoryview(mmap.mmap(fd, size)).cast("B")
        view = self.memory
        base = &view[HEAD]
        self.table.sets = slots // WAYS - 1
        self.table.width = width_of(columns)
        self.table.words = <uint64_t *>base
        self.table.times = self.table.words + slots
        self.table.cells = <uint32_t *>(self.table.times + slots)
        self.columns = columns

    cdef uint64_t hashed(self, str key) except? 0:
        """Return the hash of an address or network, named as by `ext.accept.address_limits.key_of`."""
        cdef Py_ssize_t size
        cdef const char *text = PyUnicode_AsUTF8AndSize(key, &size)
        return siphash(self.key, <const uint8_t *>text, <size_t>size) | <uint64_t>1 << 63  # the top bit: never a free slot's word

    @property
    def used(self) -> int:
        """The number of slots in use."""
        cdef uint64_t slot, found = 0
        for slot in range((<uint64_t>self.table.sets + 1) * WAYS):
            found += load64(&self.table.words[slot], SEQ_CST) != 0
        return found

    def clear(self, column: int, now: float) -> None:
        """Delete all counts of the process of `column`, which has ended, and undo the operation that it was in.

        The column may be given to another process afterwards. `now`: monotonic seconds.
        """
        cdef uint32_t slot
        cdef uint64_t word, time = <uint64_t>(now * 1e9)
        if not 0 <= column < self.columns:
            raise ValueError("a table has no such column")
        for slot in range((self.table.sets + 1) * WAYS):
            word = load64(&self.table.words[slot], SEQ_CST)
            if word == 0:
                continue  # the slot is free, and its cells may have no memory yet
            store32(cell_of(&self.table, slot, column), 0, SEQ_CST)
            if word & STATE == CLAIMED + <uint64_t>column:
                swap64(&self.table.words[slot], &word, word & ~<uint64_t>STATE | SETTLED, False, SEQ_CST, SEQ_CST)
            recycle(&self.table, column, slot, 0, time)


cdef inline uint32_t *cell_of(address_table_t *table, uint32_t slot, int column) noexcept nogil:
    return &table.cells[<uint64_t>slot * table.width + <uint32_t>column]


cdef inline uint32_t first_of(address_table_t *table, uint64_t hashed) noexcept nogil:
    """Return the first slot of the set of a hash."""
    return <uint32_t>(hashed & table.sets) * WAYS


cdef bint idle(address_table_t *table, uint32_t slot, uint64_t now) noexcept nogil:
    """Whether no process has a count in the slot and its bucket is full."""
    cdef uint32_t i
    for i in range(table.width):
        if load32(cell_of(table, slot, <int>i), SEQ_CST) != 0:
            return False
    return load64(&table.times[slot], SEQ_CST) <= now


cdef bint recycle(address_table_t *table, int column, uint32_t slot, uint64_t wanted, uint64_t now) noexcept nogil:
    """Reassign an idle slot to another word; False if it is not idle or another process is reassigning it."""
    return claim(table, column, slot, now) and hand_on(table, column, slot, wanted, now)


cdef bint claim(address_table_t *table, int column, uint32_t slot, uint64_t now) noexcept nogil:
    """Whether none of eight bytes is a control character. May be False without one, never True with one."""
    cdef uint64_t word = load64(&table.words[slot], SEQ_CST)
    cdef uint64_t claimed = word & ~<uint64_t>STATE | <uint64_t>(CLAIMED + column)
    if word & STATE != SETTLED or not idle(table, slot, now):
        return False
    return swap64(&table.words[slot], &word, claimed, False, SEQ_CST, SEQ_CST)


cdef bint hand_on(address_table_t *table, int column, uint32_t slot, uint64_t wanted, uint64_t now) noexcept nogil:
    """Give a claimed slot another word; False, and it stays as it was, if a count was written before the claim."""
    cdef uint64_t claimed = load64(&table.words[slot], SEQ_CST)
    cdef bint free = idle(table, slot, now)
    CHECK(claimed & STATE == CLAIMED + <uint64_t>column)
    swap64(&table.words[slot], &claimed, wanted if free else claimed & ~<uint64_t>STATE | SETTLED, False, SEQ_CST, SEQ_CST)
    return free


cdef int found(address_table_t *table, uint64_t hashed) noexcept nogil:
    """Return the settled slot of an address; NOWHERE if it has none."""
    cdef uint32_t slot = first_of(table, hashed)
    cdef int i
    for i in range(WAYS):
        if load64(&table.words[slot + i], SEQ_CST) == (hashed & ~<uint64_t>STATE | SETTLED):
            return <int>(slot + i)
    return NOWHERE


cdef int given(address_table_t *table, int column, uint64_t hashed, uint64_t now) noexcept nogil:
    """Return a slot for an address that has none, free or idle; NOWHERE if the whole set is in use."""
    cdef uint32_t slot = first_of(table, hashed)
    cdef int i
    cdef uint64_t word, wanted = hashed & ~<uint64_t>STATE | SETTLED
    for i in range(WAYS):
        word = load64(&table.words[slot + i], SEQ_CST)
        if word == 0 and swap64(&table.words[slot + i], &word, wanted, False, SEQ_CST, SEQ_CST):
            return <int>(slot + i)
        if word == wanted:
            return <int>(slot + i)  # another process gave it a slot first
    for i in range(WAYS):
        if recycle(table, column, slot + i, wanted, now):
            return <int>(slot + i)
    return NOWHERE


cdef bint hold(address_table_t *table, int column, uint64_t hashed, uint32_t slot, uint32_t cell) noexcept nogil:
    """Write a process's count into a slot of an address; False, with nothing written, if the slot is or was being reassigned."""
    store32(cell_of(table, slot, column), cell, SEQ_CST)
    if load64(&table.words[slot], SEQ_CST) == (hashed & ~<uint64_t>STATE | SETTLED):
        return True
    store32(cell_of(table, slot, column), 0, SEQ_CST)
    return False


cdef int post(address_table_t *table, int column, uint64_t hashed, int slot, uint32_t cell, uint64_t now) noexcept nogil:
    """Write the count of a process for an address. Return the slot in use from now on; NOWHERE if the count is 0 or there is no room.

    `slot`: the slot used before.
    """
    cdef int _tries
    if slot != NOWHERE:
        CHECK(load64(&table.words[slot], SEQ_CST) >> 8 == hashed >> 8)
        store32(cell_of(table, <uint32_t>slot, column), cell, SEQ_CST)
        return slot if cell else NOWHERE
    if cell == 0:
        return NOWHERE
    for _tries in range(TRIES):
        slot = found(table, hashed)
        if slot == NOWHERE:
            slot = given(table, column, hashed, now)
        if slot == NOWHERE:
            return NOWHERE
        if hold(table, column, hashed, <uint32_t>slot, cell):
            return slot
    return NOWHERE


cdef void look(address_table_t *table, uint64_t hashed, seen_t *seen) noexcept nogil:
    """Read the counts of all processes for an address."""
    cdef uint32_t slot = first_of(table, hashed), k, cell
    cdef int i
    cdef uint64_t due
    seen.open = seen.coming = seen.due = 0
    seen.slot = NOWHERE
    for i in range(WAYS):
        if load64(&table.words[slot + i], SEQ_CST) >> 8 != hashed >> 8:
            continue
        if seen.slot == NOWHERE:
            seen.slot = <int>(slot + i)
        due = load64(&table.times[slot + i], SEQ_CST)
        seen.due = max(seen.due, due)
        for k in range(table.width):
            cell = load32(cell_of(table, slot + i, <int>k), SEQ_CST)
            seen.open += cell >> 16
            seen.coming += cell & 0xFFFF


cdef uint64_t lacking(uint64_t due, uint64_t now, pace_t pace) noexcept nogil:
    """Return the nanoseconds until a bucket that is full at `due` has a token."""
    due = min(max(due, now), now + pace.window) + pace.gap
    return due - now - pace.window if due > now + pace.window else 0


cdef bint take(address_table_t *table, uint64_t hashed, uint64_t now, pace_t pace) noexcept nogil:
    """Take a token of an address; False if its bucket is empty. An address without a slot has no bucket here and is accepted."""
    cdef seen_t seen
    cdef uint64_t before
    while True:
        look(table, hashed, &seen)
        if seen.slot == NOWHERE:
            return True
        before = load64(&table.times[seen.slot], SEQ_CST)
        seen.due = max(seen.due, before)
        if lacking(seen.due, now, pace):
            if seen.due > now + pace.window + APART:  # the limits have changed
                swap64(&table.times[seen.slot], &before, now + pace.window, False, SEQ_CST, SEQ_CST)
            return False
        if swap64(&table.times[seen.slot], &before, max(seen.due, now) + pace.gap, False, SEQ_CST, SEQ_CST):
            return True


cdef void give(address_table_t *table, uint64_t hashed, pace_t pace) noexcept nogil:
    """Return a token to the bucket of an address."""
    cdef seen_t seen
    cdef uint64_t before
    look(table, hashed, &seen)
    if seen.slot == NOWHERE:
        return
    before = load64(&table.times[seen.slot], SEQ_CST)
    while not swap64(&table.times[seen.slot], &before, before - min(before, pace.gap), False, SEQ_CST, SEQ_CST):
        pass


cdef void drop(address_table_t *table, int column, uint64_t hashed, uint64_t now) noexcept nogil:
    """Remove the counts of one process for an address; the slot is freed if no other process has counts there."""
    cdef uint32_t slot = first_of(table, hashed)
    cdef int i
    for i in range(WAYS):
        if load64(&table.words[slot + i], SEQ_CST) == (hashed & ~<uint64_t>STATE | SETTLED):
            recycle(table, column, slot + i, 0, now)
