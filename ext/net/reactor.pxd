"""The reactor: one epoll set for all sockets of a worker. Rule: what needs no decision never enters Python."""
from libc.stdint cimport uint64_t

from ext.net.connection cimport conn_t
from ext.net.party cimport Party

cdef class Reactor(Party):
    cdef int accept(self) except -1
    cdef list collect(self)
    cdef void time_messages(self, uint64_t now) noexcept
    cdef int expire(self, conn_t *conn) except -1
