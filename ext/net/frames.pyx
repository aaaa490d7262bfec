"""Parse and write WebSocket frames (RFC 6455), server side, strictly: what section 5 forbids gives a close code."""

# `parse_header` returns the header's length, 0 if bytes are missing, or the negated close code.

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from ext.base.protocol cimport CLOSE_PROTOCOL, CLOSE_TOO_BIG


cdef int parse_header(const uint8_t *p, Py_ssize_t n, uint64_t limit, frame_t *frame) noexcept nogil:
    """Read one masked header from `n` bytes at `p`. `limit`: payload bytes that a frame may have (beyond: -CLOSE_TOO_BIG)."""
    cdef int size = 6, i
    cdef uint64_t length
    if n < 2:
        # a first byte that is always invalid is refused at once: waiting for the second would only cost time
        return -CLOSE_PROTOCOL if n == 1 and p[0] & 0x70 else 0
    frame.fin = (p[0] & 0x80) != 0
    frame.opcode = p[0] & 0x0F
    length = p[1] & 0x7F
    if p[0] & 0x70 or not p[1] & 0x80:
        return -CLOSE_PROTOCOL  # no extension was agreed (5.2); a client masks (5.1)
    if frame.opcode > PONG or BINARY < frame.opcode < CLOSE:
        return -CLOSE_PROTOCOL
    if frame.opcode >= CLOSE and (length > 125 or not frame.fin):
        return -CLOSE_PROTOCOL  # 5.5
    if length == 126:
        if n < 4:
            return 0
        length = <uint64_t>p[2] << 8 | p[3]
        size = 8
        if length < 126:
            return -CLOSE_PROTOCOL  # the shortest form is required (5.2)
    elif length == 127:
        if n < 10:
            return 0
        length = 0
        for i in range(2, 10):
            length = length << 8 | p[i]
        size = 14
        if length < 65536 or length >> 63:
            return -CLOSE_PROTOCOL
    if length > limit:
        return -CLOSE_TOO_BIG
    if n < size:
        return 0
    memcpy(frame.mask, p + size - 4, 4)
    frame.length = length
    return size


cdef void unmask(uint8_t *p, Py_ssize_t n, const uint8_t *mask) noexcept nogil:
    """Unmask `n` bytes in place (5.3), eight at a time."""
    cdef uint32_t half
    cdef uint64_t key, word
    cdef Py_ssize_t i = 0
    memcpy(&half, mask, 4)
    key = <uint64_t>half << 32 | half
    while i + 8 <= n:
        memcpy(&word, p + i, 8)
        word ^= key
        memcpy(p + i, &word, 8)
        i += 8
    while i < n:
        p[i] ^= mask[i & 3]
        i += 1


cdef int header_size(Py_ssize_t length) noexcept nogil:
    """Return the size of the unmasked header for a payload of `length` bytes."""
    return 2 if length < 126 else 4 if length < 65536 else 10


cdef int write_header(uint8_t *out, int opcode, Py_ssize_t length) noexcept nogil:
    """Write the unmasked header of one whole message; return its size (2, 4 or 10)."""
    cdef int i
    out[0] = <uint8_t>(0x80 | opcode)
    if length < 126:
        out[1] = <uint8_t>length
        return 2
    if length < 65536:
        out[1] = 126
        out[2] = <uint8_t>(length >> 8)
        out[3] = <uint8_t>length
        return 4
    out[1] = 127
    for i in range(8):
        out[2 + i] = <uint8_t>(<uint64_t>length >> (56 - 8 * i))
    return 10


cdef const uint8_t *own_frame(const uint8_t *p, int *opcode, Py_ssize_t *size) noexcept nogil:
    """Read the header that `write_header` wrote at `p`; return the address of the payload."""
    opcode[0] = p[0] & 0x0F
    size[0] = p[1]
    if p[1] == 126:
        size[0] = <Py_ssize_t>p[2] << 8 | p[3]
        return p + 4
    if p[1] == 127:
        size[0] = <Py_ssize_t>p[6] << 24 | <Py_ssize_t>p[7] << 16 | <Py_ssize_t>p[8] << 8 | p[9]
        return p + 10
    return p + 2


cdef int parse_own(const uint8_t *p, Py_ssize_t n, uint64_t limit, frame_t *frame) noexcept nogil:
    """Read a header as `write_header` writes it. Return its length, 0 if bytes are missing, -1 if it differs or its payload exceeds `limit`."""
    cdef int size = 2, i
    if n and p[0] & 0xF0 != 0x80 or n > 1 and p[1] > 127:
        return -1
    if n > 1:
        size = 4 if p[1] == 126 else 10 if p[1] == 127 else 2
    if n < size:
        return 0
    frame.fin = True
    frame.opcode = p[0] & 0x0F
    frame.length = p[1] if size == 2 else 0
    for i in range(2, size):
        frame.length = frame.length << 8 | p[i]
    return size if frame.length <= limit else -1


cdef bint own_frames(const uint8_t *p, Py_ssize_t size) noexcept nogil:
    """Whether `size` bytes at `p` are whole frames as `write_header` begins them, with a code in each close frame. `own_frame` requires this."""
    cdef const uint8_t *end = p + size
    cdef Py_ssize_t length = 0
    cdef int opcode = 0
    while p < end:
        if end - p < (4 if p[0] == 0x80 | CLOSE else 2) or p[1] > 127 or end - p < (4 if p[1] == 126 else 10 if p[1] == 127 else 2):
            return False
        p = own_frame(p, &opcode, &length)
        if length > end - p or opcode == CLOSE and length < 2:
            return False
        p += length
    return True


cdef bint close_code_allowed(int code) noexcept nogil:
    """Whether a close frame may carry `code` (7.4 and the registry: 1004 to 1006 and 1015 are never sent)."""
    return 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999
