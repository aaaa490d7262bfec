"""Declare the path from received bytes to messages (socket_input.pyx).

**Invariant:** without the GIL from the read to the relay; nothing behind a frame that awaits a decision is parsed.
"""
from libc.stdint cimport uint8_t, uint32_t

from ext.net.connection_table cimport io_t
from ext.base.system cimport epoll_event
from ext.net.structs cimport conn_t

cdef enum:
    OWN_BYTES = 256 * 1024    # unread output of a client, above which the server stops reading it
    STAGE = 256 * 1024        # the shared receive buffer: an incomplete frame, and one read after it

cdef void prefetch_reads(epoll_event *ready, int i, int n) noexcept nogil
cdef void serve(io_t *io, conn_t *conn, uint32_t ready) noexcept nogil
cdef void stage_clear() noexcept nogil
cdef bint talks_calmly(io_t *io, conn_t *conn) noexcept nogil
cdef void open_gates(io_t *io, uint32_t most) noexcept nogil
cdef void begin_with(io_t *io, conn_t *conn, const uint8_t *data, Py_ssize_t size) noexcept nogil
cdef void message(io_t *io, conn_t *conn, int opcode, const uint8_t *data, Py_ssize_t size) noexcept nogil
