"""Hash a short text under a secret key with SipHash-2-4, for values that several processes share; Python's own hash has another key in each
process.

**Invariant:** without the key a hash can neither be predicted nor be tested against guessed texts.
"""
from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcpy


cdef inline uint64_t turned(uint64_t word, int bits) noexcept nogil:
    return word << bits | word >> (64 - bits)


cdef inline void mix(uint64_t *v) noexcept nogil:
    """Apply one round."""
    v[0] += v[1]
    v[2] += v[3]
    v[1] = turned(v[1], 13) ^ v[0]
    v[3] = turned(v[3], 16) ^ v[2]
    v[0] = turned(v[0], 32)
    v[2] += v[1]
    v[0] += v[3]
    v[1] = turned(v[1], 17) ^ v[2]
    v[3] = turned(v[3], 21) ^ v[0]
    v[2] = turned(v[2], 32)


cdef inline void take(uint64_t *v, uint64_t word) noexcept nogil:
    v[3] ^= word
    mix(v)
    mix(v)
    v[0] ^= word


cdef uint64_t siphash(const uint64_t *key, const uint8_t *data, size_t size) noexcept nogil:
    """Return the hash of `size` bytes under a key of 16 bytes. It depends on the machine's byte order and must not leave the machine."""
    cdef uint64_t[4] v
    cdef uint64_t word
    cdef size_t left = size
    v[0] = key[0] ^ <uint64_t>0x736F6D6570736575
    v[1] = key[1] ^ <uint64_t>0x646F72616E646F6D
    v[2] = key[0] ^ <uint64_t>0x6C7967656E657261
    v[3] = key[1] ^ <uint64_t>0x7465646279746573
    while left >= 8:
        memcpy(&word, data, 8)
        take(v, word)
        data += 8
        left -= 8
    word = 0
    memcpy(&word, data, left)
    take(v, word | <uint64_t>size << 56)
    v[2] ^= 0xFF
    mix(v)
    mix(v)
    mix(v)
    mix(v)
    return v[0] ^ v[1] ^ v[2] ^ v[3]
