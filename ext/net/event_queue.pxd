"""Declare the queue of events for the engine.
**Invariant:** C only, first in, first out; the queue owns its memory.
"""
from libc.stdint cimport uint8_t, uint32_t

from ext.net.structs cimport conn_t

cdef enum:
    EVENT_HEAD = -1   # a request head to be checked: the one kind that the engine does not see

cdef struct event_t:
    conn_t *conn             # its owner is read when the event is collected; dead connections are reclaimed after that
    size_t at                # offset of its bytes in the queue's memory
    uint32_t size            # number of its bytes; of a HEAD: bytes of the head, 0: it did not arrive in time
    int kind                 # EVENT_… of protocol.pxd
    int how                  # of a LOST: LOST_…; of an UNTUNNELLED: TUNNEL_…

cdef struct events_t:
    event_t *event
    uint32_t count
    uint32_t taken           # number of events that were collected
    uint32_t room
    uint32_t most            # capacity; a test makes it small
    uint8_t *bytes
    size_t used
    size_t space

cdef bint event_add(events_t *events, int kind, conn_t *conn, int how, const uint8_t *data, uint32_t size) noexcept nogil
cdef void events_clear(events_t *events) noexcept nogil
cdef void events_free(events_t *events) noexcept nogil
