"""The doors through which connections come and go. Rule: see doors.pyx."""
from ext.accept.admission cimport Addresses
from ext.net.connection cimport io_t
from ext.accept.handshake cimport Judge

cdef class Doors:
    cdef io_t io
    cdef Judge judge
    cdef Addresses addresses
