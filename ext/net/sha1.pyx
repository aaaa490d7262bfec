"""SHA-1 (FIPS 180-4) of a short text. Rule: for the answer of RFC 6455, 4.2.2 alone, which proves no more than that WebSocket is spoken here.

The library's is made for long texts: an object of it costs more than both blocks of an answer.
"""
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

cdef enum:
    BLOCK = 64  # bytes


cdef inline uint32_t turned(uint32_t word, int bits) noexcept nogil:
    return word << bits | word >> (32 - bits)


cdef inline uint32_t read_word(const uint8_t *p) noexcept nogil:
    return <uint32_t>p[0] << 24 | <uint32_t>p[1] << 16 | <uint32_t>p[2] << 8 | p[3]


cdef inline void write_word(uint8_t *p, uint32_t word) noexcept nogil:
    p[0] = <uint8_t>(word >> 24)
    p[1] = <uint8_t>(word >> 16)
    p[2] = <uint8_t>(word >> 8)
    p[3] = <uint8_t>word


cdef inline void turn(uint32_t a, uint32_t *b, uint32_t mixed, uint32_t *e, uint32_t added) noexcept nogil:
    """One round; the next one's a is this one's e, and so on. `mixed`: the function of b, c and d; `added`: the constant and the word."""
    e[0] += turned(a, 5) + mixed + added
    b[0] = turned(b[0], 30)


cdef inline uint32_t chosen(uint32_t b, uint32_t c, uint32_t d) noexcept nogil:
    return d ^ b & (c ^ d)


cdef inline uint32_t parity(uint32_t b, uint32_t c, uint32_t d) noexcept nogil:
    return b ^ c ^ d


cdef inline uint32_t majority(uint32_t b, uint32_t c, uint32_t d) noexcept nogil:
    return b & c | d & (b | c)


cdef void take(uint32_t *state, const uint8_t *block) noexcept nogil:
    """A block more."""
    cdef uint32_t[80] words
    cdef uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4]
    cdef int i
    for i in range(16):
        words[i] = read_word(block + 4 * i)
    for i in range(16, 80):
        words[i] = turned(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1)
    for i in range(0, 20, 5):
        turn(a, &b, chosen(b, c, d), &e, 0x5A827999 + words[i])
        turn(e, &a, chosen(a, b, c), &d, 0x5A827999 + words[i + 1])
        turn(d, &e, chosen(e, a, b), &c, 0x5A827999 + words[i + 2])
        turn(c, &d, chosen(d, e, a), &b, 0x5A827999 + words[i + 3])
        turn(b, &c, chosen(c, d, e), &a, 0x5A827999 + words[i + 4])
    for i in range(20, 40, 5):
        turn(a, &b, parity(b, c, d), &e, 0x6ED9EBA1 + words[i])
        turn(e, &a, parity(a, b, c), &d, 0x6ED9EBA1 + words[i + 1])
        turn(d, &e, parity(e, a, b), &c, 0x6ED9EBA1 + words[i + 2])
        turn(c, &d, parity(d, e, a), &b, 0x6ED9EBA1 + words[i + 3])
        turn(b, &c, parity(c, d, e), &a, 0x6ED9EBA1 + words[i + 4])
    for i in range(40, 60, 5):
        turn(a, &b, majority(b, c, d), &e, <uint32_t>0x8F1BBCDC + words[i])
        turn(e, &a, majority(a, b, c), &d, <uint32_t>0x8F1BBCDC + words[i + 1])
        turn(d, &e, majority(e, a, b), &c, <uint32_t>0x8F1BBCDC + words[i + 2])
        turn(c, &d, majority(d, e, a), &b, <uint32_t>0x8F1BBCDC + words[i + 3])
        turn(b, &c, majority(c, d, e), &a, <uint32_t>0x8F1BBCDC + words[i + 4])
    for i in range(60, 80, 5):
        turn(a, &b, parity(b, c, d), &e, <uint32_t>0xCA62C1D6 + words[i])
        turn(e, &a, parity(a, b, c), &d, <uint32_t>0xCA62C1D6 + words[i + 1])
        turn(d, &e, parity(e, a, b), &c, <uint32_t>0xCA62C1D6 + words[i + 2])
        turn(c, &d, parity(d, e, a), &b, <uint32_t>0xCA62C1D6 + words[i + 3])
        turn(b, &c, parity(c, d, e), &a, <uint32_t>0xCA62C1D6 + words[i + 4])
    state[0] += a
    state[1] += b
    state[2] += c
    state[3] += d
    state[4] += e


cdef void sha1(const uint8_t *data, size_t size, uint8_t *hashed) noexcept nogil:
    """The hash of `size` bytes, SHA1_SIZE of them, into `hashed`."""
    cdef uint32_t[5] state
    cdef uint8_t[2 * BLOCK] last
    cdef size_t left = size, whole
    cdef int i
    state[0] = 0x67452301
    state[1] = <uint32_t>0xEFCDAB89
    state[2] = <uint32_t>0x98BADCFE
    state[3] = 0x10325476
    state[4] = <uint32_t>0xC3D2E1F0
    while left >= BLOCK:
        take(state, data)
        data += BLOCK
        left -= BLOCK
    whole = BLOCK if left < BLOCK - 8 else 2 * BLOCK  # a one, zeros, and the size in bits
    memset(last, 0, sizeof(last))
    memcpy(last, data, left)
    last[left] = 0x80
    write_word(last + whole - 8, <uint32_t>(<uint64_t>size >> 29))
    write_word(last + whole - 4, <uint32_t>(<uint64_t>size << 3))
    take(state, last)
    if whole > BLOCK:
        take(state, last + BLOCK)
    for i in range(5):
        write_word(hashed + 4 * i, state[i])
