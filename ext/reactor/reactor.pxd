"""Declare the reactor, one epoll set for all sockets of a worker.

**Invariant:** its methods only call C functions; the hot path enters no Python.
"""
from ext.reactor.connection_handover cimport ConnectionTransfers

cdef class Reactor(ConnectionTransfers):
    cdef object tap       # the object that owns io.tap
    cdef list events      # the batch in progress

    cdef list collect(self)
