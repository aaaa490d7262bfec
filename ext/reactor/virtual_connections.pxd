"""Declare virtual connections, which have no socket (virtual_connections.pyx)."""
from ext.net.connection_table cimport io_t
from ext.net.structs cimport conn_t

cdef conn_t *virtual_new(io_t *io, str address) noexcept
cdef void inject(io_t *io, conn_t *conn, bytes payload)
cdef void hold(io_t *io, conn_t *conn, bint on) noexcept nogil
cdef void post(io_t *io, list events)
