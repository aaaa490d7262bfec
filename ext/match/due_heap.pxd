"""Declare the heap of due times for compiled callers (due_heap.pyx)."""

from libc.stdint cimport uint64_t


cdef struct entry_t:
    double due
    uint64_t serial
    uint64_t client


cdef class DueHeap:
    cdef entry_t *entries
    cdef size_t count, room
    cdef uint64_t serial

    cdef int _resize(self, size_t room) except -1
    cpdef push(self, double due, uint64_t client)
    cpdef double due(self) noexcept
    cpdef uint64_t client(self) except? 0
    cpdef drop(self)
