"""Declare the liveness check of a TCP peer (tcp_peer_liveness.pyx)."""

cdef enum:
    LOOK_SECONDS = 2     # from a send between two hosts until its arrival is checked

cdef enum:
    PEER_IDLE = 0         # nothing is in flight
    PEER_BUSY = 1         # something is in flight, or waits until the peer accepts more
    PEER_GONE = 2         # the peer does not acknowledge

cdef int peer_state(int fd) noexcept nogil
