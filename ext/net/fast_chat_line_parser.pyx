"""Recognise a chat line in its usual JSON form without decoding it, so that its bytes can be relayed unchanged.

Any other form gives OTHER and is left to the general parser.
"""

# Canonical: `{"type":"message","text":"…"}`, or the same with `,"id":"…"` after the text or before it; no space outside of strings, no escapes but
# `\\" \\\\ \\n \\t`, valid UTF-8, 1 to 2,000 code points, no other C0 and no C1 control characters (protocol.md, rule 9). An id is 1 to 64 printable
# ASCII bytes without quote and backslash. Everything else is OTHER: not an error, but for the general parser to check.

from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcmp, memcpy

from ext.base.protocol cimport ID_MAX, TEXT_MAX
from ext.net.utf8 cimport sequence

cdef const char *HEAD = b'{"type":"message",'
cdef const char *KEY_TEXT = b'"text":"'
cdef const char *KEY_ID = b'"id":"'
cdef const char *ON = b'{"type":"typing","typing":true}'
cdef const char *OFF = b'{"type":"typing","typing":false}'
cdef const char *ASK = b'{"type":"ping"}'
cdef uint64_t ONES = 0x0101010101010101
cdef uint64_t HIGHS = 0x8080808080808080


cdef inline bint plain(uint64_t w) noexcept nogil:
    """Whether all eight bytes are ASCII, and no control character, quote or backslash."""
    cdef uint64_t quote = w ^ (ONES * 0x22), slash = w ^ (ONES * 0x5C)
    return not ((w | (w - ONES * 0x20) | (quote - ONES) | (slash - ONES)) & HIGHS)


cdef Py_ssize_t text_end(const uint8_t *p, Py_ssize_t n) noexcept nogil:
    """Return the bytes up to the closing quote of a canonical text at `p`, or -1."""
    cdef Py_ssize_t i = 0, points = 0, size
    cdef uint64_t word
    cdef uint8_t c
    while i < n:
        if n - i >= 8:
            memcpy(&word, p + i, 8)
            if plain(word):
                i += 8
                points += 8
                continue
        c = p[i]
        if c == 0x22:
            return i if 0 < points <= TEXT_MAX else -1
        if c == 0x5C:
            if n - i < 2 or not (p[i + 1] == 0x22 or p[i + 1] == 0x5C or p[i + 1] == 0x6E or p[i + 1] == 0x74):
                return -1
            i += 2
        elif c < 0x20:
            return -1
        elif c < 0x80:
            i += 1
        else:
            size = sequence(p + i, n - i)
            if size == 0 or c == 0xC2 and p[i + 1] < 0xA0:
                return -1  # invalid UTF-8, or a C1 control character
            i += size
        points += 1
    return -1


cdef Py_ssize_t id_end(const uint8_t *p, Py_ssize_t n) noexcept nogil:
    """Return the bytes up to the closing quote of a plain id at `p`, or -1."""
    cdef Py_ssize_t i = 0
    while i < n and i <= ID_MAX:
        if p[i] == 0x22:
            return i if i > 0 else -1
        if p[i] < 0x20 or p[i] > 0x7E or p[i] == 0x5C:
            return -1
        i += 1
    return -1


cdef inline bint starts(const uint8_t *p, Py_ssize_t n, const char *word, Py_ssize_t size) noexcept nogil:
    return n >= size and memcmp(p, word, size) == 0


cdef int scan_message(const uint8_t *p, Py_ssize_t n, line_t *line) noexcept nogil:
    cdef Py_ssize_t i = 18, size
    line.id_size = 0
    if starts(p + i, n - i, KEY_ID, 6):
        i += 6
        size = id_end(p + i, n - i)
        if size < 0:
            return OTHER
        line.id = p + i
        line.id_size = size
        i += size + 1
        if i >= n or p[i] != 0x2C:
            return OTHER
        i += 1
    if not starts(p + i, n - i, KEY_TEXT, 8):
        return OTHER
    i += 8
    size = text_end(p + i, n - i)
    if size < 0:
        return OTHER
    line.text = p + i
    line.size = size
    i += size + 1
    if line.id_size == 0 and i < n and p[i] == 0x2C and starts(p + i + 1, n - i - 1, KEY_ID, 6):
        i += 7
        size = id_end(p + i, n - i)
        if size < 0:
            return OTHER
        line.id = p + i
        line.id_size = size
        i += size + 1
    return MESSAGE if i == n - 1 and p[i] == 0x7D else OTHER


cdef int scan(const uint8_t *p, Py_ssize_t n, line_t *line) noexcept nogil:
    """Classify the text frame of `n` bytes at `p`; fill `line` for a MESSAGE."""
    if starts(p, n, HEAD, 18):
        return scan_message(p, n, line)
    if n == 31 and memcmp(p, ON, 31) == 0:
        return TYPING_ON
    if n == 32 and memcmp(p, OFF, 32) == 0:
        return TYPING_OFF
    if n == 15 and memcmp(p, ASK, 15) == 0:
        return ASK_PONG
    return OTHER
