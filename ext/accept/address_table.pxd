"""Declare the host's shared table of connection counts per address (address_table.pyx)."""
from libc.stdint cimport uint32_t, uint64_t

cdef enum:
    NOWHERE = -1

cdef struct address_table_t:
    uint64_t *words     # a slot's hashed address and its state
    uint64_t *times     # monotonic nanoseconds at which its bucket is full
    uint32_t *cells     # counts of each process
    uint32_t sets       # number of sets minus one: a mask
    uint32_t width      # cells per slot

cdef struct seen_t:
    uint64_t open
    uint64_t coming
    uint64_t due        # monotonic nanoseconds at which its bucket is full
    int slot            # NOWHERE: the address is unknown

cdef struct pace_t:
    uint64_t gap        # nanoseconds per token
    uint64_t window     # nanoseconds that fill an empty bucket

cdef class AddressTable:
    cdef address_table_t table
    cdef uint64_t[2] key
    cdef readonly int columns
    cdef object memory
    cdef uint64_t hashed(self, str key) except? 0

cdef bint claim(address_table_t *table, int column, uint32_t slot, uint64_t now) noexcept nogil
cdef bint hand_on(address_table_t *table, int column, uint32_t slot, uint64_t wanted, uint64_t now) noexcept nogil
cdef bint hold(address_table_t *table, int column, uint64_t hashed, uint32_t slot, uint32_t cell) noexcept nogil
cdef int post(address_table_t *table, int column, uint64_t hashed, int slot, uint32_t cell, uint64_t now) noexcept nogil
cdef void look(address_table_t *table, uint64_t hashed, seen_t *seen) noexcept nogil
cdef bint take(address_table_t *table, uint64_t hashed, uint64_t now, pace_t pace) noexcept nogil
cdef void give(address_table_t *table, uint64_t hashed, pace_t pace) noexcept nogil
cdef uint64_t lacking(uint64_t due, uint64_t now, pace_t pace) noexcept nogil
cdef void drop(address_table_t *table, int column, uint64_t hashed, uint64_t now) noexcept nogil
