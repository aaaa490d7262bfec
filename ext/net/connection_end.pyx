"""Every way in which a connection ends.

What dies within a batch is reclaimed at its end: the batch may still point at it, and its owner is told with its loss. Where there is no
memory for the event of a loss, the connection itself is marked, and found when the batch is collected.
"""
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF
from libc.stdint cimport uint8_t, uint32_t

from ext.accept.admission cimport key_of
from ext.net.carry_over cimport Carried, carried_no_more
from ext.base.check cimport CHECK
from ext.net.connection cimport (
    BLOCKED, BROKEN, CLOSING, COMING, COUNTED, DEAD, HEAD, IN_CLOSING, IN_DEAD, LINGER, OPEN, PAUSED, PIPED, UNTOLD, VIRTUAL, connection_free,
    connection_holds, connection_named, connection_unlist, name, names_add, refill,
)
from ext.net.counters cimport *
from ext.net.events cimport event_add
from ext.net.frames cimport CLOSE, close_code_allowed
from ext.net.tunnel_ends cimport leg_part
from ext.net.output cimport fault, frame, mark_dirty, watch
from ext.base.protocol cimport *
from ext.net.ring cimport ring_detach
from ext.base.system cimport SHUT_WR, close, shutdown
from ext.net.utf8 cimport valid
from ext.net.wheel cimport wheel_arm, wheel_disarm

cdef enum:
    LINGER_SECONDS = 3        # for the other side to see the close before the socket goes
    NOBODY = -1               # is told

cdef struct cause_t:
    int close                 # code that we say, or that the client said; 0: none
    const char *code          # of the error before it, NULL: none is said here
    const char *words
    int retry_after
    int counter
    int told                  # how the connection was lost, for the engine

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
    """The row of a close code that we say; INTERNAL for one that stands in none."""
    cdef int cause
    for cause in range(CLIENT_LEFT):
        if table[cause].close == close_code:
            return cause
    return INTERNAL


cdef void tell(io_t *io, conn_t *conn, int how) noexcept nogil:
    """Puts the loss of an open connection, which is closing or dead by now, where the engine will find it."""
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
    """Ends an open connection for what it sent: `error`, then the close code."""
    cdef cause_t *why = &table[cause]
    CHECK(cause < INTERNAL and conn.state == OPEN)
    io.count[why.counter] += 1
    if not io.echo:
        fault(io, conn, why.code, why.words, NULL, NULL, 0, why.retry_after)
    say_close(io, conn, why.close)
    linger(io, conn, True)
    tell(io, conn, why.told)


cdef void dismiss(io_t *io, conn_t *conn, int code) noexcept nogil:
    """Ends an open connection with a close code because the engine says so; nobody is told."""
    io.count[table[cause_of(code)].counter] += 1
    say_close(io, conn, code)
    linger(io, conn, True)


cdef void leave(io_t *io, conn_t *conn, const uint8_t *payload, Py_ssize_t size) noexcept nogil:
    """The client's close frame (RFC 6455, 5.5.1): answered with its own code."""
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
    """The connection is gone, whatever it was about, or there is no memory to go on with it."""
    cdef bint was_open = conn.state == OPEN
    if was_open:
        io.count[table[cause].counter] += 1
    elif conn.state == HEAD and conn.input != NULL:
        io.count[C_HEAD_LOST] += 1
    free(io, conn)
    if was_open:
        tell(io, conn, table[cause].told)


cdef void linger(io_t *io, conn_t *conn, bint wait) noexcept nogil:
    """From here on only what is queued still leaves. `wait`: for the other side's end, once all of it was sent."""
    if conn.state == OPEN:
        io.open -= 1
    elif conn.state == PIPED:
        leg_part(io, conn)
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
    names_add(&io.leaving, name(conn))  # where it is not remembered, the wheel ends it
    wheel_arm(&io.wheel, &conn.timer, LINGER_SECONDS)
    CHECK(connection_holds(conn))


cdef void unblock(io_t *io, conn_t *conn) noexcept nogil:
    """A virtual connection's owner takes what it is sent."""
    conn.flags &= ~BLOCKED
    wheel_disarm(&conn.timer)
    if conn.out != NULL:
        mark_dirty(io, conn)


cdef void free(io_t *io, conn_t *conn) noexcept nogil:
    """The socket goes, and all that the connection holds; its memory, owner and address when the batch was collected."""
    if conn.state == DEAD:
        return
    if conn.state == OPEN:
        io.open -= 1
    elif conn.state == PIPED:
        leg_part(io, conn)
    ring_detach(conn)
    refill(io, conn.tokens, &conn.stamp.counted)  # as they are carried on; the dead have no stamp
    if conn.fd >= 0:
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
    """Ends the closing connections whose output is gone; the others are looked at again when their socket takes more."""
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
    """The connection counts no more: as a newcomer, and at its address. Never twice, even where that raises (no memory)."""
    cdef uint32_t flags = conn.flags
    conn.flags &= ~(COMING | COUNTED)
    if flags & COMING:
        io.coming -= 1
    if flags & COUNTED and flags & COMING:
        addresses.settle(key_of(<str>conn.address), io.now)
    elif flags & COUNTED:
        addresses.leave(<str>conn.address, io.now)


cdef void let_go(io_t *io, Addresses addresses, conn_t *conn):
    """A dead connection holds neither its address nor its owner any more."""
    cdef PyObject *address = conn.address
    cdef PyObject *owner = conn.owner
    uncount(io, addresses, conn)
    conn.address = conn.owner = NULL
    if address != NULL:
        Py_DECREF(<object>address)
    if owner != NULL:
        if isinstance(<object>owner, Carried):
            carried_no_more(io, <Carried>owner, conn)
        Py_DECREF(<object>owner)


cdef void reclaim(io_t *io, Addresses addresses):
    """The batch was collected: the dead let go of their owners, leave the table of addresses, and their memory goes."""
    cdef conn_t *conn
    while io.dead != NULL:
        conn = io.dead
        io.dead = conn.stamp.next_dead
        let_go(io, addresses, conn)
        connection_free(conn)
