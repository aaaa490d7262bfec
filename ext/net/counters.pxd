"""Declare the counters of the hot path, in the order of the names in counters.pyx. Counting is an addition to one array."""
from libc.stdint cimport uint64_t

cdef enum:
    C_ACCEPTED
    C_OPENED
    C_HANDED
    C_HEAD_BAD
    C_HEAD_HOST
    C_HEAD_ORIGIN
    C_HEAD_VERSION
    C_HEAD_LARGE
    C_HEAD_SLOW
    C_HEAD_LIMITED
    C_HEAD_BUSY
    C_HEAD_SHORT
    C_HEAD_LOST
    C_TURNS
    C_READY
    C_READS
    C_BYTES_IN
    C_SENDS
    C_BYTES_OUT
    C_FRAMES
    C_MESSAGES
    C_MESSAGE_BYTES
    C_TYPING
    C_SIGNALS
    C_EVENTS
    C_BATCHES
    C_SLOW
    C_TOO_FAST
    C_PAUSED
    C_BLOCKED
    C_PINGS
    C_UNANSWERED
    C_UNTAKEN
    C_LEFT
    C_DROPPED
    C_CLOSE_PROTOCOL
    C_CLOSE_BINARY
    C_CLOSE_ENCODING
    C_CLOSE_TOO_BIG
    C_CLOSE_FLOOD
    C_CLOSE_INTERNAL
    C_CLOSE_RESTART
    C_CLOSE_BUSY
    C_CLOSE_BANNED
    C_CLOSE_REPLACED
    C_CLIENT_NORMAL
    C_CLIENT_AWAY
    C_CLIENT_OTHER
    C_CLIENT_NONE
    C_TUNNELLED
    C_TUNNEL_BYTES
    COUNTERS

cdef enum:
    BOUNDS = 8  # of a histogram

cdef struct times_t:
    uint64_t count[9]   # per bound; the last counts longer times
    uint64_t total      # nanoseconds

cdef uint64_t clock_now() noexcept nogil
cdef void times_add(times_t *times, uint64_t nanoseconds, uint64_t weight) noexcept nogil
cdef object times_read(times_t *times)
