"""Declare the end of a turn of the event loop (turn_end.pyx).
**Invariant:** events keep the order of the queue, and none is lost.
"""
from ext.accept.address_limits cimport Addresses
from ext.net.connection_table cimport io_t
from ext.accept.handshake cimport Judge

cdef int gather(io_t *io, Judge judge, Addresses addresses, list batch) except -1
