"""What addresses have in all processes of a host. Rule: see census.pyx."""
from libc.stdint cimport uint32_t, uint64_t

cdef enum:
    NOWHERE = -1

cdef struct census_t:
    uint64_t *words     # a slot's address, hashed, and its state
    uint64_t *times     # when its bucket is full again, monotonic nanoseconds
    uint32_t *cells     # what each process has of it
    uint32_t sets       # sets of slots, less one: a mask
    uint32_t width      # cells a slot

cdef struct seen_t:
    uint64_t open
    uint64_t coming
    uint64_t due        # when its bucket is full again
    int slot            # NOWHERE: nothing is known of it

cdef struct pace_t:
    uint64_t gap        # nanoseconds that bring a token
    uint64_t window     # and that fill an empty bucket

cdef class Census:
    cdef census_t table
    cdef uint64_t[2] key
    cdef readonly int columns
    cdef object memory
    cdef uint64_t hashed(self, str key) except? 0

cdef bint claim(census_t *table, int column, uint32_t slot, uint64_t now) noexcept nogil
cdef bint hand_on(census_t *table, int column, uint32_t slot, uint64_t wanted, uint64_t now) noexcept nogil
cdef bint hold(census_t *table, int column, uint64_t hashed, uint32_t slot, uint32_t cell) noexcept nogil
cdef int post(census_t *table, int column, uint64_t hashed, int slot, uint32_t cell, uint64_t now) noexcept nogil
cdef void look(census_t *table, uint64_t hashed, seen_t *seen) noexcept nogil
cdef bint take(census_t *table, uint64_t hashed, uint64_t now, pace_t pace) noexcept nogil
cdef void give(census_t *table, uint64_t hashed, pace_t pace) noexcept nogil
cdef uint64_t lacking(uint64_t due, uint64_t now, pace_t pace) noexcept nogil
cdef void drop(census_t *table, int column, uint64_t hashed, uint64_t now) noexcept nogil
