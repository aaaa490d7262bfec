"""Whether what was sent by a TCP connection arrives. Rule: see ways.pyx."""

cdef enum:
    LOOK_SECONDS = 2     # from something that was sent between two hosts until it is looked whether it arrived

cdef enum:
    WAY_IDLE = 0         # nothing is on the way
    WAY_BUSY = 1         # something is, or waits until the other end takes more
    WAY_GONE = 2         # nobody there says that it came

cdef int way_of(int fd) noexcept nogil
