"""Declare the begin, end and move of a tunnel (tunnel_transfer.pyx)."""
from libc.stdint cimport uint64_t

from ext.accept.address_limits cimport Addresses
from ext.net.connection_table cimport io_t
from ext.net.structs cimport conn_t

cdef conn_t *piped(io_t *io, uint64_t number) noexcept nogil
cdef object tunnel_in(io_t *io, Addresses addresses, int client_fd, str address, int home_fd, dict state, bytes data, object owner)
cdef tuple tunnel_out(io_t *io, Addresses addresses, conn_t *client)
cdef tuple client_out(io_t *io, Addresses addresses, conn_t *client, bytes returned)
