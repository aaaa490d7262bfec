"""Declare the ways in which a connection ends.

**Invariant:** every cause is a row of one table, and every end is one of the five functions below.
"""

#     fail     for what the client sent: an error, the close code; then it lingers, and the engine receives the loss
#     leave    by the client's own close frame, which is answered; then it lingers, and the engine receives the loss
#     lose     without a close frame: freed at once; the engine receives the loss if it was open
#     linger   queued output is still sent, input is discarded; then it is freed
#     free     closes the socket and frees what the connection holds; its own memory is freed when the batch is collected

from libc.stdint cimport uint8_t, uint64_t

from ext.accept.address_limits cimport Addresses
from ext.net.connection_table cimport io_t
from ext.net.structs cimport conn_t

cdef enum:
    # by what the client sent
    PROTOCOL
    BINARY_DATA
    ENCODING
    TOO_BIG
    FLOOD
    # by the engine, which receives no event of it
    INTERNAL
    RESTART
    BUSY
    BANNED
    REPLACED
    # by the client's close frame
    CLIENT_LEFT
    CLIENT_AWAY
    CLIENT_OTHER
    # without a close frame
    CLIENT_NONE
    UNANSWERED
    UNTAKEN
    CAUSES

cdef int cause_of(int close_code) noexcept nogil
cdef void say_close(io_t *io, conn_t *conn, int code) noexcept nogil
cdef void fail(io_t *io, conn_t *conn, int cause) noexcept nogil
cdef void leave(io_t *io, conn_t *conn, const uint8_t *payload, Py_ssize_t size) noexcept nogil
cdef void lose(io_t *io, conn_t *conn, int cause) noexcept nogil
cdef void linger(io_t *io, conn_t *conn, bint wait) noexcept nogil
cdef void free(io_t *io, conn_t *conn) noexcept nogil
cdef void dismiss(io_t *io, conn_t *conn, int code) noexcept nogil
cdef void unblock(io_t *io, conn_t *conn) noexcept nogil
cdef void sweep(io_t *io) noexcept nogil
cdef void let_go(io_t *io, Addresses addresses, conn_t *conn)
cdef void uncount(io_t *io, Addresses addresses, conn_t *conn)
cdef void reclaim(io_t *io, Addresses addresses)
