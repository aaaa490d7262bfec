"""The reactor: one epoll set for all sockets of a worker. Rule: doors only; what needs no decision never enters Python."""
from ext.net.admission cimport Addresses
from ext.net.connection cimport io_t
from ext.net.handshake cimport Judge

cdef class Reactor:
    cdef io_t io
    cdef Judge judge
    cdef Addresses addresses
    cdef object tap       # what io.tap is a part of
    cdef list events      # the batch that is being made

    cdef list collect(self)
