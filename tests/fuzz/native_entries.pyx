"""Feed the parsers in C from C: a million inputs a second, where a call from Python would cost more than the parser.

**Invariant:** what a parser returns lies within the input, which has its own allocation of just its size. Only fuzz programs compile this module.
"""
from libc.stdint cimport uint8_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from ext.base.check cimport CHECK
from ext.net.fast_chat_line_parser cimport MESSAGE, OTHER, line_t, scan
from ext.net.frames cimport HEADER_MAX, TEXT, frame_t, header_size, parse_header, parse_own, unmask, write_header
from ext.net.utf8 cimport sequence, valid

cdef enum:
    LIMIT = 1 << 16
    CLIENT_HEADER_MAX = 14


cdef void line(const uint8_t *data, Py_ssize_t size) noexcept nogil:
    """Scan one text frame, and check that text and id lie in it."""
    cdef line_t found
    cdef int kind
    if size == 0:
        return
    memset(&found, 0, sizeof(found))
    kind = scan(data, size, &found)
    CHECK(OTHER <= kind <= 4)
    if kind == MESSAGE:
        CHECK(valid(data, size))
        CHECK(data <= found.text and found.size > 0 and found.text + found.size <= data + size)
        CHECK(found.id_size == 0 or (data <= found.id and found.id_size > 0 and found.id + found.id_size <= data + size))


cdef int chatline(const uint8_t *data, size_t size) noexcept nogil:
    """Scan the input as one text frame, and walk its characters."""
    cdef Py_ssize_t at = 0, n = <Py_ssize_t>size, step
    line(data, n)
    while at < n:
        step = sequence(data + at, n - at) if data[at] >= 0x80 else 1
        if step <= 0:
            break
        CHECK(step <= n - at)
        at += step
    CHECK(n == 0 or (valid(data, n) != 0) == (at == n))
    return 0


cdef void payload(const uint8_t *data, const frame_t *frame, Py_ssize_t there) noexcept nogil:
    """Unmask what is there of a frame's payload, and read it as a chat line if it is a whole text."""
    cdef Py_ssize_t i
    cdef uint8_t *own = <uint8_t *>malloc(<size_t>there)
    CHECK(own != NULL or there == 0)
    memcpy(own, data, <size_t>there)
    unmask(own, there, frame.mask)
    if frame.opcode == TEXT and frame.fin and <uint64_t>there == frame.length:
        line(own, there)
    unmask(own, there, frame.mask)
    for i in range(there):
        CHECK(own[i] == data[i])
    free(own)


cdef void served(const uint8_t *data, Py_ssize_t size) noexcept nogil:
    """Read the input as frames of a server, as the edge of a tunnel does."""
    cdef frame_t frame
    cdef uint8_t[HEADER_MAX] head
    cdef int begin, again
    cdef Py_ssize_t at = 0
    while at < size:
        begin = parse_own(data + at, size - at, LIMIT, &frame)
        if begin <= 0:
            return
        CHECK(begin <= size - at and frame.length <= LIMIT)
        if frame.length > <uint64_t>(size - at - begin):
            return
        again = write_header(head, frame.opcode, <Py_ssize_t>frame.length)
        CHECK(again == header_size(<Py_ssize_t>frame.length) and again <= HEADER_MAX and again <= begin)
        at += begin + <Py_ssize_t>frame.length


cdef int frames(const uint8_t *data, size_t size) noexcept nogil:
    """Read the input as frames of a client, and as those of a server."""
    cdef frame_t frame
    cdef int begin
    cdef Py_ssize_t at = 0, n = <Py_ssize_t>size, there
    served(data, n)
    while at < n:
        begin = parse_header(data + at, n - at, LIMIT, &frame)
        if begin <= 0:
            break
        CHECK(begin <= n - at and begin <= CLIENT_HEADER_MAX and frame.length <= LIMIT)
        at += begin
        there = <Py_ssize_t>min(frame.length, <uint64_t>(n - at))
        payload(data + at, &frame, there)
        at += there
    return 0
