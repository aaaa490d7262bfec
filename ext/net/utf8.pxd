"""UTF-8, whole buffers only. Rule: leaf functions over pointers, no Python inside."""
from libc.stdint cimport uint8_t

cdef Py_ssize_t sequence(const uint8_t *p, Py_ssize_t n) noexcept nogil
cdef bint valid(const uint8_t *p, Py_ssize_t n) noexcept nogil
