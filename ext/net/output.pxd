"""Declare the output of connections (output.pyx).

**Invariant:** every write marks the connection as dirty, and every read ends with a flush, so the output of one read is one `send`.
"""
from libc.stdint cimport uint8_t, uint32_t

from ext.net.byte_buffers cimport held_by
from ext.net.connection_table cimport BLOCKED, PAUSED, io_t
from ext.base.system cimport EPOLLIN, EPOLLOUT
from ext.net.structs cimport conn_t

cdef uint8_t *reserve(io_t *io, conn_t *conn, uint32_t size) noexcept nogil
cdef void frame(io_t *io, conn_t *conn, int opcode, const uint8_t *payload, Py_ssize_t size) noexcept nogil
cdef void raw(io_t *io, conn_t *conn, const uint8_t *data, Py_ssize_t size) noexcept nogil
cdef void fault(
    io_t *io, conn_t *conn, const char *code, const char *words, const char *of, const uint8_t *id, Py_ssize_t id_size, int retry_after,
) noexcept nogil
cdef void flush(io_t *io, conn_t *conn) noexcept nogil
cdef void flush_dirty(io_t *io) noexcept nogil
cdef void flush_all(io_t *io) noexcept nogil
cdef void mark_dirty(io_t *io, conn_t *conn) noexcept nogil
cdef void watch(io_t *io, conn_t *conn) noexcept nogil

cdef inline uint32_t awaited(conn_t *conn) noexcept nogil:
    """Return the events that epoll must watch for, by the connection's flags."""
    return (0 if conn.flags & PAUSED else EPOLLIN) | (EPOLLOUT if conn.flags & BLOCKED else 0)

cdef inline uint32_t pending(conn_t *conn) noexcept nogil:
    """Return the bytes that are queued and not accepted by the socket."""
    return held_by(conn.out)
