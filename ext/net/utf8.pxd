"""Declare UTF-8 validation of whole buffers.
**Invariant:** functions over pointers without state, no Python.
"""
from libc.stdint cimport uint8_t

cdef Py_ssize_t sequence(const uint8_t *p, Py_ssize_t n) noexcept nogil
cdef bint valid(const uint8_t *p, Py_ssize_t n) noexcept nogil
