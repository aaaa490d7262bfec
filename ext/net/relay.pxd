"""Declare the relay of chat lines.
**Invariant:** C only; every refused line is reported to its sender.
"""
from libc.stdint cimport uint8_t, uint32_t

from ext.net.connection_table cimport io_t
from ext.base.protocol cimport WATCHER
from ext.net.structs cimport conn_t, ring_t

cdef enum:
    SIGNAL_TAKEN = 0
    SIGNAL_SLOW = 1       # the partner is away, or reads nothing
    SIGNAL_TOO_FAST = 2

cdef void relay_message(io_t *io, conn_t *conn, const uint8_t *text, Py_ssize_t size, const uint8_t *id, Py_ssize_t id_size) noexcept nogil
cdef void relay_typing(io_t *io, conn_t *conn, bint typing) noexcept nogil
cdef int relay_signal(io_t *io, conn_t *conn, const uint8_t *payload, Py_ssize_t size) noexcept nogil
cdef void replay(io_t *io, conn_t *conn, ring_t *ring, int side, uint32_t after) noexcept nogil

cdef inline bint talks(conn_t *conn) noexcept nogil:
    """Whether the connection is one of the two partners of a chat."""
    return conn.ring != NULL and conn.side < WATCHER
