"""Declare UTF-8 validation of whole buffers. Invariant: leaf functions over pointers, no Python."""
from libc.stdint cimport uint8_t

cdef Py_ssize_t sequence(const uint8_t *p, Py_ssize_t n) noexcept nogil
cdef bint valid(const uint8_t *p, Py_ssize_t n) noexcept nogil
