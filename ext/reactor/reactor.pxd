"""Declare the reactor, one epoll set for all sockets of a worker.

**Invariant:** its methods only call C functions; the hot path enters no Python.
"""
from libc.stdint cimport uint64_t

from ext.base.system cimport epoll_event
from ext.reactor.connection_handover cimport ConnectionTransfers

cdef class Reactor(ConnectionTransfers):
    cdef object tap       # the object that owns io.tap
    cdef list events      # the batch in progress

    cdef void serve_ready(self, epoll_event *ready, int n, uint64_t most) noexcept
    cdef void serve_next(self, epoll_event *ready) noexcept
    cdef list collect(self)
