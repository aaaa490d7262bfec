"""Declare the table of similar texts (similarity.pyx)."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

cdef enum:
    BINS = 16
    SHINGLE = 4
    MOST = 6  # results at most: one of each cluster is enough

cdef struct entry_t:
    uint32_t[BINS] bins
    uint64_t chat
    double time
    uint32_t side


cdef class Shingles:
    cdef uint64_t[2] key
    cdef entry_t *entries
    cdef uint32_t *older  # per entry and band: the low half of the previous entry's number in that chain
    cdef uint32_t *newest  # per band and bucket
    cdef uint64_t room, last
    cdef readonly double latest  # the time of the last text
    cdef int least

    cdef object _take_pages(self)
    cdef void _give_back(self) noexcept
    cdef bint add_new(self, const uint8_t *text, size_t size, uint64_t chat, uint32_t side, double time, double since) noexcept nogil
    cdef int _alike(self, const uint32_t *bins, double since, uint64_t *found) noexcept nogil
    cdef uint64_t _at(self, uint32_t low, int band) noexcept nogil
    cdef size_t _bucket(self, const uint32_t *bins, int band) noexcept nogil
    cdef void _add(self, const uint32_t *bins, uint64_t chat, uint32_t side, double time) noexcept nogil
