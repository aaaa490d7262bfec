"""Declare how connections enter and leave a reactor as descriptors (connection_handover.pyx)."""
from ext.accept.address_limits cimport Addresses
from ext.net.connection_table cimport io_t
from ext.accept.handshake cimport Judge

cdef class ConnectionTransfers:
    cdef io_t io
    cdef Judge judge
    cdef Addresses addresses
