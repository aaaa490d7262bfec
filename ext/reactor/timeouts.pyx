"""Close connections that timed out, send pings, and resume connections that were paused because they exceeded a limit, once a second."""
from libc.stdint cimport uint32_t

from ext.net.connection_table cimport B_BYTES, BLOCKED, CLOSING, HEAD, PAUSED, PINGED, PIPED, VIRTUAL, VISITOR, shut, take
from ext.net.counters cimport C_PINGS
from ext.net.connection_end cimport CLIENT_NONE, UNANSWERED, UNTAKEN, free, lose
from ext.net.event_queue cimport EVENT_HEAD, event_add
from ext.net.frames cimport PING
from ext.reactor.socket_input cimport OWN_BYTES
from ext.net.output cimport frame, pending, watch
from ext.base.protocol cimport TAKE_SECONDS
from ext.migrate.tunnel cimport tunnel_expire
from ext.net.structs cimport conn_t
from ext.migrate.tcp_peer_liveness cimport LOOK_SECONDS, PEER_GONE, peer_state
from ext.net.wheel cimport timer_t, wheel_arm, wheel_due


cdef void expire(io_t *io) noexcept nogil:
    """Check every connection whose timer is due."""
    cdef timer_t *timer
    cdef conn_t *conn
    while True:
        timer = wheel_due(&io.wheel, io.second)
        if timer == NULL:
            return
        conn = <conn_t *>timer
        if conn.state == CLOSING:
            free(io, conn)
        elif conn.state == HEAD:
            if not event_add(&io.events, EVENT_HEAD, conn, 0, NULL, 0):
                lose(io, conn, CLIENT_NONE)
        elif conn.state == PIPED:
            tunnel_expire(io, conn)
        else:
            expire_open(io, conn)


cdef void expire_open(io_t *io, conn_t *conn) noexcept nogil:
    cdef uint32_t wait = io.idle, stuck
    if conn.flags & PAUSED and not (conn.flags & BLOCKED and pending(conn) > OWN_BYTES) and not go_on(io, conn):
        return
    if conn.flags & BLOCKED:
        stuck = io.second - conn.moved
        if stuck >= TAKE_SECONDS:
            lose(io, conn, UNTAKEN)
            return
        wait = min(wait, TAKE_SECONDS - stuck)
    if conn.flags & VISITOR:
        if io.second - conn.moved <= 2 * LOOK_SECONDS and peer_state(conn.fd) == PEER_GONE:
            lose(io, conn, UNANSWERED)
            return
        wait = LOOK_SECONDS
    if conn.flags & VIRTUAL:
        if conn.flags & BLOCKED:
            wheel_arm(&io.wheel, &conn.timer, wait)
        return
    wait = min(wait, ask(io, conn))
    if wait == 0:
        lose(io, conn, UNANSWERED)
        return
    wheel_arm(&io.wheel, &conn.timer, 1 if conn.flags & PAUSED else wait)


cdef bint go_on(io_t *io, conn_t *conn) noexcept nogil:
    """End a pause; buffered input is parsed in the following turn. False if there is no memory: the connection is gone."""
    take(io, conn, B_BYTES, 0)
    conn.flags &= ~PAUSED
    watch(io, conn)
    if conn.input != NULL and not shut(io, conn):
        lose(io, conn, CLIENT_NONE)
        return False
    return True


cdef uint32_t ask(io_t *io, conn_t *conn) noexcept nogil:
    """Ping a silent connection. Return the seconds until the next check; 0: there was no answer."""
    cdef uint32_t silent = io.second - conn.heard
    if conn.flags & PINGED:
        return io.idle + io.patience - silent if silent < io.idle + io.patience else 0
    if silent < io.idle:
        return io.idle - silent
    io.count[C_PINGS] += 1
    conn.flags |= PINGED
    conn.heard = io.second - io.idle  # after a long sleep of this process the client's time begins now
    frame(io, conn, PING, NULL, 0)
    return io.patience
