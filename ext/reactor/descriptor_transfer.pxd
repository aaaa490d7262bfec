"""Declare how connections enter and leave a reactor by descriptor. Invariant: as in descriptor_transfer.pyx."""
from ext.accept.address_limits cimport Addresses
from ext.net.connection cimport io_t
from ext.accept.handshake cimport Judge

cdef class ConnectionTransfers:
    cdef io_t io
    cdef Judge judge
    cdef Addresses addresses
