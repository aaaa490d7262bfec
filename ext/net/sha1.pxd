"""The hash of RFC 6455's handshake. Rule: see sha1.pyx."""
from libc.stdint cimport uint8_t

cdef enum:
    SHA1_SIZE = 20  # bytes

cdef void sha1(const uint8_t *data, size_t size, uint8_t *hashed) noexcept nogil
