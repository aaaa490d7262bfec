"""Declare the table of similar texts (similarity.pyx)."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

cdef enum:
    BINS = 16
    SHINGLE = 4
    BANDS = 8
    PLACES = 5  # of a bucket
    MOST = 6  # results at most: one of each cluster is enough

cdef struct entry_t:
    uint32_t[BINS] bins
    uint64_t chat
    double time
    uint32_t side

cdef struct bucket_t:
    uint64_t[PLACES] marks
    uint32_t[PLACES] numbers  # the low halves; 0, with a mark of 0: none yet
    uint32_t next  # the place that is written next, which is the oldest

ctypedef bucket_t *bucket_at

cdef struct sketch_t:
    uint32_t[BINS] bins
    bucket_at[BANDS] buckets  # until the table is cleared


cdef class Shingles:
    cdef uint64_t[2] key
    cdef entry_t *entries
    cdef bucket_t *buckets  # of each band, one behind the other
    cdef uint64_t room, last, buckets_mask
    cdef readonly double latest  # the time of the last text
    cdef int least

    cdef size_t _buckets_size(self) noexcept nogil
    cdef void sketch(self, const uint8_t *text, size_t size, sketch_t *made) noexcept nogil
    cdef bint add_new(self, sketch_t *made, uint64_t chat, uint32_t side, double time, double since) noexcept nogil
    cdef void _find_buckets(self, const uint32_t *bins, bucket_at *buckets) noexcept nogil
    cdef int _alike(self, const uint32_t *bins, bucket_at *buckets, double since, uint64_t *found) noexcept nogil
    cdef uint64_t _similar(self, uint32_t low, const uint32_t *bins, double since) noexcept nogil
    cdef void _add(self, const uint32_t *bins, bucket_at *buckets, uint64_t chat, uint32_t side, double time) noexcept nogil
