"""Validate UTF-8 after RFC 3629 section 4: no overlong form, no surrogate, nothing above U+10FFFF.

A whole message is validated at once, after its fragments were joined, so no state is kept between calls.
"""
from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcpy


cdef Py_ssize_t sequence(const uint8_t *p, Py_ssize_t n) noexcept nogil:
    """Return the length in bytes (2 to 4) of the well-formed multi-byte sequence at `p`, or 0. `n` bytes may be read; p[0] >= 0x80."""
    cdef uint8_t a = p[0], low = 0x80, high = 0xBF
    cdef Py_ssize_t i, size
    if a < 0xC2:
        return 0
    if a < 0xE0:
        size = 2
    elif a < 0xF0:
        size = 3
        if a == 0xE0:
            low = 0xA0
        elif a == 0xED:
            high = 0x9F
    elif a < 0xF5:
        size = 4
        if a == 0xF0:
            low = 0x90
        elif a == 0xF4:
            high = 0x8F
    else:
        return 0
    if n < size or p[1] < low or p[1] > high:
        return 0
    for i in range(2, size):
        if p[i] & 0xC0 != 0x80:
            return 0
    return size


cdef bint valid(const uint8_t *p, Py_ssize_t n) noexcept nogil:
    """Whether the `n` bytes at `p` are well-formed UTF-8."""
    cdef Py_ssize_t i = 0, size
    cdef uint64_t word
    while i < n:
        if n - i >= 8:
            memcpy(&word, p + i, 8)
            if not word & <uint64_t>0x8080808080808080:
                i += 8
                continue
        if p[i] < 0x80:
            i += 1
            continue
        size = sequence(p + i, n - i)
        if size == 0:
            return False
        i += size
    return True
