"""A connection goes to another reactor as it stands. Rule: see moving.pyx."""
from ext.net.admission cimport Addresses
from ext.net.connection cimport io_t
from ext.net.types cimport conn_t

cdef tuple move_out(io_t *io, Addresses addresses, conn_t *conn)
cdef object move_in(io_t *io, Addresses addresses, int fd, str address, dict state, bytes data, object owner)
cdef list newcomers_out(io_t *io, Addresses addresses)
