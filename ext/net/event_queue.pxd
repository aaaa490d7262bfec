"""What the engine is to be told, until the batch is collected. Rule: C only, first in, first out; memory the queue owns."""
from libc.stdint cimport uint8_t, uint32_t

from ext.net.types cimport conn_t

cdef enum:
    EVENT_HEAD = -1   # a request head to be judged: of the queue's kinds the one that the engine does not see

cdef struct event_t:
    conn_t *conn             # its owner is read when the event is collected; the dead are reclaimed behind that
    size_t at                # where its bytes begin in the queue's memory
    uint32_t size            # of its bytes; of a HEAD: bytes of the head, 0: it did not come in time
    int kind                 # EVENT_…, of protocol.pxd
    int how                  # of a LOST: LOST_…; of an UNTUNNELLED: TUNNEL_…

cdef struct events_t:
    event_t *event
    uint32_t count
    uint32_t taken           # those before it were collected
    uint32_t room
    uint32_t most            # events at once; a test makes it small
    uint8_t *bytes
    size_t used
    size_t space

cdef bint event_add(events_t *events, int kind, conn_t *conn, int how, const uint8_t *data, uint32_t size) noexcept nogil
cdef void events_clear(events_t *events) noexcept nogil
cdef void events_free(events_t *events) noexcept nogil
