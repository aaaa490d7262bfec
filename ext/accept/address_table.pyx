"""What addresses have in all processes of a host: open connections, newcomers, one bucket of new ones each, in memory that they share.

Rule: nobody waits for anybody, and whoever dies, wherever, costs nothing but its own counts. So there is no lock: a count is a column a process,
written by that process alone, and 0 from `clear` on where it died; all else is one word, changed by compare-and-swap.

A slot is an address or a network, as the upper 56 bits of its hash under the table's key: no address stands in the memory. It is in one of the 16
places of its set, so that looking for it is bounded, and nothing of what was there is left behind.

    word 0                   nobody's
    state SETTLED            counts are held at it. Who has a count writes its cell first, and looks at the word after: still settled, it holds
    state CLAIMED + column   that process gives the slot to another: it looked at the cells, claims, looks again, and sets the word back where a
                             count came between. One of both sees the other, whichever is first. Dead in between: `clear` sets it back

A slot goes to another where nobody has a count at it and its bucket is full; never else, whoever comes. Two processes that meet an address for the
first time at the same moment might give it two slots: what is open is the sum over both, and the bucket is the first one's.

A bucket is the time at which it will be full (GCRA): what was spent is a debt in time. Other limits change what the debt is in tokens: with a faster
rate it is paid sooner, with a larger burst more may be spent beside it; never is it more than the whole burst, a second aside.
"""
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
    MARK = 0x73554331     # what the memory begins with: another layout has another
    WAYS = 16             # slots in a set
    TRIES = 8             # to hold a slot that others give away meanwhile
    APART = 1_000_000_000  # nanoseconds that one process's idea of the time may be behind another's
    STATE = 0xFF
    SETTLED = 1
    CLAIMED = 2

SLOTS = 65_536
COLUMNS_MAX = 253  # states of a word, less these two and none


def make(columns: int, slots: int = SLOTS) -> int:
    """A descriptor of an empty table for as many processes, the caller's, not inherited: `Census` maps it.

    `slots`: a power of two, 16 at least. ValueError for what cannot be, OSError where there is no memory for it.
    """
    if not 1 <= columns <= COLUMNS_MAX or slots < WAYS or slots & (slots - 1) or slots > 1 << 26:
        raise ValueError(f"a table has 1 to {COLUMNS_MAX} columns, and a power of two of slots, {WAYS} at least")
    fd = os.memfd_create("addresses", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(fd, size_of(columns, slots))
        os.pwrite(fd, b"".join(number.to_bytes(4, "little") for number in (MARK, columns, slots)), 0)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)  # memory that goes away would be a SIGBUS
    except BaseException:
        os.close(fd)
        raise
    return fd


cdef uint32_t width_of(uint32_t columns) noexcept:
    """Cells a slot: a power of two, so that they lie in one cache line where they fit one."""
    cdef uint32_t width = 1
    while width < columns:
        width *= 2
    return width


cdef object size_of(uint32_t columns, uint32_t slots):
    return HEAD + <uint64_t>slots * (16 + 4 * width_of(columns))


cdef class Census:
    """The table that `make` made, as one process has it: until it ends, since its counts stand there.

    `fd` stays the caller's, and need not stay open. `key`: 16 random bytes, the same for each process of the table. ValueError: it is no such table.
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
        """What an address or network is in this table, as `ext.accept.admission.key_of` names it."""
        cdef Py_ssize_t size
        cdef const char *text = PyUnicode_AsUTF8AndSize(key, &size)
        return siphash(self.key, <const uint8_t *>text, <size_t>size) | <uint64_t>1 << 63  # so that no word is nobody's

    @property
    def used(self) -> int:
        """Slots that stand for an address or a network."""
        cdef uint64_t slot, found = 0
        for slot in range((<uint64_t>self.table.sets + 1) * WAYS):
            found += load64(&self.table.words[slot], SEQ_CST) != 0
        return found

    def clear(self, column: int, now: float) -> None:
        """The process of `column` is gone: nothing is counted for it any more, and whatever it was amid is undone.

        Only where it cannot run any more; another may have the column from here on. `now`: monotonic seconds.
        """
        cdef uint32_t slot
        cdef uint64_t word, time = <uint64_t>(now * 1e9)
        if not 0 <= column < self.columns:
            raise ValueError("a table has no such column")
        for slot in range((self.table.sets + 1) * WAYS):
            word = load64(&self.table.words[slot], SEQ_CST)
            if word == 0:
                continue  # nobody counts there, and its memory may not be there yet
            store32(cell_of(&self.table, slot, column), 0, SEQ_CST)
            if word & STATE == CLAIMED + <uint64_t>column:
                swap64(&self.table.words[slot], &word, word & ~<uint64_t>STATE | SETTLED, False, SEQ_CST, SEQ_CST)
            recycle(&self.table, column, slot, 0, time)


cdef inline uint32_t *cell_of(census_t *table, uint32_t slot, int column) noexcept nogil:
    return &table.cells[<uint64_t>slot * table.width + <uint32_t>column]


cdef inline uint32_t first_of(census_t *table, uint64_t hashed) noexcept nogil:
    """The first slot of its set."""
    return <uint32_t>(hashed & table.sets) * WAYS


cdef bint idle(census_t *table, uint32_t slot, uint64_t now) noexcept nogil:
    """Nobody counts there, and nothing is owed."""
    cdef uint32_t i
    for i in range(table.width):
        if load32(cell_of(table, slot, <int>i), SEQ_CST) != 0:
            return False
    return load64(&table.times[slot], SEQ_CST) <= now


cdef bint recycle(census_t *table, int column, uint32_t slot, uint64_t wanted, uint64_t now) noexcept nogil:
    """The slot gets another word, where it is idle; False: it is not, or others are at it."""
    return claim(table, column, slot, now) and hand_on(table, column, slot, wanted, now)


cdef bint claim(census_t *table, int column, uint32_t slot, uint64_t now) noexcept nogil:
    """Nobody's count holds at an idle slot from here on, until `hand_on`; False: it is not idle, or others are at it."""
    cdef uint64_t word = load64(&table.words[slot], SEQ_CST)
    cdef uint64_t claimed = word & ~<uint64_t>STATE | <uint64_t>(CLAIMED + column)
    if word & STATE != SETTLED or not idle(table, slot, now):
        return False
    return swap64(&table.words[slot], &word, claimed, False, SEQ_CST, SEQ_CST)


cdef bint hand_on(census_t *table, int column, uint32_t slot, uint64_t wanted, uint64_t now) noexcept nogil:
    """The slot that was claimed gets another word; False: a count came before the claim, and it stays what it was."""
    cdef uint64_t claimed = load64(&table.words[slot], SEQ_CST)
    cdef bint free = idle(table, slot, now)
    CHECK(claimed & STATE == CLAIMED + <uint64_t>column)
    swap64(&table.words[slot], &claimed, wanted if free else claimed & ~<uint64_t>STATE | SETTLED, False, SEQ_CST, SEQ_CST)
    return free


cdef int found(census_t *table, uint64_t hashed) noexcept nogil:
    """The slot of an address, NOWHERE where it has none that counts may be held at."""
    cdef uint32_t slot = first_of(table, hashed)
    cdef int i
    for i in range(WAYS):
        if load64(&table.words[slot + i], SEQ_CST) == (hashed & ~<uint64_t>STATE | SETTLED):
            return <int>(slot + i)
    return NOWHERE


cdef int given(census_t *table, int column, uint64_t hashed, uint64_t now) noexcept nogil:
    """A slot for an address that has none: nobody's, else an idle one; NOWHERE where all of its set are in use."""
    cdef uint32_t slot = first_of(table, hashed)
    cdef int i
    cdef uint64_t word, wanted = hashed & ~<uint64_t>STATE | SETTLED
    for i in range(WAYS):
        word = load64(&table.words[slot + i], SEQ_CST)
        if word == 0 and swap64(&table.words[slot + i], &word, wanted, False, SEQ_CST, SEQ_CST):
            return <int>(slot + i)
        if word == wanted:
            return <int>(slot + i)  # another process was first
    for i in range(WAYS):
        if recycle(table, column, slot + i, wanted, now):
            return <int>(slot + i)
    return NOWHERE


cdef bint hold(census_t *table, int column, uint64_t hashed, uint32_t slot, uint32_t cell) noexcept nogil:
    """Writes what the process of `column` has of an address; False, and nothing is there, where the slot is being given away, or was."""
    store32(cell_of(table, slot, column), cell, SEQ_CST)
    if load64(&table.words[slot], SEQ_CST) == (hashed & ~<uint64_t>STATE | SETTLED):
        return True
    store32(cell_of(table, slot, column), 0, SEQ_CST)
    return False


cdef int post(census_t *table, int column, uint64_t hashed, int slot, uint32_t cell, uint64_t now) noexcept nogil:
    """Writes what the process of `column` has of an address; where it stands from now on, NOWHERE where that is nothing, or there is no room.

    `slot`: where it stood.
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


cdef void look(census_t *table, uint64_t hashed, seen_t *seen) noexcept nogil:
    """What all processes have of an address."""
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
    """Nanoseconds until a bucket that is full at `due` has a token."""
    due = min(max(due, now), now + pace.window) + pace.gap
    return due - now - pace.window if due > now + pace.window else 0


cdef bint take(census_t *table, uint64_t hashed, uint64_t now, pace_t pace) noexcept nogil:
    """Takes a token of an address; False where its bucket is empty. Who has no slot has no bucket here."""
    cdef seen_t seen
    cdef uint64_t before
    while True:
        look(table, hashed, &seen)
        if seen.slot == NOWHERE:
            return True
        before = load64(&table.times[seen.slot], SEQ_CST)
        seen.due = max(seen.due, before)
        if lacking(seen.due, now, pace):
            if seen.due > now + pace.window + APART:  # limits have changed
                swap64(&table.times[seen.slot], &before, now + pace.window, False, SEQ_CST, SEQ_CST)
            return False
        if swap64(&table.times[seen.slot], &before, max(seen.due, now) + pace.gap, False, SEQ_CST, SEQ_CST):
            return True


cdef void give(census_t *table, uint64_t hashed, pace_t pace) noexcept nogil:
    """Puts back a token that was taken."""
    cdef seen_t seen
    cdef uint64_t before
    look(table, hashed, &seen)
    if seen.slot == NOWHERE:
        return
    before = load64(&table.times[seen.slot], SEQ_CST)
    while not swap64(&table.times[seen.slot], &before, before - min(before, pace.gap), False, SEQ_CST, SEQ_CST):
        pass


cdef void drop(census_t *table, int column, uint64_t hashed, uint64_t now) noexcept nogil:
    """The process of `column` has nothing of an address any more: forgotten, unless others have."""
    cdef uint32_t slot = first_of(table, hashed)
    cdef int i
    for i in range(WAYS):
        if load64(&table.words[slot + i], SEQ_CST) == (hashed & ~<uint64_t>STATE | SETTLED):
            recycle(table, column, slot + i, 0, now)
