"""Declare the tap, a ring of chat lines in shared memory (tap.pyx).

**Invariant:** only C code touches the ring; the writer never waits, and trusts nothing that the reader wrote.
"""
from libc.stdint cimport uint8_t, uint32_t, uint64_t

cdef extern from "tap.h" nogil:
    enum:
        TAP_HEAD
        TAP_MARK
    ctypedef struct tap_entry_t:
        uint32_t size
        uint32_t number
        uint64_t chat
        double time
        uint32_t side
    ctypedef struct tap_t:
        uint64_t size
        uint64_t head
        uint64_t tail
        uint64_t dropped
        uint64_t written
    void tap_open(tap_t *tap, void *memory, uint64_t size)
    bint tap_put(tap_t *tap, uint64_t chat, uint32_t side, uint32_t number, double time, const uint8_t *text, uint32_t size)
    int tap_next(tap_t *tap, tap_entry_t *entry, const uint8_t **text)
    void tap_done(tap_t *tap)

cdef class Tap:
    cdef tap_t *tap
    cdef object memory  # the mapping, which lives as long as this object

cdef class Tapped:
    cdef tap_t *tap
    cdef object memory
