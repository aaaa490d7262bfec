"""Declare the table of excluded partners for compiled callers (partner_table.pyx)."""

from libc.stdint cimport uint32_t, uint64_t

from ext.base.id_map cimport ids_t

cdef struct partner_t:
    uint64_t partner
    double until

cdef struct person_t:
    uint64_t person
    person_t *older
    person_t *newer
    uint32_t count
    partner_t partners[1]  # as many as the table's `partners`, in the order in which they were noted


cdef class PartnerTable:
    cdef ids_t _ids
    cdef person_t *_oldest
    cdef person_t *_newest
    cdef double _seconds
    cdef uint32_t _partners
    cdef size_t _persons

    cdef list _in_order(self)
    cdef person_t *_find(self, uint64_t person) noexcept
    cdef person_t *_found(self, uint64_t person, double now) except NULL
    cdef void _link(self, person_t *one) noexcept
    cdef void _unlink(self, person_t *one) noexcept
    cdef void _delete(self, person_t *one) noexcept
    cdef void _sweep(self, double now) noexcept
    cpdef note(self, uint64_t person, uint64_t partner, double now)
    cpdef tuple of(self, uint64_t person, double now)
    cpdef lift(self, uint64_t person, uint64_t partner)
    cpdef forget(self, uint64_t person)
    cpdef list leave(self, uint64_t person, double now, bint keep)
    cpdef enter(self, uint64_t person, partners, double now)
