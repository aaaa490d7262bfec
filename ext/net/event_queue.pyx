"""Queue the sockets' events in C until `Reactor.drain` and `settle` return them to the engine as Python tuples.

**Invariant:** no event is lost silently: without memory for an event the connection is ended, and the connection itself is marked as lost.
"""

# Both arrays grow by doubling and are reused for the next batch, unless it was very large; the contents of frames are cleared after each batch.

from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy

from ext.base.check cimport CHECK
from ext.base.system cimport explicit_bzero

cdef enum:
    EVENTS_LEAST = 64
    SPACE_LEAST = 4 * 1024
    EVENTS_KEPT = 4096        # a larger queue is freed after the batch
    SPACE_KEPT = 256 * 1024


cdef bint more_events(events_t *events) noexcept nogil:
    cdef uint32_t room = events.room * 2 if events.room else EVENTS_LEAST
    cdef event_t *grown = <event_t *>realloc(events.event, room * sizeof(event_t))
    if grown == NULL:
        return False
    events.event = grown
    events.room = room
    return True


cdef bint more_space(events_t *events, size_t need) noexcept nogil:
    cdef size_t space = events.space if events.space else SPACE_LEAST
    cdef uint8_t *grown
    while space < events.used + need:
        space *= 2
    grown = <uint8_t *>malloc(space)
    if grown == NULL:
        return False
    if events.used:
        memcpy(grown, events.bytes, events.used)
        explicit_bzero(events.bytes, events.used)
    free(events.bytes)
    events.bytes = grown
    events.space = space
    return True


cdef bint event_add(events_t *events, int kind, conn_t *conn, int how, const uint8_t *data, uint32_t size) noexcept nogil:
    """Append an event; `data` (NULL: none) is copied. False, with nothing added, if there is no memory."""
    cdef event_t *event
    CHECK(events.taken <= events.count <= events.room)
    if events.count >= events.most or events.count == events.room and not more_events(events):
        return False
    if data != NULL and events.used + size > events.space and not more_space(events, size):
        return False
    event = &events.event[events.count]
    event.conn = conn
    event.kind = kind
    event.how = how
    event.size = size
    event.at = events.used
    if data != NULL and size:  # an empty frame may come first, before there is a buffer to copy to
        memcpy(events.bytes + events.used, data, size)
        events.used += size
    events.count += 1
    return True


cdef void events_clear(events_t *events) noexcept nogil:
    """Empty the queue after all events were collected."""
    CHECK(events.taken == events.count)
    events.count = events.taken = 0
    if events.used:
        explicit_bzero(events.bytes, events.used)
    events.used = 0
    if events.room > EVENTS_KEPT:
        free(events.event)
        events.event = NULL
        events.room = 0
    if events.space > SPACE_KEPT:
        free(events.bytes)
        events.bytes = NULL
        events.space = 0


cdef void events_free(events_t *events) noexcept nogil:
    free(events.event)
    free(events.bytes)
    events.event = NULL
    events.bytes = NULL
