"""Map 64-bit ids (of clients, of persons) to objects: a hash table in C, whose entries take 16 bytes and no object for the id.

It has no order. Ids are hashed by a random factor, so users cannot choose ids that collide.
**Invariant:** the garbage collector does not look into a map, so no value may lead back to it.
"""

# Open addressing with linear probing. An id that is removed leaves no mark: those after it move up.

from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_XDECREF
from libc.stdint cimport uint64_t
from libc.stdlib cimport calloc, free

import secrets

cdef enum:
    LEAST_BITS = 3  # of the number of slots
    SPARSE = 8  # fewer than one slot in so many is in use: half of them are given back


cdef uint64_t FACTOR = <uint64_t>secrets.randbits(64) | 1  # one a process: what is done again there comes in the same order


cdef int ids_init(ids_t *ids) except -1:
    """Make an empty table; free its `slots` at its end."""
    ids.factor = FACTOR
    ids.slots = NULL
    ids.count = 0
    return ids_resize(ids, LEAST_BITS)


cdef int ids_resize(ids_t *ids, int bits) except -1:
    cdef id_slot_t *slots = <id_slot_t *>calloc(<size_t>1 << bits, sizeof(id_slot_t))
    cdef id_slot_t *before = ids.slots
    cdef size_t size = ids.mask + 1 if before != NULL else 0, i
    if slots == NULL:
        raise MemoryError()
    ids.slots, ids.mask, ids.shift = slots, (<size_t>1 << bits) - 1, 64 - bits
    for i in range(size):
        if before[i].value != NULL:
            ids_find(ids, before[i].id)[0] = before[i]
    free(before)
    return 0


cdef int ids_add(ids_t *ids, id_slot_t *slot, uint64_t id, void *value) except -1:
    """Add an id, which `ids_find` did not find but in the free `slot`. The slots move."""
    if 3 * (ids.count + 1) > 2 * (ids.mask + 1):
        ids_resize(ids, 65 - ids.shift)
        slot = ids_find(ids, id)
    slot.id, slot.value = id, value
    ids.count += 1
    return 0


cdef void ids_remove(ids_t *ids, id_slot_t *slot) noexcept nogil:
    """Remove the id of a slot. The slots move."""
    cdef size_t hole = <size_t>(slot - ids.slots), at = hole
    while True:
        at = (at + 1) & ids.mask
        if ids.slots[at].value == NULL:
            break
        if ((at - ids_home(ids, ids.slots[at].id)) & ids.mask) >= ((at - hole) & ids.mask):
            ids.slots[hole] = ids.slots[at]
            hole = at
    ids.slots[hole].value = NULL
    ids.count -= 1


cdef class IdMap:
    """Map of ids to objects, which are not None."""

    def __cinit__(self):
        ids_init(&self._ids)

    def __dealloc__(self):
        cdef size_t i
        if self._ids.slots != NULL:
            for i in range(self._ids.mask + 1):
                Py_XDECREF(<PyObject *>self._ids.slots[i].value)
            free(self._ids.slots)

    def __len__(self) -> int:
        return self._ids.count

    def __contains__(self, id) -> bool:
        return ids_find(&self._ids, id).value != NULL

    def __iter__(self):
        return iter(self.keys())

    def __getitem__(self, id):
        cdef void *value = ids_find(&self._ids, id).value
        if value == NULL:
            raise KeyError(id)
        return <object>value

    cpdef get(self, uint64_t id):
        """Return the object of an id; None: it has none."""
        cdef void *value = ids_find(&self._ids, id).value
        return None if value == NULL else <object>value

    cpdef pop(self, uint64_t id):
        """Remove an id. Return its object; None: it had none."""
        cdef id_slot_t *slot = ids_find(&self._ids, id)
        if slot.value == NULL:
            return None
        value = <object>slot.value
        ids_remove(&self._ids, slot)
        Py_XDECREF(<PyObject *>value)  # the map's own
        if self._ids.shift < 64 - LEAST_BITS and SPARSE * self._ids.count < self._ids.mask:
            ids_resize(&self._ids, 63 - self._ids.shift)
        return value

    cpdef put(self, uint64_t id, value):
        """Set the object of an id."""
        cdef id_slot_t *slot = ids_find(&self._ids, id)
        cdef void *before = slot.value
        if value is None:
            raise TypeError("a map of ids holds no None")
        if before == NULL:
            ids_add(&self._ids, slot, id, <void *>value)
        else:
            slot.value = <void *>value
        Py_INCREF(value)
        Py_XDECREF(<PyObject *>before)

    def keys(self) -> list[int]:
        """Return the ids."""
        return [self._ids.slots[i].id for i in range(self._ids.mask + 1) if self._ids.slots[i].value != NULL]

    def values(self) -> list:
        """Return the objects."""
        return [<object>self._ids.slots[i].value for i in range(self._ids.mask + 1) if self._ids.slots[i].value != NULL]

    def items(self) -> list[tuple]:
        """Return pairs of id and object."""
        return [(self._ids.slots[i].id, <object>self._ids.slots[i].value) for i in range(self._ids.mask + 1)
                if self._ids.slots[i].value != NULL]
