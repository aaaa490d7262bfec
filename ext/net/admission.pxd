"""Newcomers, open connections and new ones an address. Rule: see admission.pyx."""

cdef class Entry:
    cdef public int open
    cdef public int coming
    cdef public double tokens
    cdef public double stamp
    cdef bint idle       # whether it stands in the queue of those to be forgotten
    cdef str key         # the one object that all connections from here share

cdef class Addresses:
    cdef dict entries
    cdef object idle
    cdef int open_max
    cdef int coming_max
    cdef double burst
    cdef double rate
    cdef bint limits
    cdef Entry entry(self, str key, double now)
    cdef int rest(self, Entry entry, double now) except -1
    cdef int arrive(self, str key, double now) except -1
    cdef int settle(self, str key, double now) except -1
    cpdef bint enter(self, str key, double now)
    cpdef int wait(self, str key, double now)
    cdef str shared(self, str key)
    cpdef void leave(self, str key, double now)
    cpdef void forget(self, double now)

cpdef str key_of(str address)
