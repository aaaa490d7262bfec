"""Declare the liveness check of a TCP peer. Invariant: as in peer_liveness.pyx."""

cdef enum:
    LOOK_SECONDS = 2     # from a send between two hosts until its arrival is checked

cdef enum:
    WAY_IDLE = 0         # nothing is in flight
    WAY_BUSY = 1         # something is in flight, or waits until the peer accepts more
    WAY_GONE = 2         # the peer does not acknowledge

cdef int way_of(int fd) noexcept nogil
