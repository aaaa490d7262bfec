"""Relay the bytes of a tunnel: a client connected to this host whose session is on another host (its home).

**Invariant:** the home applies pings, time-outs and limits. Here frames are parsed only to know frame boundaries, so that after the loss of either
end the other one can be continued correctly; buffers are bounded, and an end that reads nothing stops the other.
"""

# The client receives whole frames only, so that another process can continue the connection if the home is lost: an incomplete frame is buffered, at
# most HOME_FRAME_MAX and its header. A frame of opcode RECORD is for this host and becomes an event. The home receives bytes as they come; those of a
# message that is not sent whole are kept, so that it can be repeated if the home is lost and later bytes can be parsed: at most `message_max` and
# KEPT_BESIDE. An end that reads nothing stops the other: for the client WAITING, one read and one such frame may wait; for the home WAITING and one
# read, beside the kept bytes.

from libc.errno cimport EAGAIN, EINTR, errno
from libc.string cimport memcpy, memmove

from ext.net.byte_buffers cimport buffer_free, buffer_new, buffer_t, bytes_of, fit, held_by
from ext.base.check cimport CHECK
from ext.net.connection_table cimport BLOCKED, BROKEN, PAUSED, PIPED, UNTOLD, connection_holds
from ext.net.counters cimport C_BLOCKED, C_BYTES_IN, C_PAUSED, C_READS, C_TUNNEL_BYTES, C_TUNNELLED, C_UNTAKEN
from ext.net.connection_end cimport free, linger
from ext.net.event_queue cimport event_add
from ext.net.frames cimport CLOSE, RECORD, TEXT, frame_t, parse_header, parse_own
from ext.net.tunnel_connections cimport unsent
from ext.net.output cimport awaited, flush, pending, reserve, watch
from ext.base.protocol cimport EVENT_HALVED, EVENT_RECORD, EVENT_UNTUNNELLED, TUNNEL_BROKE, TUNNEL_CLOSED, TUNNEL_ENDED, TUNNEL_LEFT
from ext.base.system cimport (
    EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, MSG_DONTWAIT, MSG_NOSIGNAL, SHUT_WR, epoll_ctl, epoll_event, recv,
    send, shutdown,
)
from ext.migrate.tunnel_client_state cimport client_says, home_says
from ext.migrate.tcp_peer_liveness cimport LOOK_SECONDS, PEER_BUSY, PEER_GONE, peer_state
from ext.net.wheel cimport wheel_arm, wheel_disarm

cdef enum:
    READ = 64 * 1024
    KEPT_BESIDE = 16 * 1024    # headers of a message's fragments, and control frames between them
    ORPHAN_SECONDS = 3         # for its owner to take over a client whose home is lost


cdef void tunnelled(io_t *io, conn_t *conn, uint32_t ready, uint8_t *stage) noexcept nogil:
    """Handle a ready end; output for the client is queued, and the caller sends it. `stage`: room for a read."""
    cdef tunnel_t *tunnel = conn.stamp.tunnel
    CHECK(connection_holds(conn))
    CHECK(tunnel.home == NULL or tunnel.at <= tunnel.sent <= held_by(tunnel.home.out))
    if conn == tunnel.client:
        of_client(io, tunnel, ready, stage)
    else:
        of_home(io, tunnel, ready, stage)
    CHECK(connection_holds(conn))


cdef void of_client(io_t *io, tunnel_t *tunnel, uint32_t ready, uint8_t *stage) noexcept nogil:
    cdef conn_t *client = tunnel.client
    cdef ssize_t got
    if ready & EPOLLOUT:
        flush(io, client)
        if tunnel.home != NULL and tunnel.home.flags & PAUSED and pending(client) <= WAITING:
            go_on(io, tunnel, tunnel.home)
            if client.state != PIPED:
                return
    if client.flags & PAUSED:
        if ready & (EPOLLHUP | EPOLLERR):
            client_lost(io, tunnel)
        return
    if not ready & (EPOLLIN | EPOLLHUP | EPOLLERR):
        return
    if unsent(tunnel) > WAITING:
        pause(io, client)
        return
    got = recv(client.fd, stage, READ, MSG_DONTWAIT)
    if got < 0 and (errno == EAGAIN or errno == EINTR):
        return
    if got <= 0:
        client_lost(io, tunnel)
        return
    io.count[C_READS] += 1
    io.count[C_BYTES_IN] += <uint32_t>got
    io.count[C_TUNNELLED] += 1
    io.count[C_TUNNEL_BYTES] += <uint32_t>got
    client.heard = io.second
    to_home(io, tunnel, stage, <uint32_t>got)


cdef void of_home(io_t *io, tunnel_t *tunnel, uint32_t ready, uint8_t *stage) noexcept nogil:
    cdef conn_t *home = tunnel.home
    if ready & EPOLLOUT and not tunnel.halved:
        push(io, tunnel)
        if tunnel.client.flags & PAUSED and unsent(tunnel) <= WAITING:
            go_on(io, tunnel, tunnel.client)
    if not ready & (EPOLLIN | EPOLLHUP | EPOLLERR):
        return
    if pending(tunnel.client) <= WAITING:
        hear_home(io, tunnel, stage)
    elif not home.flags & PAUSED:
        pause(io, home)
    elif ready & (EPOLLHUP | EPOLLERR):
        epoll_ctl(io.epoll, EPOLL_CTL_DEL, home.fd, NULL)  # epoll would report it again and again
        tunnel.unwatched = True


cdef void hear_home(io_t *io, tunnel_t *tunnel, uint8_t *stage) noexcept nogil:
    """Read the home once, and handle all frames that this completes."""
    cdef conn_t *home = tunnel.home
    cdef buffer_t *held
    cdef Py_ssize_t used
    cdef ssize_t got = recv(home.fd, stage, READ, MSG_DONTWAIT)
    if got < 0 and (errno == EAGAIN or errno == EINTR):
        return
    if got <= 0:
        home_gone(io, tunnel, TUNNEL_ENDED if got == 0 and home.input == NULL else TUNNEL_BROKE)
        return
    io.count[C_TUNNELLED] += 1
    io.count[C_TUNNEL_BYTES] += <uint32_t>got
    held = home.input
    if held == NULL:
        used = to_client(io, tunnel, stage, got)
        if used < 0 or used == got:
            return
        stage += used
        got -= used
    else:
        held = appended(held, stage, <uint32_t>got)
        if held != NULL:
            home.input = held
        used = to_client(io, tunnel, bytes_of(held), held_by(held)) if held != NULL else broken(io, tunnel)
        if used <= 0:
            return
        held.start += <uint32_t>used
        home.input = NULL
        stage, got = bytes_of(held), held_by(held)
    if got:
        home.input = appended(NULL, stage, <uint32_t>got)  # in a buffer of its size
    buffer_free(held)
    if got and home.input == NULL:
        broken(io, tunnel)


cdef buffer_t *appended(buffer_t *buffer, const uint8_t *data, uint32_t size) noexcept nogil:
    """Return `buffer` (or a new one for NULL) with these bytes appended; NULL, and `buffer` unchanged, if there is no memory."""
    cdef uint32_t held = held_by(buffer)
    if buffer == NULL:
        buffer = buffer_new(size)
    elif buffer.end + size > buffer.room:
        memmove(buffer + 1, bytes_of(buffer), held)
        buffer.start, buffer.end = 0, held
        buffer = fit(buffer, size)
    if buffer != NULL:
        memcpy(bytes_of(buffer) + held, data, size)
        buffer.end += size
    return buffer


cdef Py_ssize_t to_client(io_t *io, tunnel_t *tunnel, const uint8_t *data, Py_ssize_t size) noexcept nogil:
    """Queue the whole frames at `data` for the client and handle records. Return their number of bytes; -1: the tunnel has ended."""
    cdef Py_ssize_t at = 0, begun = 0
    cdef frame_t head
    cdef int n
    while at < size:
        n = parse_own(data + at, size - at, HOME_FRAME_MAX, &head)
        if n < 0:
            return broken(io, tunnel) if queued(io, tunnel, data + begun, at - begun) else -1
        if n == 0 or size - at - n < <Py_ssize_t>head.length:
            break
        if head.opcode == RECORD:
            if not queued(io, tunnel, data + begun, at - begun):
                return -1
            if not event_add(&io.events, EVENT_RECORD, tunnel.client, 0, data + at + n, <uint32_t>head.length):
                return broken(io, tunnel)
        elif head.opcode == TEXT:
            home_says(tunnel, data + at + n, <Py_ssize_t>head.length)
        at += n + <Py_ssize_t>head.length
        if head.opcode == RECORD:
            begun = at
        elif head.opcode == CLOSE:
            if queued(io, tunnel, data + begun, at - begun):
                home_gone(io, tunnel, TUNNEL_CLOSED)  # frames after a close frame have no meaning
            return -1
    return at if queued(io, tunnel, data + begun, at - begun) else -1


cdef bint queued(io_t *io, tunnel_t *tunnel, const uint8_t *data, Py_ssize_t size) noexcept nogil:
    """Queue bytes for the client. If there is no memory the tunnel ends, because the client would miss some, and False is returned."""
    cdef conn_t *client = tunnel.client
    cdef uint8_t *out
    if size == 0 or client.flags & BROKEN:
        return True
    out = reserve(io, client, <uint32_t>size)
    if out == NULL:
        client_gone(io, tunnel)
        return False
    memcpy(out, data, size)
    tunnel.spoke = True
    return True


cdef void to_home(io_t *io, tunnel_t *tunnel, const uint8_t *data, uint32_t size) noexcept nogil:
    """Send the client's bytes to the home, as many as it accepts; keep the rest, and the sent bytes that may have to be repeated."""
    cdef conn_t *home = tunnel.home
    cdef buffer_t *own
    cdef uint32_t done
    if home.out != NULL:
        own = appended(home.out, data, size)
    else:
        tunnel.sent = taken(io, tunnel, data, size)
        done = followed(io, tunnel, data, size)
        if done == size:
            return
        own = appended(NULL, data + done, size - done)
    if own == NULL:
        client_gone(io, tunnel)
        return
    home.out = own
    push(io, tunnel)


cdef void push(io_t *io, tunnel_t *tunnel) noexcept nogil:
    """Send what waits for the home; epoll reports room for the rest."""
    cdef conn_t *home = tunnel.home
    cdef buffer_t *out = home.out
    if out != NULL:
        tunnel.sent += taken(io, tunnel, bytes_of(out) + tunnel.sent, unsent(tunnel))
        out.start += followed(io, tunnel, bytes_of(out), held_by(out))
        if held_by(out) == 0:
            buffer_free(out)
            home.out = NULL
    if unsent(tunnel) and not home.flags & (BLOCKED | BROKEN):
        home.flags |= BLOCKED
        home.moved = io.second
        io.count[C_BLOCKED] += 1
        watch(io, home)
        wheel_arm(&io.wheel, &home.timer, LOOK_SECONDS)
    elif home.flags & BLOCKED and (unsent(tunnel) == 0 or home.flags & BROKEN):
        home.flags &= ~BLOCKED
        watch(io, home)


cdef uint32_t taken(io_t *io, tunnel_t *tunnel, const uint8_t *data, uint32_t size) noexcept nogil:
    """Return how many of these bytes the home's socket accepts."""
    cdef conn_t *home = tunnel.home
    cdef uint32_t at = 0
    cdef ssize_t sent
    while at < size and not home.flags & BROKEN:
        sent = send(home.fd, data + at, size - at, MSG_NOSIGNAL | MSG_DONTWAIT)
        if sent >= 0:
            at += <uint32_t>sent
            home.moved = io.second
            if home.timer.before == NULL:
                wheel_arm(&io.wheel, &home.timer, LOOK_SECONDS)
        elif errno == EAGAIN:
            break
        elif errno != EINTR:
            home.flags |= BROKEN  # its earlier output can still be read: epoll reports the end
    return at


cdef uint32_t followed(io_t *io, tunnel_t *tunnel, const uint8_t *data, uint32_t size) noexcept nogil:
    """Count the `sent` bytes at the beginning of `data` whose messages are sent whole, and subtract them from `sent`: they are not kept."""
    cdef uint32_t whole = 0
    cdef frame_t head
    cdef int n
    while tunnel.at < tunnel.sent and not tunnel.lost:
        n = parse_header(data + tunnel.at, size - tunnel.at, io.message_max, &head)
        if n < 0:
            tunnel.lost = True  # the home reports it
        if n <= 0 or head.length > tunnel.sent - tunnel.at or tunnel.at + n + <uint32_t>head.length > tunnel.sent:
            break
        client_says(tunnel, &head, data + tunnel.at + n)
        tunnel.at += n + <uint32_t>head.length
        if head.opcode == CLOSE:
            tunnel.closed = True
        elif head.opcode < CLOSE:
            tunnel.open = not head.fin
        if not tunnel.open:
            whole = tunnel.at
    if tunnel.sent - whole > io.message_max + KEPT_BESIDE:
        tunnel.lost = True
    if tunnel.lost:
        whole = tunnel.at = tunnel.sent
        tunnel.talks = False
    if whole:
        tunnel.within = False
    tunnel.sent -= whole
    tunnel.at -= whole
    return whole


cdef void pause(io_t *io, conn_t *conn) noexcept nogil:
    """Stop reading an end until the other has accepted what waits for it."""
    io.count[C_PAUSED] += 1
    conn.flags |= PAUSED
    watch(io, conn)


cdef void go_on(io_t *io, tunnel_t *tunnel, conn_t *conn) noexcept nogil:
    """Resume reading an end, unless it has ended for good."""
    cdef epoll_event event
    if conn == tunnel.client and tunnel.halved:
        return
    conn.flags &= ~PAUSED
    if conn == tunnel.client or not tunnel.unwatched:
        watch(io, conn)
        return
    event.events = awaited(conn)
    event.data.ptr = conn
    tunnel.unwatched = False
    if epoll_ctl(io.epoll, EPOLL_CTL_ADD, conn.fd, &event) < 0:
        broken(io, tunnel)


cdef void half_close(io_t *io, tunnel_t *tunnel) noexcept nogil:
    """Send the home an end of stream: it returns what it has not read, or closes."""
    cdef conn_t *home = tunnel.home
    tunnel.halved = True
    tunnel.client.flags |= PAUSED
    watch(io, tunnel.client)
    home.flags &= ~BLOCKED
    watch(io, home)
    shutdown(home.fd, SHUT_WR)
    wheel_arm(&io.wheel, &home.timer, HALF_SECONDS)


cdef Py_ssize_t broken(io_t *io, tunnel_t *tunnel) noexcept nogil:
    """End a tunnel whose home cannot continue; return -1."""
    home_gone(io, tunnel, TUNNEL_BROKE)
    return -1


cdef void home_gone(io_t *io, tunnel_t *tunnel, int why) noexcept nogil:
    """Report that the home is lost. The client stays for its owner to take over, unless it is gone or one of both ends has closed it."""
    cdef conn_t *client = tunnel.client
    cdef conn_t *home = tunnel.home
    if client.flags & BROKEN or (why != TUNNEL_CLOSED and tunnel.closed):
        client_gone(io, tunnel)
        return
    client.input = home.out
    home.out = NULL
    free(io, home)
    if why == TUNNEL_CLOSED:
        buffer_free(client.input)
        client.input = NULL
        linger(io, client, True)
    else:
        client.flags |= PAUSED
        watch(io, client)
        wheel_arm(&io.wheel, &client.timer, ORPHAN_SECONDS)
    tell(io, client, why)


cdef void client_lost(io_t *io, tunnel_t *tunnel) noexcept nogil:
    """End a tunnel whose client dropped. The home may be sending the session back: it is read to its end first, HALF_SECONDS at most."""
    cdef conn_t *client = tunnel.client
    cdef conn_t *home = tunnel.home
    if home == NULL or home.flags & BROKEN or tunnel.halved or tunnel.closed:
        client_gone(io, tunnel)
        return
    epoll_ctl(io.epoll, EPOLL_CTL_DEL, client.fd, NULL)  # epoll would report its end again and again
    buffer_free(client.out)
    client.out = NULL
    client.flags = client.flags & ~BLOCKED | BROKEN
    wheel_disarm(&client.timer)
    half_close(io, tunnel)
    event_add(&io.events, EVENT_HALVED, client, 0, NULL, 0)  # without memory for it no host waits
    if home.flags & PAUSED:
        go_on(io, tunnel, home)


cdef void client_gone(io_t *io, tunnel_t *tunnel) noexcept nogil:
    """Free both ends at once: the home sees that the connection was dropped."""
    cdef conn_t *client = tunnel.client
    if tunnel.home != NULL:
        free(io, tunnel.home)
    free(io, client)
    tell(io, client, TUNNEL_LEFT)


cdef void tell(io_t *io, conn_t *client, int why) noexcept nogil:
    """Queue the end of a tunnel for its owner; if there is no memory for that, the client is dropped."""
    if event_add(&io.events, EVENT_UNTUNNELLED, client, why, NULL, 0):
        return
    if client.state == PIPED:
        free(io, client)
    client.flags |= UNTOLD
    client.side = OF_TUNNEL
    io.untold += 1


cdef void tunnel_expire(io_t *io, conn_t *conn) noexcept nogil:
    """Handle the timer of an end: it reads nothing, does not close, or its client was not taken over after the loss of the home."""
    cdef tunnel_t *tunnel = conn.stamp.tunnel
    cdef bint client = conn == tunnel.client
    cdef uint32_t stuck = io.second - conn.moved
    if client and tunnel.home == NULL:
        client_gone(io, tunnel)
    elif not client and tunnel.halved:
        if conn.flags & PAUSED:
            wheel_arm(&io.wheel, &conn.timer, HALF_SECONDS)  # its end waits for the client
        else:
            broken(io, tunnel)
    elif not client:
        look(io, tunnel, stuck)
    elif conn.flags & BLOCKED and stuck < HOLD_SECONDS:
        wheel_arm(&io.wheel, &conn.timer, HOLD_SECONDS - stuck)
    elif conn.flags & BLOCKED:
        io.count[C_UNTAKEN] += 1
        client_gone(io, tunnel)


cdef void look(io_t *io, tunnel_t *tunnel, uint32_t stuck) noexcept nogil:
    """Check whether what was sent to the home since the last check arrives there."""
    cdef conn_t *home = tunnel.home
    cdef int way = peer_state(home.fd)
    if way == PEER_GONE or home.flags & BLOCKED and stuck >= HOLD_SECONDS:
        broken(io, tunnel)
    elif way == PEER_BUSY or home.flags & BLOCKED:
        wheel_arm(&io.wheel, &home.timer, 1)
