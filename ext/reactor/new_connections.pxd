"""Declare how a connection begins (new_connections.pyx). Called once per connection, with the GIL, outside the hot path."""
from libc.stdint cimport uint32_t

from ext.accept.address_limits cimport Addresses
from ext.net.connection_table cimport io_t
from ext.accept.handshake cimport Judge
from ext.net.structs cimport conn_t

cdef void bound_descriptors(io_t *io, int limit) noexcept nogil
cdef bint watch_listener(io_t *io) noexcept nogil
cdef void leave_listener(io_t *io) noexcept nogil
cdef void accept(io_t *io, Judge judge, Addresses addresses) noexcept
cdef int count_newcomer(io_t *io, Judge judge, Addresses addresses, conn_t *conn) except -1
cdef conn_t *begin(io_t *io, int fd, str address) noexcept
cdef tuple enter(io_t *io, Judge judge, Addresses addresses, conn_t *conn, uint32_t size)
