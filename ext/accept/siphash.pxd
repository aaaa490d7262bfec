"""Declare SipHash-2-4 of a short text (siphash.pyx)."""
from libc.stdint cimport uint8_t, uint64_t

cdef uint64_t siphash(const uint64_t *key, const uint8_t *data, size_t size) noexcept nogil
