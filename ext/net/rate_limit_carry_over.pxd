"""Declare rate limits that outlive a connection (rate_limit_carry_over.pyx)."""
from libc.stdint cimport uint64_t

from ext.net.connection_table cimport io_t
from ext.net.structs cimport conn_t

cdef class LimitsOwner:
    cdef uint64_t carrier    # number of the connection that has the limits; 0: none ever did
    cdef double counted      # time of `tokens`; 0: the connection has them
    cdef float[5] tokens     # by bucket, as the last connection left them

cdef void move_limits(io_t *io, LimitsOwner who, conn_t *conn)
cdef void copy_limits(io_t *io, LimitsOwner who, conn_t *conn)
cdef list allowance(io_t *io, LimitsOwner who)
cdef int read_tokens(io_t *io, list values, float *tokens) except -1
cdef int allow(io_t *io, LimitsOwner who, list tokens) except -1
cdef void save_limits(io_t *io, LimitsOwner who, conn_t *conn)
