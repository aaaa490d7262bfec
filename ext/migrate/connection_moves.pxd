"""Declare the move of an open connection to another reactor (connection_moves.pyx)."""
from libc.stdint cimport uint8_t, uint32_t

from ext.accept.address_limits cimport Addresses
from ext.net.byte_buffers cimport buffer_t
from ext.net.connection_table cimport io_t
from ext.net.structs cimport conn_t

cdef tuple move_out(io_t *io, Addresses addresses, conn_t *conn)
cdef object move_in(io_t *io, Addresses addresses, int fd, str address, dict state, bytes data, object owner)
cdef bint has_event(io_t *io, conn_t *conn) noexcept nogil
cdef void give_up(io_t *io, Addresses addresses, conn_t *conn)
cdef buffer_t *filled(const uint8_t *data, uint32_t size) except NULL
cdef int count_at(io_t *io, Addresses addresses, conn_t *conn) except -1
cdef list newcomers_out(io_t *io, Addresses addresses)
