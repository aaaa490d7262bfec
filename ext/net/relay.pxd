"""Chat lines from side to side. Rule: C only, one owner of the numbers (the ring), every refusal told to the sender."""
from libc.stdint cimport uint8_t

from ext.net.connection cimport conn_t, io_t
from ext.net.ring cimport ring_t

cdef void relay_message(io_t *io, conn_t *conn, const uint8_t *text, Py_ssize_t size, const uint8_t *id, Py_ssize_t id_size) noexcept nogil
cdef void relay_typing(io_t *io, conn_t *conn, bint typing) noexcept nogil
cdef int relay_signal(io_t *io, conn_t *conn, const uint8_t *payload, Py_ssize_t size) noexcept nogil
cdef void replay(io_t *io, conn_t *conn, ring_t *ring, int side, unsigned int after) noexcept nogil
cdef void refuse(io_t *io, conn_t *conn, const char *code, const uint8_t *id, Py_ssize_t id_size) noexcept nogil
