"""Bytes in base64, in place. Rule: see base64.pyx."""
from libc.stdint cimport uint8_t

cdef void spell64(const uint8_t *data, size_t size, bint url, uint8_t *text) noexcept nogil
cpdef str url64(bytes data)
