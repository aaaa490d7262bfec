"""Declare time-outs. Invariant: a timer that fires compares its connection's own clock and is armed for the remaining time."""
from ext.net.connection cimport io_t

cdef void expire(io_t *io) noexcept nogil
