"""Open and new connections an address. Rule: see addresses.pyx."""

cdef class Entry:
    cdef public int open
    cdef public double tokens
    cdef public double stamp
    cdef str key         # the one object that all connections from here share

cdef class Addresses:
    cdef dict entries
    cdef object idle
    cdef int open_max
    cdef double burst
    cdef double rate
    cdef bint limits
    cpdef bint enter(self, str key, double now)
    cdef str shared(self, str key)
    cpdef void leave(self, str key, double now)
    cpdef void forget(self, double now)

cpdef str key_of(str address)
