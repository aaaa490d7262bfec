"""From bytes to frames to what they mean. Rule: nogil from the read to the relay; nothing behind a shut gate is parsed."""
from libc.stdint cimport uint8_t, uint32_t

from ext.net.connection cimport io_t
from ext.base.system cimport epoll_event
from ext.net.types cimport conn_t

cdef enum:
    OWN_BYTES = 256 * 1024    # output that a client leaves untaken before it is no longer read
    STAGE = 256 * 1024        # the shared receive buffer: a partial frame, and a read behind it

cdef void foresee(epoll_event *ready, int i, int n) noexcept nogil
cdef void serve(io_t *io, conn_t *conn, uint32_t ready) noexcept nogil
cdef void stage_clear() noexcept nogil
cdef void open_gates(io_t *io) noexcept nogil
cdef void begin_with(io_t *io, conn_t *conn, const uint8_t *data, Py_ssize_t size) noexcept nogil
cdef void message(io_t *io, conn_t *conn, int opcode, const uint8_t *data, Py_ssize_t size) noexcept nogil
