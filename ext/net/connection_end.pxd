"""How a connection ends. Rule: each way is a row of the table; five verbs, and each says what comes after it.

    fail     for what it sent: the error, the close code; then it lingers, and its loss is told
    leave    by its own close frame, which is answered; then it lingers, and its loss is told
    lose     without a word: freed at once, and its loss is told where it was open
    linger   what is queued still leaves, what comes in is thrown away; then it is freed
    free     the socket goes, and all that the connection holds; its memory when the batch is collected
"""
from libc.stdint cimport uint8_t, uint64_t

from ext.accept.admission cimport Addresses
from ext.net.connection cimport io_t
from ext.net.types cimport conn_t

cdef enum:
    # for what it sent
    PROTOCOL
    BINARY_DATA
    ENCODING
    TOO_BIG
    FLOOD
    # because the engine says so, which is told nothing of it
    INTERNAL
    RESTART
    BUSY
    BANNED
    REPLACED
    # by its own close frame
    CLIENT_LEFT
    CLIENT_AWAY
    CLIENT_OTHER
    # without a word
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
