"""Declare time-outs (timeouts.pyx).

**Invariant:** an expired timer compares the time of its connection's last activity, and restarts for the rest.
"""
from ext.net.connection_table cimport io_t

cdef void expire(io_t *io) noexcept nogil
