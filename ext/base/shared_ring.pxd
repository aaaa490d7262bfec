"""Declare one end of a ring in shared memory (shared_ring.pyx)."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

cdef struct ring_head:
    uint64_t written  # each on a cache line of its own
    uint64_t pad1[7]
    uint64_t read
    uint64_t pad2[7]
    uint32_t asleep
    uint32_t pad3[15]
    uint32_t blocked
    uint32_t pad4[15]


cdef class SharedRing:
    cdef object _map
    cdef Py_buffer _view
    cdef ring_head *_head
    cdef uint8_t *_data
    cdef uint32_t _size
    cdef bint _is_open

    cpdef bint put(self, bytes message) except -1
    cpdef bint must_wake(self) noexcept
    cpdef call_me(self)
    cpdef list take(self)
    cpdef bint must_call(self) noexcept
    cpdef bint sleep(self) noexcept
