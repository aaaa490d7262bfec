"""Finish a turn of the event loop: check request heads, convert queued events to Python tuples, send output, and free ended connections."""
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint32_t

from ext.net.connection_table cimport HEAD, UNTOLD, name, owner_of
from ext.net.connection_end cimport CLIENT_NONE, lose, reclaim, sweep
from ext.reactor.new_connections cimport enter
from ext.net.event_queue cimport EVENT_HEAD, event_t, events_clear
from ext.net.output cimport flush_all
from ext.base.protocol cimport EVENT_FRAME, EVENT_HTTP, EVENT_LOST, EVENT_RECORD, EVENT_UNTUNNELLED, TUNNEL_LEFT
from ext.base.system cimport close
from ext.migrate.tunnel cimport OF_TUNNEL
from ext.net.structs cimport conn_t
from ext.reactor.virtual_connections cimport post


cdef int gather(io_t *io, Judge judge, Addresses addresses, list batch) except -1:
    """Append (kind, connection, owner, data) of every event to `batch`. If that raises, the rest stays for the next call."""
    if io.events.count:
        collect_events(io, judge, addresses, batch)
    if io.untold:
        collect_untold(io, batch)
    flush_all(io)
    if io.unread != NULL:
        post(io, batch)
    if io.leaving.count:
        sweep(io)
    if io.dead != NULL:
        reclaim(io, addresses)
    return 0


cdef int collect_events(io_t *io, Judge judge, Addresses addresses, list batch) except -1:
    cdef event_t event
    cdef object data
    while io.events.taken < io.events.count:
        event = io.events.event[io.events.taken]
        io.events.taken += 1
        if event.kind == EVENT_HEAD:
            if event.conn.state == HEAD:
                check_head(io, judge, addresses, event, batch)
            continue
        data = None
        if event.kind == EVENT_FRAME or event.kind == EVENT_RECORD:
            data = PyBytes_FromStringAndSize(<char *>io.events.bytes + event.at, event.size)
        elif event.kind == EVENT_LOST or event.kind == EVENT_UNTUNNELLED:
            data = event.how
        batch.append((event.kind, name(event.conn), owner_of(event.conn), data))
    events_clear(&io.events)
    return 0


cdef int check_head(io_t *io, Judge judge, Addresses addresses, event_t event, list batch) except -1:
    """Check a head. If that raises (no memory), its connection is dropped, because no other event would follow for it."""
    cdef tuple told = None
    try:
        told = enter(io, judge, addresses, event.conn, event.size)
        if told is not None:
            batch.append(told)
    except BaseException:
        if told is not None and told[0] == EVENT_HTTP:
            close(<int>told[1])
        lose(io, event.conn, CLIENT_NONE)
        raise
    return 0


cdef int collect_untold(io_t *io, list batch) except -1:
    """Append the losses for which the queue had no memory, after all queued events."""
    cdef conn_t *conn = io.dead
    cdef uint32_t i
    while conn != NULL:
        tell_loss(io, conn, batch)
        conn = conn.stamp.next_dead
    for i in range(io.slot_count):
        if io.slots[i] != NULL:
            tell_loss(io, io.slots[i], batch)
    return 0


cdef int tell_loss(io_t *io, conn_t *conn, list batch) except -1:
    if conn.flags & UNTOLD:
        if conn.side == OF_TUNNEL:
            batch.append((EVENT_UNTUNNELLED, name(conn), owner_of(conn), TUNNEL_LEFT))
        else:
            batch.append((EVENT_LOST, name(conn), owner_of(conn), conn.side))
        conn.flags &= ~UNTOLD
        io.untold -= 1
    return 0
