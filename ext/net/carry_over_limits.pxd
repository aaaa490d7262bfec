"""Whoever is carried by one connection after the other. Rule: see carried.pyx."""
from libc.stdint cimport uint64_t

from ext.net.connection cimport io_t
from ext.net.types cimport conn_t

cdef class Carried:
    cdef uint64_t carrier    # the connection that carries it, 0: none ever did
    cdef double counted      # when the tokens were, 0: they are the connection's
    cdef float[5] tokens     # by bucket, as that connection left them

cdef void carried_by(io_t *io, Carried who, conn_t *conn)
cdef list allowance(io_t *io, Carried who)
cdef int read_tokens(io_t *io, list values, float *tokens) except -1
cdef int allow(io_t *io, Carried who, list tokens) except -1
cdef void carried_no_more(io_t *io, Carried who, conn_t *conn)
