"""Declare the parser and writer of WebSocket frames, server side.

**Invariant:** functions over pointers without state; faults are returned as numbers, no exception is raised.
"""
from libc.stdint cimport uint8_t, uint64_t

cdef enum:
    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10
    RECORD = 3       # reserved by RFC 6455, 5.2: between hosts, a frame that is not for the client

cdef enum:
    HEADER_MAX = 10  # an unmasked header, as the server writes it

cdef struct frame_t:
    uint8_t opcode
    bint fin
    uint8_t mask[4]
    uint64_t length

cdef int parse_header(const uint8_t *p, Py_ssize_t n, uint64_t limit, frame_t *frame) noexcept nogil
cdef void unmask(uint8_t *p, Py_ssize_t n, const uint8_t *mask) noexcept nogil
cdef int header_size(Py_ssize_t length) noexcept nogil
cdef const uint8_t *own_frame(const uint8_t *p, int *opcode, Py_ssize_t *size) noexcept nogil
cdef bint own_frames(const uint8_t *p, Py_ssize_t size) noexcept nogil
cdef int parse_own(const uint8_t *p, Py_ssize_t n, uint64_t limit, frame_t *frame) noexcept nogil
cdef int write_header(uint8_t *out, int opcode, Py_ssize_t length) noexcept nogil
cdef bint close_code_allowed(int code) noexcept nogil
