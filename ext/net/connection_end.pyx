"""End connections: send the error and the close code, wait for queued output, free the connection, and report the loss to the engine.

**Invariant:** the memory of a connection that ends within a batch of events is freed after the batch, epoll has no event for it from then on, and
every loss is reported, even without memory for the event.
"""

# The batch may still point at the connection, and its owner is part of the event. If there is no memory for the event, the connection itself is
# marked and found when the batch is collected.

from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF
from libc.stdint cimport uint8_t, uint32_t

from ext.accept.address_limits cimport key_of
from ext.net.rate_limit_carry_over cimport LimitsOwner, save_limits
from ext.base.check cimport CHECK
from ext.net.connection_table cimport (
    BLOCKED, BROKEN, CLOSING, COMING, COUNTED, DEAD, HEAD, IN_CLOSING, IN_DEAD, LINGER, OPEN, PAUSED, PIPED, UNTOLD, VIRTUAL, connection_free,
    connection_holds, connection_named, connection_unlist, name, names_add, refill,
)
from ext.net.counters cimport *
from ext.net.event_queue cimport event_add
from ext.net.frames cimport CLOSE, close_code_allowed
from ext.net.tunnel_connections cimport tunnel_part
from ext.net.output cimport fault, frame, mark_dirty, watch
from ext.base.protocol cimport *
from ext.net.chat_ring cimport ring_detach
from ext.base.system cimport EPOLL_CTL_DEL, SHUT_WR, close, epoll_ctl, shutdown
from ext.net.utf8 cimport valid
from ext.net.wheel cimport wheel_arm, wheel_disarm

cdef enum:
    LINGER_SECONDS = 3        # for the client to read the close frame before the socket closes
    NOBODY = -1               # the engine receives no event

cdef struct cause_t:
    int close                 # close code sent, or received from the client; 0: none
    const char *code          # of the error frame before it; NULL: none is sent here
    const char *words
    int retry_after
    int counter
    int told                  # LOST_…, for the engine's event

cdef cause_t table[CAUSES]


cdef void row(int cause, int close_code, int counter, int told, const char *code=NULL, const char *words=NULL, int retry_after=0) noexcept:
    table[cause] = cause_t(close=close_code, code=code, words=words, retry_after=retry_after, counter=counter, told=told)


row(PROTOCOL, CLOSE_PROTOCOL, C_CLOSE_PROTOCOL, LOST_BROKEN, CODE_PROTOCOL, WORDS_PROTOCOL)
row(BINARY_DATA, CLOSE_BINARY, C_CLOSE_BINARY, LOST_BROKEN, CODE_BINARY, WORDS_BINARY)
row(ENCODING, CLOSE_ENCODING, C_CLOSE_ENCODING, LOST_BROKEN, CODE_ENCODING, WORDS_ENCODING)
row(TOO_BIG, CLOSE_TOO_BIG, C_CLOSE_TOO_BIG, LOST_BROKEN, CODE_TOO_BIG, WORDS_TOO_BIG)
row(FLOOD, CLOSE_FLOOD, C_CLOSE_FLOOD, LOST_FLOODED, CODE_FLOOD, WORDS_FLOOD, FLOOD_RETRY_AFTER)
row(INTERNAL, CLOSE_INTERNAL, C_CLOSE_INTERNAL, NOBODY)
row(RESTART, CLOSE_RESTART, C_CLOSE_RESTART, NOBODY)
row(BUSY, CLOSE_BUSY, C_CLOSE_BUSY, NOBODY)
row(BANNED, CLOSE_BANNED, C_CLOSE_BANNED, NOBODY)
row(REPLACED, CLOSE_REPLACED, C_CLOSE_REPLACED, NOBODY)
row(CLIENT_LEFT, CLOSE_LEFT, C_CLIENT_NORMAL, LOST_LEFT)
row(CLIENT_AWAY, CLOSE_AWAY, C_CLIENT_AWAY, LOST_CLOSED)
row(CLIENT_OTHER, 0, C_CLIENT_OTHER, LOST_DROPPED)
row(CLIENT_NONE, 0, C_CLIENT_NONE, LOST_DROPPED)
row(UNANSWERED, 0, C_UNANSWERED, LOST_DROPPED)
row(UNTAKEN, 0, C_UNTAKEN, LOST_DROPPED)


cdef int cause_of(int close_code) noexcept nogil:
    """Return the row of a close code that this server sends; INTERNAL for one without a row."""
    cdef int cause
    for cause in range(CLIENT_LEFT):
        if table[cause].close == close_code:
            return cause
    return INTERNAL


cdef void tell(io_t *io, conn_t *conn, int how) noexcept nogil:
    """Queue the loss of an open connection, which is closing or dead by now, for the engine."""
    CHECK(conn.state == CLOSING or conn.state == DEAD)
    io.count[C_LEFT if how == LOST_LEFT else C_DROPPED] += 1
    if not event_add(&io.events, EVENT_LOST, conn, how, NULL, 0):
        conn.flags |= UNTOLD
        conn.side = how  # it has no ring any more
        io.untold += 1


cdef void say_close(io_t *io, conn_t *conn, int code) noexcept nogil:
    cdef uint8_t payload[2]
    payload[0] = <uint8_t>(code >> 8)
    payload[1] = <uint8_t>code
    frame(io, conn, CLOSE, payload, 2)


cdef void fail(io_t *io, conn_t *conn, int cause) noexcept nogil:
    """End an open connection because of a frame that it sent: `error`, then the close code."""
    cdef cause_t *why = &table[cause]
    CHECK(cause < INTERNAL and conn.state == OPEN)
    io.count[why.counter] += 1
    if not io.echo:
        fault(io, conn, why.code, why.words, NULL, NULL, 0, why.retry_after)
    say_close(io, conn, why.close)
    linger(io, conn, True)
    tell(io, conn, why.told)


cdef void dismiss(io_t *io, conn_t *conn, int code) noexcept nogil:
    """End an open connection with a close code on the engine's behalf, without an event."""
    io.count[table[cause_of(code)].counter] += 1
    say_close(io, conn, code)
    linger(io, conn, True)


cdef void leave(io_t *io, conn_t *conn, const uint8_t *payload, Py_ssize_t size) noexcept nogil:
    """Answer the client's close frame (RFC 6455, 5.5.1) with its own code and end the connection."""
    cdef int code = <int>payload[0] << 8 | payload[1] if size >= 2 else CLOSE_LEFT, cause
    if size == 1 or not close_code_allowed(code):
        fail(io, conn, PROTOCOL)
        return
    if size > 2 and not valid(payload + 2, size - 2):
        fail(io, conn, ENCODING)
        return
    cause = CLIENT_LEFT if code == CLOSE_LEFT else CLIENT_AWAY if code == CLOSE_AWAY else CLIENT_OTHER
    io.count[table[cause].counter] += 1
    frame(io, conn, CLOSE, payload, 2 if size else 0)
    linger(io, conn, False)
    tell(io, conn, table[cause].told)


cdef void lose(io_t *io, conn_t *conn, int cause) noexcept nogil:
    """End a connection whose socket is gone, or for which there is no memory."""
    cdef bint was_open = conn.state == OPEN
    if was_open:
        io.count[table[cause].counter] += 1
    elif conn.state == HEAD and conn.input != NULL:
        io.count[C_HEAD_LOST] += 1
    free(io, conn)
    if was_open:
        tell(io, conn, table[cause].told)


cdef void linger(io_t *io, conn_t *conn, bint wait) noexcept nogil:
    """Send only what is queued from now on. `wait`: after that, wait for the client to close."""
    if conn.state == OPEN:
        io.open -= 1
    elif conn.state == PIPED:
        tunnel_part(io, conn)
    ring_detach(conn)
    conn.state = CLOSING
    if conn.flags & PAUSED:
        conn.flags &= ~PAUSED
        watch(io, conn)
    conn.flags &= IN_CLOSING
    if conn.flags & VIRTUAL:
        unblock(io, conn)
    elif wait:
        conn.flags |= LINGER
    names_add(&io.leaving, name(conn))  # if there is no memory for the list, the wheel ends it
    wheel_arm(&io.wheel, &conn.timer, LINGER_SECONDS)
    CHECK(connection_holds(conn))


cdef void unblock(io_t *io, conn_t *conn) noexcept nogil:
    """Let a virtual connection's owner receive output again."""
    conn.flags &= ~BLOCKED
    wheel_disarm(&conn.timer)
    if conn.out != NULL:
        mark_dirty(io, conn)


cdef void free(io_t *io, conn_t *conn) noexcept nogil:
    """Close the socket and free what the connection holds; its memory, owner and address follow when the batch is collected."""
    if conn.state == DEAD:
        return
    if conn.state == OPEN:
        io.open -= 1
    elif conn.state == PIPED:
        tunnel_part(io, conn)
    ring_detach(conn)
    refill(io, conn.tokens, &conn.stamp.counted)  # the owner keeps them from now on; a dead connection has no time stamp
    if conn.fd >= 0:
        epoll_ctl(io.epoll, EPOLL_CTL_DEL, conn.fd, NULL)  # `close` leaves one watched that its source has too, still
        close(conn.fd)
    conn.fd = -1
    conn.state = DEAD
    conn.flags &= IN_DEAD
    wheel_disarm(&conn.timer)
    connection_unlist(io, conn)
    conn.stamp.next_dead = io.dead
    io.dead = conn
    CHECK(connection_holds(conn))


cdef void sweep(io_t *io) noexcept nogil:
    """End the closing connections whose output is sent; the others are checked again when their socket accepts more."""
    cdef conn_t *conn
    cdef uint32_t i
    for i in range(io.leaving.count):
        conn = connection_named(io, io.leaving.number[i])
        if conn == NULL or conn.state != CLOSING or conn.out != NULL:
            continue
        if conn.flags & LINGER and not conn.flags & BROKEN:
            shutdown(conn.fd, SHUT_WR)
        else:
            free(io, conn)
    io.leaving.count = 0


cdef void uncount(io_t *io, Addresses addresses, conn_t *conn):
    """Remove a connection from the counts of newcomers and of its address; never twice, even if that raises (no memory)."""
    cdef uint32_t flags = conn.flags
    conn.flags &= ~(COMING | COUNTED)
    if flags & COMING:
        io.coming -= 1
    if flags & COUNTED and flags & COMING:
        addresses.settle(key_of(<str>conn.address), io.now)
    elif flags & COUNTED:
        addresses.leave(<str>conn.address, io.now)


cdef void let_go(io_t *io, Addresses addresses, conn_t *conn):
    """Release a dead connection's address and owner."""
    cdef PyObject *address = conn.address
    cdef PyObject *owner = conn.owner
    uncount(io, addresses, conn)
    conn.address = conn.owner = NULL
    if address != NULL:
        Py_DECREF(<object>address)
    if owner != NULL:
        if isinstance(<object>owner, LimitsOwner):
            save_limits(io, <LimitsOwner>owner, conn)
        Py_DECREF(<object>owner)


cdef void reclaim(io_t *io, Addresses addresses):
    """Release the owners and addresses of the batch's dead connections and free their memory, after the batch is collected."""
    cdef conn_t *conn
    while io.dead != NULL:
        conn = io.dead
        io.dead = conn.stamp.next_dead
        let_go(io, addresses, conn)
        connection_free(conn)
