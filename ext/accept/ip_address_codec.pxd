"""Declare the conversion of IP addresses between text and 16 bytes.

**Invariant:** each address has one spelling (RFC 5952), and an IPv4-mapped IPv6 address is the IPv4 address.
"""
from libc.stdint cimport uint8_t

cdef enum:
    ADDRESS = 16      # bytes; an IPv4 address is preceded by ::ffff:
    MAPPED = 96       # bits of that prefix
    SPELLED4 = 16     # bytes of the longest text of an IPv4 address, with its terminating zero

cdef bint read_address(str text, uint8_t *address) except -1
cdef bint is_mapped(const uint8_t *address) noexcept nogil
cdef bint within(const uint8_t *address, const uint8_t *network, int bits) noexcept nogil
cdef int spell4(const uint8_t *address, char *text) noexcept nogil
cdef str spelled_address(const uint8_t *address)
cdef str network_around(const uint8_t *address, int bits)
