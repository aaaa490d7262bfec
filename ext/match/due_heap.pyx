"""Order clients by the time when they are due: a binary heap of (time, client) in C, first in first out among equal times.

**Invariant:** only the top entry can be removed; the caller skips an outdated entry when it reaches the top.
"""
from libc.math cimport INFINITY
from libc.stdint cimport uint64_t
from libc.stdlib cimport free, realloc

cdef enum:
    LEAST = 64  # initial capacity


cdef inline bint before(const entry_t *a, const entry_t *b) noexcept nogil:
    return a.due < b.due or (a.due == b.due and a.serial < b.serial)


cdef class DueHeap:
    """Heap of (time, client), 24 bytes per entry."""

    def __dealloc__(self):
        free(self.entries)

    def __len__(self) -> int:
        return self.count

    cdef int _resize(self, size_t room) except -1:
        cdef entry_t *entries = <entry_t *>realloc(self.entries, room * sizeof(entry_t))
        if entries == NULL:
            raise MemoryError()
        self.entries = entries
        self.room = room
        return 0

    cpdef push(self, double due, uint64_t client):
        """Add an entry; ignored if it is never due (infinity)."""
        cdef size_t at = self.count, up
        cdef entry_t entry = entry_t(due, self.serial, client)
        if due == INFINITY:
            return
        if self.count == self.room:
            self._resize(self.room + self.room // 2 if self.room else LEAST)
        self.serial += 1
        self.count += 1
        while at:
            up = (at - 1) // 2
            if not before(&entry, &self.entries[up]):
                break
            self.entries[at] = self.entries[up]
            at = up
        self.entries[at] = entry

    def first(self) -> tuple[float, int] | None:
        """Return the earliest (due, client); None if the heap is empty."""
        return (self.entries[0].due, self.entries[0].client) if self.count else None

    cpdef double due(self) noexcept:
        """Return the earliest due time; infinity if the heap is empty."""
        return self.entries[0].due if self.count else INFINITY

    cpdef uint64_t client(self) except? 0:
        """Return the earliest client. Raises IndexError if the heap is empty."""
        if not self.count:
            raise IndexError("the heap is empty")
        return self.entries[0].client

    cpdef drop(self):
        """Remove the earliest entry. Raises IndexError if the heap is empty."""
        cdef size_t at = 0, down
        cdef entry_t entry
        if not self.count:
            raise IndexError("the heap is empty")
        self.count -= 1
        entry = self.entries[self.count]
        while True:
            down = 2 * at + 1
            if down >= self.count:
                break
            if down + 1 < self.count and before(&self.entries[down + 1], &self.entries[down]):
                down += 1
            if not before(&self.entries[down], &entry):
                break
            self.entries[at] = self.entries[down]
            at = down
        if self.count:
            self.entries[at] = entry
        if self.room > LEAST and self.count < self.room // 4:
            self._resize(self.room // 2)
