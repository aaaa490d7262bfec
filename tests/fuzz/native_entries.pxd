"""Declare entries of fuzz targets that need no Python."""
from libc.stdint cimport uint8_t

cdef int frames(const uint8_t *data, size_t size) noexcept nogil
cdef int chatline(const uint8_t *data, size_t size) noexcept nogil
