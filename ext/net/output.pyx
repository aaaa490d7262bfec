"""Queue output of connections and send the queued bytes, with one `send` per connection and turn of the event loop.

An idle connection holds no output buffer. Bytes that the socket does not accept wait in a buffer of their own size until epoll reports room.
"""
from libc.errno cimport EAGAIN, EINTR, errno
from libc.stdint cimport uint8_t, uint32_t
from libc.stdio cimport snprintf
from libc.string cimport memcpy, memmove

from ext.net.byte_buffers cimport buffer_free, buffer_new, buffer_t, bytes_of, chunk_take, fit
from ext.base.check cimport CHECK
from ext.net.connection_table cimport BLOCKED, BROKEN, DEAD, DIRTY, FRESH, VIRTUAL
from ext.net.counters cimport C_BLOCKED, C_BYTES_OUT, C_SENDS
from ext.net.frames cimport TEXT, header_size, write_header
from ext.base.protocol cimport ID_ESCAPED_MAX, TAKE_SECONDS
from ext.base.system cimport EPOLL_CTL_MOD, MSG_DONTWAIT, MSG_NOSIGNAL, epoll_ctl, epoll_event, send
from ext.net.wheel cimport wheel_arm

cdef enum:
    FAULT_MAX = 768  # bytes of an error frame: 200 of the message, 384 of an id, the rest JSON


cdef void mark_dirty(io_t *io, conn_t *conn) noexcept nogil:
    """Mark that the end of the read must send this connection's output."""
    if not conn.flags & DIRTY:
        conn.flags |= DIRTY
        conn.next = io.dirty
        io.dirty = conn


cdef uint8_t *reserve(io_t *io, conn_t *conn, uint32_t size) noexcept nogil:
    """Reserve `size` bytes of output and return their address; NULL if the connection accepts none (any more)."""
    cdef buffer_t *out = conn.out
    cdef uint32_t used
    if conn.state == DEAD or conn.flags & BROKEN:
        return NULL
    if out == NULL:
        out = chunk_take()
        if out == NULL:
            out = fit(NULL, size)
            if out == NULL:
                return NULL
        conn.out = out
    if out.end + size > out.room:
        if out.start:
            used = out.end - out.start
            memmove(out + 1, bytes_of(out), used)
            out.start = 0
            out.end = used
        out = fit(out, size)
        if out == NULL:
            return NULL
        conn.out = out
    mark_dirty(io, conn)
    out.end += size
    CHECK(out.start <= out.end <= out.room)
    return <uint8_t *>(out + 1) + out.end - size


cdef void frame(io_t *io, conn_t *conn, int opcode, const uint8_t *payload, Py_ssize_t size) noexcept nogil:
    """Queue one whole frame."""
    cdef int head = header_size(size)
    cdef uint8_t *out = reserve(io, conn, <uint32_t>(head + size))
    if out != NULL:
        write_header(out, opcode, size)
        if size:
            memcpy(out + head, payload, size)


cdef void raw(io_t *io, conn_t *conn, const uint8_t *data, Py_ssize_t size) noexcept nogil:
    """Queue bytes that are no frame: the reply to a request head."""
    cdef uint8_t *out = reserve(io, conn, <uint32_t>size)
    if out != NULL:
        memcpy(out, data, size)


cdef void fault(
    io_t *io, conn_t *conn, const char *code, const char *words, const char *of, const uint8_t *id, Py_ssize_t id_size, int retry_after,
) noexcept nogil:
    """Queue an `error` frame. `of`: the refused frame's type, NULL: none; `id`: as JSON without quotes; `retry_after`: seconds, 0: none."""
    cdef char text[FAULT_MAX]
    cdef int room = sizeof(text)
    cdef int n = snprintf(text, room, b'{"type":"error","code":"%s","message":"%s"', code, words)
    if of != NULL:
        n += snprintf(text + n, room - n, b',"of":"%s"', of)
    if 0 < id_size <= ID_ESCAPED_MAX:
        n += snprintf(text + n, room - n, b',"id":"%.*s"', <int>id_size, <const char *>id)
    if retry_after:
        n += snprintf(text + n, room - n, b',"retry_after":%d', retry_after)
    CHECK(n + 1 < room)
    text[n] = c'}'
    frame(io, conn, TEXT, <const uint8_t *>text, n + 1)


cdef void watch(io_t *io, conn_t *conn) noexcept nogil:
    """Update what epoll watches for, by the connection's flags."""
    cdef epoll_event event
    if conn.fd < 0:
        return
    event.events = awaited(conn)
    event.data.ptr = conn
    epoll_ctl(io.epoll, EPOLL_CTL_MOD, conn.fd, &event)


cdef void shrink(conn_t *conn) noexcept nogil:
    """Move unsent bytes to a buffer of their size and return the chunk."""
    cdef uint32_t left = pending(conn)
    cdef buffer_t *own
    if not conn.out.chunk:
        return
    own = buffer_new(left)
    if own == NULL:
        return
    memcpy(own + 1, bytes_of(conn.out), left)
    own.end = left
    buffer_free(conn.out)
    conn.out = own


cdef void flush(io_t *io, conn_t *conn) noexcept nogil:
    """Send queued output; the rest waits until epoll reports room."""
    cdef ssize_t sent
    cdef buffer_t *out = conn.out
    cdef uint32_t before = pending(conn)
    while pending(conn):
        sent = send(conn.fd, bytes_of(out), pending(conn), MSG_NOSIGNAL | MSG_DONTWAIT)
        if sent < 0:
            if errno == EINTR:
                continue
            if errno == EAGAIN:
                break
            conn.flags |= BROKEN
            out.start = out.end
            break
        io.count[C_SENDS] += 1
        io.count[C_BYTES_OUT] += <uint32_t>sent
        out.start += <uint32_t>sent
        conn.moved = io.second
    if pending(conn):
        if not conn.flags & BLOCKED:
            conn.flags |= BLOCKED
            conn.moved = io.second
            conn.held = 0
            io.count[C_BLOCKED] += 1
            watch(io, conn)
            wheel_arm(&io.wheel, &conn.timer, TAKE_SECONDS)
        elif before:
            conn.held = <uint32_t>(<double>conn.held * pending(conn) / before)
        shrink(conn)
        return
    buffer_free(conn.out)
    conn.out = NULL
    if conn.flags & BLOCKED:
        conn.flags &= ~BLOCKED
        conn.held = 0
        watch(io, conn)


cdef void flush_dirty(io_t *io) noexcept nogil:
    """Send the output that the current read produced, of all connections."""
    cdef conn_t *conn
    while io.dirty != NULL:
        conn = io.dirty
        io.dirty = conn.next
        conn.next = NULL
        if conn.flags & VIRTUAL and conn.state != DEAD and not conn.flags & BLOCKED:
            conn.next = io.unread  # still dirty: it is in one list at most
            io.unread = conn
            continue
        if conn.flags & FRESH:
            conn.next = io.later  # still dirty, as above
            io.later = conn
            continue
        conn.flags &= ~DIRTY
        if conn.state != DEAD and not conn.flags & BLOCKED:
            flush(io, conn)


cdef void flush_all(io_t *io) noexcept nogil:
    """Flush at the end of a turn, FRESH connections included; no dead connection stays in a list."""
    cdef conn_t *conn
    while io.later != NULL:
        conn = io.later
        io.later = conn.next
        conn.next = io.dirty
        io.dirty = conn
    flush_dirty(io)
