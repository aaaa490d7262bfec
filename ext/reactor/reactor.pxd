"""The reactor: one epoll set for all sockets of a worker. Rule: doors only; what needs no decision never enters Python."""
from ext.reactor.descriptor_transfer cimport Doors

cdef class Reactor(Doors):
    cdef object tap       # what io.tap is a part of
    cdef list events      # the batch that is being made

    cdef list collect(self)
