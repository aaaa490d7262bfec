"""Declare the map of 64-bit ids for compiled callers (id_map.pyx): the class, and the table in C that it is made of."""

from libc.stdint cimport uint64_t

cdef struct id_slot_t:
    uint64_t id
    void *value  # NULL: the slot is free

cdef struct ids_t:
    id_slot_t *slots  # a power of two of them, at most two thirds in use
    size_t mask, count
    uint64_t factor
    int shift


cdef inline size_t ids_home(const ids_t *ids, uint64_t id) noexcept nogil:
    """Return the place of the first slot that an id may be in."""
    return <size_t>(id * ids.factor >> ids.shift)


cdef inline id_slot_t *ids_find(const ids_t *ids, uint64_t id) noexcept nogil:
    """Return the slot of an id, or the free slot that it would have."""
    cdef size_t at = ids_home(ids, id)
    while ids.slots[at].value != NULL and ids.slots[at].id != id:
        at = (at + 1) & ids.mask
    return &ids.slots[at]


cdef int ids_init(ids_t *ids) except -1
cdef int ids_add(ids_t *ids, id_slot_t *slot, uint64_t id, void *value) except -1
cdef void ids_remove(ids_t *ids, id_slot_t *slot) noexcept nogil


cdef class IdMap:
    cdef ids_t _ids

    cpdef get(self, uint64_t id)
    cpdef pop(self, uint64_t id)
    cpdef put(self, uint64_t id, value)
